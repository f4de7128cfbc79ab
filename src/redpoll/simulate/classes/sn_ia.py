"""Type Ia supernova: a surface of magnitude over phase and wavelength, stretched and coloured.

The surface is a coarse table of the mean normal Ia (broad-band shapes of Leibundgut 1988 and Nugent et al. 2002, with
the second maximum in the infrared), and standardised as in SALT2 (Guy et al. 2007; alpha 0.14, beta 3.1).
K-corrections come from reading the surface at the rest-frame wavelength of the band.
"""

from __future__ import annotations

import numpy as np

from redpoll.astro.photometry import flux_from_mag
from redpoll.simulate.blackbody import EFFECTIVE_WAVELENGTH
from redpoll.simulate.classes.contract import Array, Environment, Epochs, Parameters, Window
from redpoll.simulate.classes.supernovae import draw_redshift, draw_time, rest_age
from redpoll.simulate.distance import distance_modulus

_PHASE = np.array([-18.0, -15, -10, -5, 0, 5, 10, 15, 20, 25, 30, 40, 60, 80, 120])
_WAVELENGTH = np.array([250.0, 300, 360, 440, 550, 650, 800, 900, 1020])
_PEAK_COLOUR = np.array([3.2, 1.7, 0.34, -0.09, 0.02, 0.21, 0.70, 0.75, 0.95])  # AB, less B
_SHAPE = np.array(
    [  # magnitudes below the B-band peak at each phase, one row a wavelength
        [6.2, 3.0, 0.8, 0.05, 0.10, 0.6, 1.3, 2.1, 2.8, 3.2, 3.5, 3.9, 4.4, 4.9, 5.9],
        [6.0, 2.9, 0.75, 0.05, 0.10, 0.55, 1.2, 1.95, 2.6, 3.0, 3.3, 3.6, 4.1, 4.6, 5.6],
        [5.9, 2.8, 0.75, 0.1, 0.08, 0.45, 1.05, 1.75, 2.35, 2.8, 3.1, 3.4, 3.9, 4.4, 5.4],
        [5.8, 2.6, 0.95, 0.22, 0.0, 0.2, 0.62, 1.1, 1.66, 2.16, 2.52, 2.9, 3.22, 3.5, 4.1],
        [5.6, 2.4, 0.92, 0.26, 0.02, 0.03, 0.27, 0.62, 0.94, 1.28, 1.6, 2.08, 2.65, 3.15, 4.1],
        [5.5, 2.3, 0.85, 0.23, 0.02, 0.05, 0.35, 0.63, 0.72, 0.87, 1.12, 1.67, 2.4, 3.0, 4.2],
        [5.4, 2.1, 0.78, 0.18, 0.05, 0.22, 0.55, 0.72, 0.62, 0.48, 0.6, 1.2, 2.1, 2.8, 4.0],
        [5.4, 2.1, 0.8, 0.2, 0.08, 0.3, 0.6, 0.7, 0.55, 0.4, 0.5, 1.1, 2.1, 2.9, 4.2],
        [5.4, 2.1, 0.8, 0.25, 0.2, 0.5, 0.8, 0.75, 0.45, 0.25, 0.35, 1.0, 2.1, 3.0, 4.4],
    ]
)
_COLOUR_LAW = np.array([3.6, 2.5, 0.75, 0.0, -1.0, -1.55, -2.2, -2.5, -2.8])  # mag per unit of c, less B
_ABSOLUTE_MAG = -19.3


def surface(phase: Array, wavelength: Array, colour: Array) -> Array:
    """Magnitude below the B-band peak at rest-frame phases [d] and wavelengths [nm]; bilinear in the table."""
    row = np.clip(np.searchsorted(_WAVELENGTH, wavelength) - 1, 0, len(_WAVELENGTH) - 2)
    weight = np.clip((wavelength - _WAVELENGTH[row]) / (_WAVELENGTH[row + 1] - _WAVELENGTH[row]), 0.0, 1.0)
    mag = np.empty(len(phase))
    for k in np.unique(row):
        these = row == k
        low, high = (
            np.interp(phase[these], _PHASE, _SHAPE[j]) + _PEAK_COLOUR[j] + colour[these] * _COLOUR_LAW[j]
            for j in (k, k + 1)
        )
        mag[these] = low + weight[these] * (high - low)
    return mag


class SNIa:
    """Type Ia supernova; see the module."""

    name, moves = "sn_ia", False
    environment: Environment = "host"

    def draw(self, rng: np.random.Generator, n: int, window: Window) -> Parameters:
        """Stretch x1, colour c, redshift and time of the B maximum."""
        x1 = rng.normal(-0.2, 1.0, n).clip(-3, 3)
        c = (rng.normal(-0.06, 0.06, n) + rng.exponential(0.07, n)).clip(-0.3, 0.5)
        peak = _ABSOLUTE_MAG - 0.14 * x1 + 3.1 * c + rng.normal(0.0, 0.1, n)
        z = draw_redshift(rng, peak, window)
        peak_mjd = draw_time(rng, n, window, before=70.0, after=12.0)
        return {"x1": x1, "c": c, "absolute_mag": peak, "redshift": z, "peak_mjd": peak_mjd}

    def flux(self, parameters: Parameters, epochs: Epochs, rng: np.random.Generator) -> Array:
        """Flux [nJy]: zero before phase -18 d and after 120 d."""
        stretch = 1.0 + 0.091 * parameters["x1"]
        phase = rest_age(parameters["peak_mjd"], parameters["redshift"], epochs) / stretch[epochs.index]
        on = (phase > _PHASE[0]) & (phase < _PHASE[-1])
        who = epochs.index[on]
        rest = EFFECTIVE_WAVELENGTH[epochs.band[on]] / (1.0 + parameters["redshift"][who])
        mag = surface(phase[on], rest, parameters["c"][who]) + parameters["absolute_mag"][who]
        z = parameters["redshift"]
        flux = np.zeros(len(phase))
        # a flux density per frequency gains 1 + z
        flux[on] = flux_from_mag(mag + (distance_modulus(z) - 2.5 * np.log10(1.0 + z))[who])
        return flux

    def reference_mag(self, parameters: Parameters) -> None:
        """None: absent in the template."""
        return None
