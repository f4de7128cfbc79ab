"""Science module: classes of Solar System objects, from the category of `roid`."""

from __future__ import annotations

import numpy as np

from redpoll import flag, science_module
from redpoll.typing import Arrays, Texts

OUTPUTS = {
    "is_solar_system_known": flag("A known Solar System object.", assigns="solar_system_known"),
    "is_solar_system_candidate": flag("A possible new Solar System object.", assigns="solar_system_candidate"),
}


@science_module(version="1", outputs=OUTPUTS)
def solar_system(roid: Texts) -> Arrays:
    """Whether the alert is a known Solar System object, and whether it is a candidate, by the rules of `roid`."""
    return dict(zip(OUTPUTS, (np.asarray(roid == name, bool) for name in ("known", "candidate")), strict=True))
