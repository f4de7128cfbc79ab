"""Science module: catalogued young stellar objects, and whether they brighten or fade steadily."""

from __future__ import annotations

import numpy as np

from redpoll import Column, feature, flag, science_module
from redpoll.conditions import is_listed
from redpoll.curve_fitting import line_sums
from redpoll.light_curves import BANDS, LightCurves, is_positive_detection
from redpoll.photometry import mag_err_from_flux, mag_from_flux
from redpoll.typing import Arrays, Texts

_SIMBAD = frozenset(
    ("YSO", "Y*O", "YSO_Candidate", "Candidate_YSO", "Y*?", "TTau*", "TT*", "TTau*_Candidate", "Candidate_TTau*", "TT?",
     "Ae*", "Ae*_Candidate", "Ae?", "Orion_V*", "OrionV*", "Or*", "FUOr", "FU*", "Outflow", "HH"),
)  # fmt: skip
_VSX = frozenset(("YSO", "TTS", "CTTS", "WTTS", "INT", "INST", "IT", "INA", "INSA", "IA", "IN", "INS", "INB", "INSB",
                  "FU", "FUOR", "EXOR", "UXOR", "DIP"))  # fmt: skip
_NO_SPICY = frozenset((None, "", "uncertain"))
OUTPUTS = {
    "is_young_star": flag("SPICY, SIMBAD or VSX list a young stellar object at this position.", assigns="yso"),
    "young_star_slope": feature("mag/d", "Slope of the r magnitudes of a listed young star; null with too few points."),
    "young_star_r_squared": feature("", "Fraction of their variance that the slope explains, 0 to 1."),
    "is_young_star_changing": Column("bool", doc="A listed young star that brightens or fades steadily."),
}


@science_module(version="1", outputs=OUTPUTS)
def young_stellar_object(
    light_curve: LightCurves,
    spicy_class: Texts,
    simbad_type: Texts,
    vsx_type: Texts,
    *,
    min_slope: float = 0.025,
    min_r_squared: float = 0.6,
    min_points: int = 5,
    band: str = "r",
) -> Arrays:
    """Young stellar objects of SPICY, SIMBAD and VSX, and those that change, by Fink's rule for SPICY candidates.

    Changing: the slope of at least `min_points` detections in `band` exceeds `min_slope` mag/d in either direction, and
    a straight line explains the fraction `min_r_squared` of their weighted variance.

    References
    ----------
    Kuhn et al. 2021, ApJS 254, 33 (SPICY); Fink's filter yso_spicy_candidates.
    """
    is_young = ~is_listed(spicy_class, _NO_SPICY) | is_listed(simbad_type, _SIMBAD)
    is_young |= np.fromiter((_is_young(name) for name in vsx_type), bool, len(vsx_type))
    keep = is_positive_detection(light_curve) & (light_curve.flux_err > 0) & (light_curve.band == BANDS.index(band))
    curve = light_curve.kept(keep)
    line = line_sums(curve.mjd, mag_from_flux(curve.flux), mag_err_from_flux(curve.flux, curve.flux_err), curve.offsets)
    is_known = is_young & (line.n >= max(min_points, 3))
    slope, r_squared = (np.where(is_known, values, np.nan) for values in (line.slope, line.r_squared))
    return {
        "is_young_star": is_young,
        "young_star_slope": slope,
        "young_star_r_squared": r_squared,
        "is_young_star_changing": (np.abs(slope) > min_slope) & (r_squared > min_r_squared),
    }


def _is_young(vsx_type: str | None) -> bool:
    """Whether one of the types in a VSX string like ``TTS/ROT|UG:`` is a young star's."""
    words = (vsx_type or "").replace("|", "/").replace("+", "/").split("/")
    return any(word.strip().rstrip(":") in _VSX for word in words)
