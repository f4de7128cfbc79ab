"""Science module: transients without a visible host galaxy, by the structure of their cutouts."""

from __future__ import annotations

import numpy as np

from redpoll import Column, feature, science_module
from redpoll.conditions import is_empty_position, is_solar_system
from redpoll.cutouts import clipped, differs_from_template, read_cutouts, structure
from redpoll.typing import Arrays, Bools, Floats, Ints, Texts

_SIDES = 63, 30
"""Sides of ZTF's cutouts and of Rubin's smallest [pixels]: larger ones are trimmed to one of these."""
_KS = "cutout, 0 (noise) to 1 (ELEPHANT); null if not a candidate."
OUTPUTS = {
    "hostless_ks_science": feature("", f"Structure of the science {_KS}"),
    "hostless_ks_template": feature("", f"Structure of the template {_KS}"),
    "is_hostless": Column("bool", doc="Both cutouts are noise but for the transient; false if not a candidate."),
}


@science_module(version="2", outputs=OUTPUTS, compile_group="statistics")
def hostless(
    cutout_science: Texts,
    cutout_template: Texts,
    is_good: Bools,
    roid: Texts,
    age: Floats,
    n_detections: Ints,
    flux: Floats,
    flux_err: Floats,
    reference_mag: Floats,
    reference_distance_arcsec: Floats,
    star_distance_arcsec: Floats,
    *,
    max_science: float = 0.5,
    max_template: float = 0.85,
    max_age: float = 45.0,
    min_detections: int = 2,
    min_snr: float = 10.0,
    min_arcsec: float = 1.5,
    radius: int = 7,
) -> Arrays:
    """ELEPHANT: bright pixels in one of the two cutouts only, and power spectra as of noise.

    It costs 3 ms, so only candidates are tested: good, young, detected `min_detections` times, bright, and nothing
    catalogued or in the template within `min_arcsec`. The power spectrum is computed where the clipped pixels differ:
    more than 5 in one cutout and fewer than 3 in the other, in the whole cutout or within `radius` of the middle. The
    other candidates are not hostless and their statistics are null. Shuffles come from a fixed table, the noise in the
    place of clipped pixels from a seed of the cutout's own. The paper tests stacked cutouts; like Fink, this module
    tests single ones, with Fink's thresholds.

    References
    ----------
    Pessi et al. 2024, A&A 691, A181 (arXiv:2404.18165).
    """
    is_empty = is_empty_position(star_distance_arcsec, reference_mag, reference_distance_arcsec, min_arcsec)
    is_bright = flux >= min_snr * flux_err
    is_new = (age <= max_age) & (n_detections >= min_detections)
    wanted = is_good & ~is_solar_system(roid) & is_new & is_empty & is_bright
    found = np.full((2, len(wanted)), np.nan)
    science, template = (read_cutouts(cutouts, wanted) for cutouts in (cutout_science, cutout_template))
    for i in np.flatnonzero(wanted).tolist():
        found[:, i] = _statistics(science[i], template[i], radius)
    is_hostless = (found[0] <= max_science) & (found[1] <= max_template)
    return {"hostless_ks_science": found[0], "hostless_ks_template": found[1], "is_hostless": is_hostless}


def _statistics(science: Floats, template: Floats, radius: int) -> tuple[float, float]:
    """Statistics of both cutouts; NaN if they do not differ, or are not square and of equal size."""
    side = next((s for s in _SIDES if s <= len(science)), 0)
    if science.shape != template.shape or science.shape[0] != science.shape[1] or not side:
        return np.nan, np.nan
    start = (len(science) - side) // 2
    middle = slice(start, start + side)
    science, template = science[middle, middle], template[middle, middle]
    masks = clipped(science), clipped(template)
    if not differs_from_template(science, template, radius, masks):
        return np.nan, np.nan
    return structure(science, mask=masks[0]), structure(template, mask=masks[1])
