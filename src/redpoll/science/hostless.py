"""Science module: transients without a host, by the structure of their cutouts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll import Column, science_module
from redpoll.astro.cutouts import read_cutouts
from redpoll.astro.hostless import differs_from_template, structure

Array = NDArray[np.float64]
_SIDES = 63, 30
"""Sides of the cutouts as ZTF sends them, and the smallest of Rubin's: larger ones are cut to one of these."""
_KS = "cutout is, 0 to 1 (ELEPHANT); null if not a candidate."
OUTPUTS = {
    "hostless_ks_science": Column("float32", doc=f"How unlike noise the science {_KS}", indexed=False),
    "hostless_ks_template": Column("float32", doc=f"How unlike noise the template {_KS}", indexed=False),
    "is_hostless": Column("bool", doc="Both are like noise but for the transient; false where it was not looked at."),
}


@science_module(version="1", outputs=OUTPUTS, compile_group="statistics")
def hostless(
    cutout_science: NDArray[Any],
    cutout_template: NDArray[Any],
    is_good: NDArray[np.bool_],
    roid: NDArray[np.integer[Any]],
    age: NDArray[np.float32],
    n_detections: NDArray[Any],
    flux: NDArray[np.float32],
    flux_err: NDArray[np.float32],
    reference_mag: NDArray[np.float32],
    reference_distance_arcsec: NDArray[np.float32],
    star_distance_arcsec: NDArray[np.float32],
    *,
    max_science: float = 0.5,
    max_template: float = 0.85,
    max_age: float = 45.0,
    min_detections: int = 2,
    min_snr: float = 10.0,
    min_arcsec: float = 1.5,
    radius: int = 7,
) -> dict[str, NDArray[Any]]:
    """ELEPHANT: pixels stand out in one of the cutouts alone, and the power spectra are those of noise.

    Only candidates are looked at, because it costs 4 ms: good, young, seen `min_detections` times, bright, and
    nothing catalogued or in the template within `min_arcsec`. Of those, only cutouts whose clipped pixels differ (more
    than 5 in one and fewer than 3 in the other, in all of it or within `radius` of the middle) get the power-spectrum
    test; the others are not hostless and their statistics null. Shuffles and noise come from a fixed table. The
    paper's test is for stacked cutouts; Fink takes single ones, and so do we, with Fink's thresholds.

    References
    ----------
    Pessi et al. 2024, A&A 691, A181 (arXiv:2404.18165).
    """
    is_empty = ~(star_distance_arcsec < min_arcsec)
    is_empty &= ~(np.isfinite(reference_mag) & ~(reference_distance_arcsec >= min_arcsec))
    is_bright = flux >= min_snr * flux_err
    wanted = is_good & (roid < 2) & (age <= max_age) & (n_detections >= min_detections) & is_empty & is_bright
    found = np.full((2, len(wanted)), np.nan)
    science, template = (read_cutouts(cutouts, wanted) for cutouts in (cutout_science, cutout_template))
    for i in np.flatnonzero(wanted & (science.shapes[:, 0] > 0)).tolist():
        found[:, i] = _statistics(science[i], template[i], radius)
    is_hostless = (found[0] <= max_science) & (found[1] <= max_template)
    return {"hostless_ks_science": found[0], "hostless_ks_template": found[1], "is_hostless": is_hostless}


def _statistics(science: NDArray[np.float32], template: NDArray[np.float32], radius: int) -> tuple[float, float]:
    """Statistics of both cutouts; NaN if they do not differ, or are no squares of one size."""
    side = next((s for s in _SIDES if s <= len(science)), 0)
    if science.shape != template.shape or science.shape[0] != science.shape[1] or not side:
        return np.nan, np.nan
    start = (len(science) - side) // 2
    middle = slice(start, start + side)
    science, template = science[middle, middle], template[middle, middle]
    if not differs_from_template(science, template, radius):
        return np.nan, np.nan
    return structure(science, 0), structure(template, 1)
