"""Simulated objects of any class, standardised as if they were SNe Ia: what a misclassified one does to a diagram."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from redpoll.astro.photometry import mag_from_flux
from redpoll.simulate.blackbody import EFFECTIVE_WAVELENGTH
from redpoll.simulate.classes import CLASSES
from redpoll.simulate.classes.contract import Epochs, Window
from redpoll.simulate.classes.sn_ia import surface

Array = NDArray[np.float64]
ALPHA, BETA, ABSOLUTE_MAG = 0.14, 3.1, -19.3
"""Tripp's slopes for stretch and colour and the magnitude of a SN Ia: those that the simulator's SNe Ia have."""
SPREAD = 0.12
"""Scatter of standardised SNe Ia [mag]: 0.10 in the simulator, and what the fit adds."""
MAX_STRETCH, MAX_COLOUR = 3.0, 0.3
"""Bounds of stretch and colour: the cuts of a cosmological sample (Betoule et al. 2014, A&A 568, A22, table 6)."""
_BANDS = np.array([1, 2, 3, 4])  # g, r, i, z
_STEP, _BEFORE, _AFTER = 4.0, 260.0, 320.0
_PHASES = (-12.0, 35.0)
_REST = (300.0, 800.0)
_STRETCHES = np.linspace(-MAX_STRETCH, MAX_STRETCH, 13)
_B = 440.0


@dataclass(frozen=True)
class Standardised:
    """Redshift, distance modulus as if of a SN Ia, magnitude at maximum; is the fit within the bounds?"""

    redshift: Array
    mu: Array
    peak_mag: Array
    in_bounds: NDArray[np.bool_]


def standardised(kind: str, rng: np.random.Generator, n: int, depth: float) -> Standardised:
    """Bright ones of `n` draws of a simulated class, with the light curve of a SN Ia fitted to each, without noise.

    The fit has four parameters, as SALT has: time of maximum, brightness, stretch and colour, the last two within the
    bounds of a cosmological sample: another class ends at a bound where its light curve is no SN Ia's. Objects fainter
    than `depth` at maximum, in the band next to B at rest, are left out.

    References
    ----------
    Tripp 1998, A&A 331, 815; Guy et al. 2007, A&A 466, 11.
    """
    window = Window(0.0, 1.0, depth, 10.0)
    parameters = CLASSES[kind].draw(rng, n, window)
    z = parameters["redshift"]
    mjd = np.arange(-_BEFORE, _AFTER, _STEP)
    flux = light_curves(kind, parameters, mjd, rng)
    near_b = np.abs(EFFECTIVE_WAVELENGTH[_BANDS] / (1.0 + z[:, None]) - _B).argmin(axis=1)
    own = flux[np.arange(n), near_b]
    peak_mag, at = mag_from_flux(own.max(axis=1).clip(min=1e-9)), own.argmax(axis=1)
    phase = (mjd - mjd[at][:, None]) / (1.0 + z[:, None])
    mag, stretch, colour = _fitted(flux, phase, z)
    good = peak_mag < depth
    mu = mag + ALPHA * stretch - BETA * colour - ABSOLUTE_MAG
    in_bounds = (np.abs(stretch) < MAX_STRETCH) & (np.abs(colour) < MAX_COLOUR)
    return Standardised(z[good], mu[good], peak_mag[good], in_bounds[good])


def light_curves(kind: str, parameters: dict[str, Array], mjd: Array, rng: np.random.Generator) -> Array:
    """Flux without noise [nJy] in g, r, i and z of objects with these parameters, shape (objects, 4, times)."""
    n, each = len(parameters["redshift"]), len(_BANDS) * len(mjd)
    epochs = Epochs(
        np.arange(n + 1) * each, np.repeat(np.arange(n), each), np.tile(np.repeat(mjd, len(_BANDS)), n),
        np.tile(_BANDS, n * len(mjd)), np.ones(n * each), np.ones(n * each, bool),
    )  # fmt: skip
    flux = CLASSES[kind].flux(parameters, epochs, rng)
    return flux.reshape(n, len(mjd), len(_BANDS)).swapaxes(1, 2)


def _fitted(flux: Array, phase: Array, z: Array) -> tuple[Array, Array, Array]:
    """Magnitude at maximum in B, stretch and colour of the SN Ia most like each object; all points weigh the same."""
    rest = EFFECTIVE_WAVELENGTH[_BANDS] / (1.0 + z[:, None])
    used = (phase > _PHASES[0]) & (phase < _PHASES[1])
    used = used[:, None, :] & ((rest > _REST[0]) & (rest < _REST[1]))[:, :, None] & (flux > 0)
    mag = mag_from_flux(np.where(used, flux, 1.0)) + 2.5 * np.log10(1.0 + z)[:, None, None]
    trials = [_line(used, mag, phase / (1.0 + 0.091 * x1), rest) for x1 in _STRETCHES]
    misfit, bright, colour = (np.array([trial[k] for trial in trials]) for k in range(3))
    best = misfit.argmin(axis=0)
    own = np.arange(len(z))
    return bright[best, own], _refined(misfit, best), colour[best, own]


def _line(used: NDArray[np.bool_], mag: Array, phase: Array, rest: Array) -> tuple[Array, Array, Array]:
    """Mean squared misfit, brightness and colour of the best SN Ia of one stretch: linear least squares."""
    phase, rest = np.broadcast_arrays(phase[:, None, :], rest[:, :, None])
    flat = phase[used], rest[used]
    table, law = np.zeros(mag.shape), np.zeros(mag.shape)
    table[used] = surface(*flat, np.zeros(len(flat[0])))
    law[used] = surface(*flat, np.ones(len(flat[0]))) - table[used]
    count = np.maximum(used.sum(axis=(1, 2)), 1)

    def mean(values: Array) -> Array:
        return np.asarray((values * used).sum(axis=(1, 2)) / count)

    y, x = mag - table, law
    mean_x, mean_y = mean(x), mean(y)
    variance = np.maximum(mean(x * x) - mean_x**2, 1e-9)
    colour = np.clip((mean(x * y) - mean_x * mean_y) / variance, -MAX_COLOUR, MAX_COLOUR)
    bright = mean_y - colour * mean_x
    return mean((y - bright[:, None, None] - colour[:, None, None] * x) ** 2), bright, colour


def _refined(misfit: Array, best: NDArray[np.int64]) -> Array:
    """Stretch at the minimum of the parabola through the three lowest trials."""
    middle, own = best.clip(1, len(_STRETCHES) - 2), np.arange(misfit.shape[1])
    low, here, high = (misfit[middle + k, own] for k in (-1, 0, 1))
    step = np.where(middle == best, 0.5 * (low - high) / np.maximum(low - 2 * here + high, 1e-12), best - middle)
    return np.asarray(_STRETCHES[middle] + step * (_STRETCHES[1] - _STRETCHES[0]))
