"""RR Lyrae star of type ab: a steep rise and slow fall, as a Fourier series of five terms.

Amplitude ratios and phases typical of RRab (Sesar et al. 2010; Simon & Lee 1981); amplitudes fall to the red. Periods,
amplitudes and colours were set to the medians and widths of 146 stars of Stripe 82 (half 0 of `benchmarks/realism.py`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll.simulate.classes.contract import Array, Environment, Epochs, Parameters, Window
from redpoll.simulate.classes.stars import difference_flux, draw_mag, stellar_mags

_RATIO = np.array([1.0, 0.50, 0.35, 0.22, 0.13])
_PHASE = np.array([0.0, 3.9, 1.7, 5.9, 3.8])  # less k times that of the first term
_BAND_AMPLITUDE = np.array([0.96, 1.0, 0.71, 0.57, 0.53, 0.52])
_BEYOND_LOCUS = np.array([0.36, 0.0, 0.0, -0.02, -0.02, -0.02])
_GRID = np.linspace(0.0, 1.0, 257)


def _shape() -> Array:
    k = np.arange(1, 6)[:, None]
    wave = (_RATIO[:, None] * np.cos(2 * np.pi * k * _GRID + _PHASE[:, None])).sum(0)
    return np.asarray((wave - wave[:-1].mean()) / np.ptp(wave))


_WAVE = _shape()


class RRLyrae:
    """RR Lyrae star of type ab; see the module."""

    name, moves = "rr_lyrae", False
    environment: Environment = "star"

    def draw(self, rng: np.random.Generator, n: int, window: Window) -> Parameters:
        """Period [d], g amplitude [mag], phase at the window's start, mean r magnitude, colour."""
        period = rng.normal(0.585, 0.07, n).clip(0.4, 0.9)
        return {
            "period": period,
            "amplitude": (1.06 - 2.5 * (period - 0.55) + rng.normal(0, 0.2, n)).clip(0.25, 1.5),
            "epoch_mjd": window.start - period * rng.random(n),
            "mean_mag": draw_mag(rng, n, window, beyond=-0.5),
            "g_minus_r": rng.normal(0.27, 0.05, n),
        }

    def flux(self, parameters: Parameters, epochs: Epochs, rng: np.random.Generator) -> Array:
        """Flux [nJy] above the star's mean magnitude."""
        p = {
            key: value[epochs.index] for key, value in parameters.items() if key in ("period", "amplitude", "epoch_mjd")
        }
        phase = np.mod((epochs.mjd - p["epoch_mjd"]) / p["period"], 1.0)
        delta = np.interp(phase, _GRID, _WAVE) * p["amplitude"] * _BAND_AMPLITUDE[epochs.band]
        return difference_flux(self.reference_mag(parameters), delta, epochs)

    def reference_mag(self, parameters: Parameters) -> NDArray[np.float64]:
        """Mean magnitudes; u is fainter than on the stellar locus, as in all stars of the horizontal branch."""
        return np.asarray(stellar_mags(parameters["mean_mag"], parameters["g_minus_r"]) + _BEYOND_LOCUS)
