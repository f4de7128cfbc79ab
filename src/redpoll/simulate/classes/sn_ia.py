"""Type Ia supernova: a surface of magnitude over phase and wavelength, stretched and coloured.

The surface is a coarse table of the mean normal Ia (broad-band shapes of Leibundgut 1988 and Nugent et al. 2002, with
the second maximum in the infrared), and standardised as in SALT2 (Guy et al. 2007; alpha 0.14, beta 3.1). Its rows from
300 to 900 nm were trained on the g and r light curves of 586 SNe Ia of the Bright Transient Survey, dereddened, of
known redshift (half 0 of `benchmarks/realism.py`): fit time, stretch, colour and brightness of each with priors, add
the median residual at each phase to the rows, and repeat six times. Their residuals then scatter by 0.05 mag. What is
bluer than rest-frame B and redder than 650 nm follows by guess. K-corrections come from reading the surface at the
rest-frame wavelength of the band. The colour is intrinsic scatter and dust of the host, whose exponential was set to
the colours of the same objects.
"""

from __future__ import annotations

import numpy as np

from redpoll.astro.photometry import flux_from_mag
from redpoll.simulate.blackbody import EFFECTIVE_WAVELENGTH
from redpoll.simulate.classes.contract import Array, Environment, Epochs, Parameters, Window
from redpoll.simulate.classes.supernovae import draw_redshift, draw_time, rest_age
from redpoll.simulate.cubic import cubic
from redpoll.simulate.distance import distance_modulus

_PHASE = np.array(
    [-18, -15, -12, -9, -6, -3, 0, 3, 6, 9, 12, 15, 18, 21, 25, 30, 35, 40, 50, 60, 80, 120], np.float64
)  # fmt: skip
_WAVELENGTH = np.array([250.0, 300, 360, 440, 550, 650, 800, 900, 1020])
_PEAK_COLOUR = np.array([3.32, 1.86, 0.49, 0, 0.09, 0.27, 0.78, 0.86, 1.17])  # AB, less B, at phase 0
_SHAPE = np.array([  # magnitudes below phase 0 at each phase, one row a wavelength
    [6.1, 2.9, 1.58, 0.55, 0.1, -0.03, 0, 0.3, 0.64, 1.06, 1.52, 2, 2.42, 2.78, 3.1, 3.4, 3.6, 3.8, 4.05, 4.3,
     4.8, 5.8],
    [5.99, 2.89, 1.52, 0.47, 0.04, -0.07, 0, 0.25, 0.56, 0.93, 1.37, 1.83, 2.23, 2.57, 2.88, 3.23, 3.41, 3.56,
     3.81, 4.04, 4.47, 5.47],
    [5.95, 2.85, 1.51, 0.48, 0.08, -0.05, 0, 0.19, 0.46, 0.79, 1.2, 1.65, 2.01, 2.35, 2.69, 3.06, 3.26, 3.4,
     3.66, 3.88, 4.28, 5.28],
    [5.99, 2.79, 1.63, 0.72, 0.27, 0.05, 0, 0.08, 0.24, 0.46, 0.74, 1.07, 1.41, 1.75, 2.12, 2.58, 2.84, 3.02,
     3.19, 3.3, 3.44, 4.04],
    [5.83, 2.63, 1.6, 0.76, 0.31, 0.08, 0, -0.01, 0.07, 0.23, 0.46, 0.62, 0.74, 0.87, 1.05, 1.34, 1.67, 1.9,
     2.24, 2.53, 3.02, 3.97],
    [5.74, 2.54, 1.54, 0.71, 0.28, 0.07, 0, 0.01, 0.12, 0.33, 0.55, 0.65, 0.61, 0.58, 0.6, 0.79, 1.15, 1.42,
     1.85, 2.24, 2.85, 4.05],
    [5.48, 2.18, 1.32, 0.61, 0.22, 0.05, 0, 0.1, 0.25, 0.46, 0.62, 0.69, 0.58, 0.47, 0.3, 0.39, 0.74, 1.03,
     1.52, 1.98, 2.69, 3.89],
    [5.4, 2.1, 1.28, 0.6, 0.22, 0.06, 0, 0.13, 0.29, 0.48, 0.59, 0.63, 0.51, 0.4, 0.24, 0.33, 0.65, 0.95,
     1.47, 1.98, 2.78, 4.08],
    [5.2, 1.9, 1.12, 0.49, 0.16, 0.03, 0, 0.18, 0.36, 0.54, 0.58, 0.55, 0.37, 0.21, 0.05, 0.15, 0.48, 0.8,
     1.35, 1.9, 2.8, 4.2],
])  # fmt: skip
_COLOUR_LAW = np.array([3.6, 2.5, 0.75, 0.0, -1.0, -1.55, -2.2, -2.5, -2.8])  # mag per unit of c, less B
_ABSOLUTE_MAG = -19.3
_HOST_DUST = 0.14
_GRID = np.arange(_PHASE[0], _PHASE[-1] + 0.25, 0.5)
_TABLE = np.array([cubic(_PHASE, row, _GRID) for row in _SHAPE]) + _PEAK_COLOUR[:, None]


def surface(phase: Array, wavelength: Array, colour: Array) -> Array:
    """Magnitude below the B-band peak at rest-frame phases [d] and wavelengths [nm], smooth in phase."""
    row = np.clip(np.searchsorted(_WAVELENGTH, wavelength) - 1, 0, len(_WAVELENGTH) - 2)
    weight = np.clip((wavelength - _WAVELENGTH[row]) / (_WAVELENGTH[row + 1] - _WAVELENGTH[row]), 0.0, 1.0)
    mag = np.empty(len(phase))
    for k in np.unique(row):
        these = row == k
        low, high = (np.interp(phase[these], _GRID, _TABLE[j]) + colour[these] * _COLOUR_LAW[j] for j in (k, k + 1))
        mag[these] = low + weight[these] * (high - low)
    return mag


class SNIa:
    """Type Ia supernova; see the module."""

    name, moves = "sn_ia", False
    environment: Environment = "host"

    def draw(self, rng: np.random.Generator, n: int, window: Window) -> Parameters:
        """Stretch x1, colour c, redshift and time of the B maximum."""
        x1 = rng.normal(-0.1, 1.2, n).clip(-3.5, 3.5)
        c = (rng.normal(-0.085, 0.05, n) + rng.exponential(_HOST_DUST, n)).clip(-0.3, 0.8)
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
