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
_INFRARED = np.array([0.0, 0.0, 0.0, -0.008, -0.008, -0.008])  # beyond the stellar locus
_LIGHT = ("period", "amplitude", "epoch_mjd", "band_contrast")
_GRID = np.linspace(0.0, 1.0, 257)
_SHARPNESS = np.linspace(0.4, 1.2, 17)


def _shapes() -> Array:
    """One wave a sharpness, of mean zero and unit range: the k-th term is as the k-th power of the sharpness."""
    k = np.arange(5)[:, None, None]
    waves = (_RATIO[:, None, None] * np.cos(2 * np.pi * (k + 1) * _GRID + _PHASE[:, None, None])
             * _SHARPNESS[:, None] ** k).sum(0)  # fmt: skip
    return np.asarray((waves - waves[:, :-1].mean(axis=1, keepdims=True)) / np.ptp(waves, axis=1)[:, None])


_WAVES = _shapes()


def wave(phase: Array, amplitude: Array) -> Array:
    """Magnitude above the mean, of unit range, at each phase 0 to 1 of a star of this g amplitude: sharper if large."""
    sharpness = np.clip(0.42 + 0.5 * amplitude, _SHARPNESS[0], _SHARPNESS[-1])
    row = np.rint((sharpness - _SHARPNESS[0]) / (_SHARPNESS[1] - _SHARPNESS[0])).astype(int)
    at = phase * (len(_GRID) - 1)
    left = np.minimum(at.astype(int), len(_GRID) - 2)
    return np.asarray(_WAVES[row, left] + (at - left) * (_WAVES[row, left + 1] - _WAVES[row, left]))


class RRLyrae:
    """RR Lyrae star of type ab; see the module."""

    name, moves = "rr_lyrae", False
    environment: Environment = "star"

    def draw(self, rng: np.random.Generator, n: int, window: Window) -> Parameters:
        """Period [d], g amplitude [mag], phase at the window's start, mean r magnitude, colours.

        ``band_contrast`` scales how much less the amplitudes are than in g.
        """
        period = rng.normal(0.585, 0.07, n).clip(0.4, 0.9)
        amplitude = (1.1 - 2.5 * (period - 0.56) + rng.normal(0, 0.26, n)).clip(0.25, 1.5)
        return {
            "period": period,
            "amplitude": amplitude,
            "epoch_mjd": window.start - period * rng.random(n),
            "mean_mag": draw_mag(rng, n, window, beyond=-0.5),
            "g_minus_r": 0.27 + 0.25 * (period - 0.585) + rng.normal(0, 0.045, n),
            "band_contrast": rng.normal(1.0, 0.09, n),
            "z_excess": rng.normal(0.0, 0.02, n),
            "u_minus_g": rng.normal(1.205, 0.06, n),
        }

    def flux(self, parameters: Parameters, epochs: Epochs, rng: np.random.Generator) -> Array:
        """Flux [nJy] above the star's mean magnitude."""
        p = {name: parameters[name][epochs.index] for name in _LIGHT}
        phase = np.mod((epochs.mjd - p["epoch_mjd"]) / p["period"], 1.0)
        in_band = 1.0 - p["band_contrast"] * (1.0 - _BAND_AMPLITUDE[epochs.band])
        delta = wave(phase, p["amplitude"]) * p["amplitude"] * in_band
        return difference_flux(self.reference_mag(parameters), delta, epochs)

    def reference_mag(self, parameters: Parameters) -> NDArray[np.float64]:
        """Mean magnitudes; u is fainter than on the stellar locus, as in all stars of the horizontal branch."""
        mags = stellar_mags(parameters["mean_mag"], parameters["g_minus_r"]) + _INFRARED
        mags[:, 4:] += parameters["z_excess"][:, None]
        mags[:, 0] = mags[:, 1] + parameters["u_minus_g"]
        return np.asarray(mags)
