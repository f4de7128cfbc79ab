"""Science module: supernovae too luminous or too slow for the common kinds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll import Column, science_module

Floats = NDArray[np.float32]
OUTPUTS = {
    "absolute_peak_mag": Column(
        "float32",
        "mag",
        "Brightest magnitude so far at the distance of the nearest host; null without one.",
        aggregate="min",
    ),
    "is_slsn_candidate": Column(
        "bool",
        doc="Superluminous at its host's distance, and slow; false where it cannot be told.",
        assigns="slsn",
        indexed=False,
    ),
    "is_pair_instability_candidate": Column(
        "bool",
        doc="As slow as the decay of nickel in a massive ejecta; false where it cannot be told.",
        assigns="pair_instability_sn",
        indexed=False,
    ),
}


@science_module(version="1", outputs=OUTPUTS)
def luminous_sn(
    is_good: NDArray[np.bool_],
    mag: Floats,
    peak_mag: Floats,
    shape_rise_time: Floats,
    shape_fall_time: Floats,
    shape_chi2: Floats,
    shape_days: Floats,
    host_distance_modulus: Floats,
    host_d_dlr: Floats,
    roid: NDArray[np.int8],
    *,
    max_absolute_mag: float = -20.5,
    min_rise_time: float = 5.0,
    max_d_dlr: float = 4.0,
    max_chi2: float = 10.0,
    slow_rise_time: float = 15.0,
    slow_fall_time: float = 80.0,
    faint_limit: float = -19.5,
) -> dict[str, NDArray[np.generic]]:
    """Candidates by rule, where a host gives the distance.

    Superluminous: brighter than `max_absolute_mag` and with an exponential rise longer than `min_rise_time`.
    Pair instability: at least `faint_limit`, a rise of `slow_rise_time` and a fall of `slow_fall_time` or more (the
    decay of cobalt 56 is 111 d), seen for at least as long. The magnitude is that of the difference image without
    K-correction or extinction. Hosts count within `max_d_dlr` of their own size, as chance galaxies lie farther out.

    References
    ----------
    Gal-Yam 2019, ARA&A 57, 305; Kasen, Woosley & Heger 2011, ApJ 734, 102; Schulze et al. 2024, A&A 683, A223.
    """
    modulus = np.where(host_d_dlr <= max_d_dlr, host_distance_modulus, np.float32(np.nan))
    absolute = np.fmin(mag, peak_mag) - modulus
    is_fitted = is_good & (shape_chi2 <= max_chi2) & (roid < 2)
    is_slow = (shape_rise_time >= slow_rise_time) & (shape_fall_time >= slow_fall_time) & (shape_days >= slow_fall_time)
    return {
        "absolute_peak_mag": absolute,
        "is_slsn_candidate": is_fitted & (absolute <= max_absolute_mag) & (shape_rise_time >= min_rise_time),
        "is_pair_instability_candidate": is_fitted & is_slow & (absolute <= faint_limit),
    }
