"""Science module: what the solar-system flag says of classes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll import Column, science_module

OUTPUTS = {
    "is_solar_system_known": Column(
        "bool", doc="A known solar-system object: roid is 3.", assigns="solar_system_known", indexed=False
    ),
    "is_solar_system_candidate": Column(
        "bool", doc="May be an unknown solar-system object: roid is 2.", assigns="solar_system_candidate", indexed=False
    ),
}


@science_module(version="1", outputs=OUTPUTS)
def solar_system(roid: NDArray[np.integer[Any]]) -> dict[str, NDArray[np.bool_]]:
    """The flag of `roid`, whose rules these are, as two statements about classes."""
    return {"is_solar_system_known": roid == 3, "is_solar_system_candidate": roid == 2}
