"""Main-belt asteroid near opposition: brightness by the HG system (Bowell et al. 1989), motion across the sky."""

from __future__ import annotations

import numpy as np

from redpoll.astro.photometry import flux_from_mag
from redpoll.simulate.classes.contract import Array, Environment, Epochs, Parameters, Window

_COLOUR = np.array([1.75, 0.55, 0.0, -0.17, -0.15, -0.13])  # of the mean asteroid, less r
_G_MINUS_R, _CARBONACEOUS = (0.46, 0.60), 0.45
_V_MINUS_R = 0.22
_G = 1


def hg_mag(h: Array, g: Array, phase_deg: Array, sun_au: Array, earth_au: Array) -> Array:
    """V magnitude of an asteroid.

    Parameters
    ----------
    h, g
        Absolute magnitude and slope.
    phase_deg, sun_au, earth_au
        Phase angle [deg], distances from Sun and Earth [au].
    """
    tangent = np.tan(np.radians(phase_deg) / 2)
    phi1, phi2 = np.exp(-3.33 * tangent**0.63), np.exp(-1.87 * tangent**1.22)
    return np.asarray(h - 2.5 * np.log10((1 - g) * phi1 + g * phi2) + 5 * np.log10(sun_au * earth_au))


class Asteroid:
    """Main-belt asteroid; see the module. Each sighting is an object of its own, at another position."""

    name, moves = "asteroid", True
    environment: Environment = "empty"

    def draw(self, rng: np.random.Generator, n: int, window: Window) -> Parameters:
        """HG parameters, geometry, motion [arcsec/h], rotation [d, mag], colour; predicted V magnitude and its error.

        The colours are those of carbonaceous and of stony asteroids (Ivezic et al. 2001, AJ 122, 2749); their fractions
        and the error were set to 17 asteroids (half 0 of `benchmarks/realism.py`).
        """
        sun, phase = rng.uniform(2.1, 3.3, n), rng.uniform(0.5, 20.0, n)
        earth = np.sqrt(sun**2 - np.sin(np.radians(phase)) ** 2) - np.cos(np.radians(phase))
        g = rng.normal(0.15, 0.05, n).clip(-0.1, 0.5)
        mag = window.depth + 0.3 - rng.exponential(1.6, n).clip(max=6.0)
        rate = 40.0 * (2.4 / sun) ** 1.5 * rng.normal(1.0, 0.15, n)
        direction = rng.normal(np.radians(290.0), 0.2, n)
        return {
            "h": mag - hg_mag(np.zeros(n), g, phase, sun, earth),
            "g": g,
            "phase_angle": phase,
            "sun_distance": sun,
            "earth_distance": earth,
            "v_mag": mag,
            "g_minus_r": np.where(rng.random(n) < _CARBONACEOUS, *_G_MINUS_R) + rng.normal(0.0, 0.05, n),
            "prediction_error": rng.normal(0.0, 0.1, n),
            "rate_ra": rate * np.sin(direction),
            "rate_dec": rate * np.cos(direction),
            "rotation_days": np.exp(rng.normal(np.log(0.3), 0.5, n)),
            "rotation_amplitude": rng.exponential(0.1, n).clip(max=0.6),
            "rotation_phase": rng.uniform(0.0, 2 * np.pi, n),
        }

    def flux(self, parameters: Parameters, epochs: Epochs, rng: np.random.Generator) -> Array:
        """Flux [nJy] where it is at that moment, within the window; zero outside."""
        p = {key: value[epochs.index] for key, value in parameters.items()}
        turn = 4 * np.pi * epochs.mjd / p["rotation_days"] + p["rotation_phase"]
        colour = _COLOUR[epochs.band] + np.where(epochs.band <= _G, p["g_minus_r"] - _COLOUR[_G], 0.0)
        mag = p["v_mag"] + p["prediction_error"] - _V_MINUS_R + colour + p["rotation_amplitude"] * np.sin(turn)
        return np.asarray(np.where(epochs.in_window, flux_from_mag(mag), 0.0))

    def reference_mag(self, parameters: Parameters) -> None:
        """None: elsewhere in the template."""
        return None
