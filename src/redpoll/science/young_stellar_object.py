"""Science module: young stars that catalogues know, and whether they change."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll import Column, science_module
from redpoll.astro.photometry import mag_err_from_flux, mag_from_flux
from redpoll.astro.ragged import by_band
from redpoll.astro.straight_lines import line_sums
from redpoll.schema.bands import BANDS, DETECTION
from redpoll.schema.light_curve import LightCurves

_SIMBAD = frozenset(
    ("YSO", "Y*O", "YSO_Candidate", "Candidate_YSO", "Y*?", "TTau*", "TT*", "TTau*_Candidate", "Candidate_TTau*", "TT?",
     "Ae*", "Ae*_Candidate", "Ae?", "Orion_V*", "OrionV*", "Or*", "FUOr", "FU*", "Outflow", "HH"),
)  # fmt: skip
_VSX = frozenset(("YSO", "TTS", "CTTS", "WTTS", "INT", "INST", "IT", "INA", "INSA", "IA", "IN", "INS", "INB", "INSB",
                  "FU", "FUOR", "EXOR", "UXOR", "DIP"))  # fmt: skip
_NO_SPICY = frozenset((None, "", "uncertain"))
OUTPUTS = {
    "is_young_star": Column(
        "bool", doc="SPICY, SIMBAD or VSX list a young stellar object at this place.", assigns="yso", indexed=False
    ),
    "young_star_slope": Column(
        "float32",
        "mag/d",
        "Slope of the magnitudes in r of a listed young star; null with too few points.",
        indexed=False,
    ),
    "young_star_r_squared": Column(
        "float32", doc="Share of their variance that the slope explains, 0 to 1.", indexed=False
    ),
    "is_young_star_changing": Column("bool", doc="A listed young star that brightens or fades steadily."),
}


@science_module(version="1", outputs=OUTPUTS)
def young_stellar_object(
    light_curve: LightCurves,
    spicy_class: NDArray[Any],
    simbad_type: NDArray[Any],
    vsx_type: NDArray[Any],
    *,
    min_slope: float = 0.025,
    min_r_squared: float = 0.6,
    min_points: int = 5,
    band: str = "r",
) -> dict[str, NDArray[Any]]:
    """Fink's rule for SPICY candidates, for young stars of SIMBAD and VSX as well.

    Changing: the slope of at least `min_points` detections in `band` exceeds `min_slope` mag/d either way, and a
    straight line explains `min_r_squared` of their weighted variance.

    References
    ----------
    Kuhn et al. 2021, ApJS 254, 33 (SPICY); Fink's filter yso_spicy_candidates.
    """
    is_listed = np.array([name not in _NO_SPICY for name in spicy_class], bool)
    is_listed |= np.array([name in _SIMBAD for name in simbad_type], bool)
    is_listed |= np.array([_is_young(name) for name in vsx_type], bool)
    curve, code = light_curve, BANDS.index(band)
    keep = (curve.kind == DETECTION) & (curve.flux > 0) & (curve.flux_err > 0) & (curve.band == code)
    order, parts = by_band(curve.offsets, np.zeros(len(curve.band), np.int8), keep, 1)
    flux, err = curve.flux[order].astype(np.float64), curve.flux_err[order]
    line = line_sums(curve.mjd[order], mag_from_flux(flux), mag_err_from_flux(flux, err), parts)
    known = np.where(is_listed & (line.n >= max(min_points, 3)), 1.0, np.nan)
    slope, r_squared = line.slope * known, line.r_squared * known
    return {
        "is_young_star": is_listed,
        "young_star_slope": slope,
        "young_star_r_squared": r_squared,
        "is_young_star_changing": (np.abs(slope) > min_slope) & (r_squared > min_r_squared),
    }


def _is_young(vsx_type: str | None) -> bool:
    """Whether one of the types in a VSX string like ``TTS/ROT|UG:`` is a young star's."""
    words = (vsx_type or "").replace("|", "/").replace("+", "/").split("/")
    return any(word.strip().rstrip(":") in _VSX for word in words)
