"""Dust of the Milky Way before extragalactic sources: a reddening for each position, and what it takes of the light."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll.astro.extinction import extinction
from redpoll.astro.sky import galactic_latitude

Array = NDArray[np.float64]
BEHIND = ("host", "nucleus", "dwarf")
"""Environments behind all the dust. Magnitudes and colours of stars are drawn as observed, their dust included."""
_LAYER, _SCATTER = 0.025, 0.55
_THINNEST, _THICKEST = 0.05, 3.0


def draw_reddening(rng: np.random.Generator, ra: Array, dec: Array) -> Array:
    """E(B-V) [mag] on the scale of Schlegel, Finkbeiner & Davis (1998) at each position [deg].

    A plane layer of 0.025 mag towards the pole, seen through 1 / sin|b|, times a lognormal of 0.55: median and width
    are those of 888 SNe Ia of the Bright Transient Survey (half 0 of `benchmarks/realism.py`), whose product of E(B-V)
    and sin|b| falls from 0.033 at 10 deg to 0.020 at the pole. At most 3 mag.
    """
    layer = _LAYER / np.maximum(np.abs(np.sin(np.radians(galactic_latitude(ra, dec)))), _THINNEST)
    return np.asarray(np.minimum(layer * np.exp(rng.normal(0.0, _SCATTER, len(ra))), _THICKEST))


def dimming(ebv: Array) -> NDArray[np.float64]:
    """Extinction [mag] of each reddening in u to y, (n, 6); zero where E(B-V) is NaN: nothing lies behind the dust.

    The coefficients are Rubin's for both surveys, as the simulator has one set of passbands.

    >>> dimming(np.array([0.1, np.nan]))[:, 1].round(4).tolist()
    [0.3237, 0.0]
    """
    return np.asarray(np.nan_to_num(extinction(ebv[:, None], np.arange(6))))
