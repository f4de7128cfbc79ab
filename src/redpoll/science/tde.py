"""Science module: tidal disruption event candidates.

A tidal disruption event is the disruption of a star by the massive black hole at the centre of a galaxy.
"""

from __future__ import annotations

from redpoll import Column, flag, science_module
from redpoll.conditions import is_solar_system
from redpoll.typing import Arrays, Bools, Floats, Texts

OUTPUTS = {
    "is_tde_candidate": flag("Nuclear, hot, blue and slow; false if unknown.", assigns="tde"),
    "is_nuclear": Column("bool", doc="Within max_offset_arcsec of a galaxy's centre; false if no galaxy is known."),
}


@science_module(version="3", outputs=OUTPUTS)
def tde(
    is_good: Bools,
    age: Floats,
    star_score: Floats,
    star_distance_arcsec: Floats,
    host_arcsec: Floats,
    rainbow_rise_time: Floats,
    rainbow_temperature: Floats,
    rainbow_rise_snr: Floats,
    rainbow_rise_chi2: Floats,
    colour_g_r: Floats,
    colour_g_r_err: Floats,
    roid: Texts,
    *,
    max_offset_arcsec: float = 0.8,
    max_star_score: float = 0.5,
    min_age: float = 12.0,
    min_temperature: float = 10_000.0,
    min_rise_time: float = 4.0,
    max_rise_time: float = 50.0,
    max_colour: float = 0.0,
    min_snr: float = 7.0,
    max_chi2: float = 5.0,
) -> Arrays:
    """Tidal disruption event candidates: at the centre of a galaxy, a slow rise of a hot blackbody that stays blue.

    Tidal disruption events stay at 10,000 to 40,000 K for months and have g - r below zero, whereas supernovae cool
    within weeks of their explosion: asked `min_age` days after the first detection, and with a rise slower than
    `min_rise_time`, the rule leaves out the blue young type Ia supernovae in the centres of their galaxies. The centre
    is that of the nearest catalogued galaxy (`host_arcsec`), or a source of the survey's reference catalogue that is
    known not to be a star. Blue flares of active galaxies pass this rule too: compare the classes from catalogues.

    References
    ----------
    Gezari 2021, ARA&A 59, 21; van Velzen et al. 2021, ApJ 908, 4; Hammerstein et al. 2023, ApJ 942, 9.
    """
    is_extended = (star_distance_arcsec <= max_offset_arcsec) & (star_score < max_star_score)
    is_nuclear = (host_arcsec <= max_offset_arcsec) | is_extended
    is_hot = (rainbow_temperature >= min_temperature) & (colour_g_r + colour_g_r_err <= max_colour)
    is_slow = (rainbow_rise_time >= min_rise_time) & (rainbow_rise_time <= max_rise_time) & (age >= min_age)
    is_fitted = (rainbow_rise_snr >= min_snr) & (rainbow_rise_chi2 <= max_chi2)
    return {
        "is_tde_candidate": is_good & is_nuclear & is_hot & is_slow & is_fitted & ~is_solar_system(roid),
        "is_nuclear": is_nuclear,
    }
