"""Types of arrays, for the type hints of science modules and filters; hints are optional there.

>>> from redpoll.typing import Bools, Floats
>>> def is_bright(mag: Floats) -> Bools:
...     return mag < 18.0
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Arrays", "Bools", "Floats", "Ints", "Texts"]
Floats = NDArray[np.floating[Any]]
"""A number for each alert or point; NaN where unknown."""
Ints = NDArray[np.integer[Any]]
"""A count or index for each alert or point."""
Bools = NDArray[np.bool_]
"""A flag for each alert or point."""
Texts = NDArray[np.object_]
"""A str for each alert; None where unknown. Cutouts, as bytes or None, have the same type."""
Arrays = dict[str, NDArray[Any]]
"""What a module with several outputs returns: an array for each."""
