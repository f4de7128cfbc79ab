"""Afterglow of a gamma-ray burst that was not detected: a jet with sharp edges, seen at an angle (Granot et al. 2002).

On the axis the flux falls as t^(-3(p-1)/4) until the jet's edge comes into view, then as t^-p (Sari, Piran & Halpern
1999). From an angle the source is the one on the axis with time and frequency scaled by
a = 1 / (1 + (Lorentz factor x angle)^2) and the flux by a^3 (Granot et al. 2002, ApJ 570, L61, model 1; cf. van Eerten
et al. 2010, ApJ 722, 235): it rises late, then joins the t^-p. The afterglows that ZTF found are red (g - r > 0), fade
by more than 1 mag/d, have hosts fainter than r = 23 and redshifts of 0.9 to 2.9 (Ho et al. 2022, ApJ 938, 85).
"""

from __future__ import annotations

import numpy as np

from redpoll.astro.photometry import flux_from_mag
from redpoll.simulate.blackbody import EFFECTIVE_WAVELENGTH
from redpoll.simulate.classes.contract import Array, Environment, Epochs, Parameters, Window
from redpoll.simulate.classes.supernovae import draw_cosmic_redshift, draw_time, rest_age
from redpoll.simulate.distance import distance_modulus

_GRID = np.geomspace(1e-3, 1e3, 300)  # times on the axis over that of the jet break
_R = 2
_BREAK_SHARPNESS = 3.0


def axial_flux(t: Array, p: Array) -> Array:
    """Flux on the axis over that of either power law at the jet break, at times `t` over the break's; `p` (n, 1)."""
    early, late = 0.75 * (p - 1.0), p
    s = _BREAK_SHARPNESS
    return np.asarray((t ** (s * early) + t ** (s * late)) ** (-1.0 / s))


def seen_from(angle: Array, p: Array, beta: Array) -> tuple[Array, Array]:
    """Logarithms (n, k) of time and flux in units of the jet break's, seen at angles outside of the jet.

    Angles over the jet's half-opening angle, from its edge; at the break the Lorentz factor is its inverse.
    """
    lorentz_squared = np.where(_GRID < 1.0, _GRID**-0.75, 1.0 / _GRID)
    scale = 1.0 / (1.0 + lorentz_squared * angle[:, None] ** 2)
    flux = scale ** (3.0 + beta[:, None]) * axial_flux(_GRID, p[:, None])
    return np.log(_GRID / scale), np.log(flux)


class OrphanAfterglow:
    """Orphan afterglow; see the module."""

    name, moves = "orphan_afterglow", False
    environment: Environment = "dwarf"

    def draw(self, rng: np.random.Generator, n: int, window: Window) -> Parameters:
        """Magnitude on the axis at the break at redshift 1, break [rest d], p, slope of the spectrum, angle, redshift.

        Magnitudes and breaks as of long bursts (Kann et al. 2010, ApJ 720, 1513: R of 16 to 24 at one day and z = 1).
        Angles are random directions within three half-opening angles; inside of the jet, "orphan" means a missed burst.
        """
        mag = rng.normal(20.0, 1.6, n)
        return {
            "break_mag": mag,
            "break_days": np.exp(rng.normal(np.log(0.6), 0.6, n)),
            "electron_index": rng.normal(2.3, 0.15, n).clip(2.05, 2.8),
            "spectral_slope": rng.normal(0.85, 0.2, n).clip(0.5, 1.3),
            "view_angle": np.maximum(3.0 * np.sqrt(rng.random(n)) - 1.0, 0.0),
            "redshift": draw_cosmic_redshift(rng, mag - 3.0 - distance_modulus(1.0), window, evolution=1.5),
            "burst_mjd": draw_time(rng, n, window, before=12.0, after=-0.02),
        }

    def flux(self, parameters: Parameters, epochs: Epochs, rng: np.random.Generator) -> Array:
        """Flux [nJy]: zero before the burst and in the first minute after it."""
        p, z = parameters, parameters["redshift"]
        age = rest_age(p["burst_mjd"], z, epochs)
        on = age > 1.0 / 1440.0
        who, t = epochs.index[on], np.log(age[on] / p["break_days"][epochs.index[on]])
        times, fluxes = seen_from(p["view_angle"], p["electron_index"], p["spectral_slope"])
        beta = p["spectral_slope"][who]
        colour = (EFFECTIVE_WAVELENGTH[epochs.band[on]] / EFFECTIVE_WAVELENGTH[_R]) ** beta
        farther = 10.0 ** (-0.4 * (distance_modulus(z) - distance_modulus(1.0))[who]) * ((1.0 + z[who]) / 2) ** (
            1 - beta
        )
        peak = flux_from_mag(p["break_mag"])[who] * 2.0 ** (1.0 / _BREAK_SHARPNESS)
        flux = np.zeros(len(age))
        flux[on] = peak * colour * farther * np.exp(_at(t, who, times, fluxes))
        return flux

    def reference_mag(self, parameters: Parameters) -> None:
        """None: absent in the template."""
        return None


def _at(t: Array, who: np.ndarray, times: Array, fluxes: Array) -> Array:
    """Curve of each object, rows of `times` and `fluxes`, at the times `t` of its epochs; straight beyond its ends."""
    k = np.zeros(len(t), np.int64)
    for column in times[:, 1:-1].T:
        k += t > column[who]
    weight = (t - times[who, k]) / (times[who, k + 1] - times[who, k])
    return np.asarray(fluxes[who, k] * (1 - weight) + fluxes[who, k + 1] * weight)
