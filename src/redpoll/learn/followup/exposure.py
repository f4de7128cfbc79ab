"""Time to reach a signal-to-noise ratio: photons of source and sky, dark current and read noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from redpoll.learn.followup.telescope import Telescope

Array = NDArray[np.float64]
PHOTONS = 3631e-26 / 6.62607015e-34
"""Photons of a source of AB magnitude 0 a second, square metre and unit of ln(wavelength): 3631 Jy over Planck's h."""
_EFFECTIVE_AREA = 2.266
"""Noise-equivalent area of a Gaussian image in units of its full width squared (King 1983, PASP 95, 163)."""
_ROUNDS = 8


@dataclass(frozen=True)
class ExposureTimes:
    """Number of exposures, seconds of each, and seconds in all with readout; infinite where it takes too long."""

    number: Array
    seconds: Array
    total: Array


def electrons(mag: Array, telescope: Telescope) -> Array:
    """Electrons a second of a source of this AB magnitude as it arrives at the telescope.

    >>> four_metre = Telescope(aperture=4.0, obstruction=0.0, throughput=1.0)
    >>> float(electrons(np.array(20.0), four_metre).round())
    1528.0
    """
    area = np.pi / 4 * telescope.aperture**2 * (1.0 - telescope.obstruction)
    width = telescope.bandwidth / telescope.wavelength
    return np.asarray(PHOTONS * area * width * telescope.throughput * 10.0 ** (-0.4 * mag))


def signal_to_noise(mag: Array, airmass: Array, sky: Array, seconds: Array, number: Array, at: Telescope) -> Array:
    """Signal-to-noise ratio of a point source after `number` exposures of `seconds` each; see `exposures`."""
    source, noise, read = _rates(mag, airmass, sky, at)
    time = seconds * number
    return np.asarray(source * time / np.sqrt((source + noise) * time + read * number))


def exposures(mag: Array, airmass: Array, sky: Array, at: Telescope) -> ExposureTimes:
    """The exposures that reach the telescope's signal-to-noise ratio.

    The image is a Gaussian, weighted optimally, that widens as airmass to the power 0.6; its source is dimmed by the
    extinction. Time is split evenly into exposures of at most `max_exposure`, each with its read noise.

    Parameters
    ----------
    mag
        AB magnitude above the atmosphere.
    airmass
        Where it is.
    sky
        Brightness of the sky there [mag per square arcsec].
    at
        The telescope.

    References
    ----------
    Howell 2006, Handbook of CCD Astronomy, section 4.4; Roddier 1981, Progress in Optics 19, 281 (seeing).
    """
    source, noise, read = _rates(mag, airmass, sky, at)
    number = np.ones(np.broadcast_shapes(source.shape, noise.shape))
    wanted = at.signal_to_noise**2
    for _ in range(_ROUNDS):  # more exposures read more noise, which may take one more
        flow = wanted * (source + noise)
        time = (flow + np.sqrt(flow**2 + 4 * source**2 * wanted * read * number)) / (2 * source**2)
        needed = np.maximum(np.ceil(time / at.max_exposure), 1.0)
        if (needed <= number).all():
            break
        number = np.maximum(number, needed)
    seconds = np.ceil(time / number)
    fits = (number * seconds <= at.max_minutes * 60.0) & (needed <= number)
    total = np.where(fits, number * (seconds + at.readout), np.inf)
    return ExposureTimes(number, seconds, total)


def _rates(mag: Array, airmass: Array, sky: Array, at: Telescope) -> tuple[Array, Array, Array]:
    """Electrons a second of the source and of what lies below it, and the square of the read noise of an exposure."""
    source = np.maximum(electrons(mag + at.extinction * airmass, at), 1e-30)
    area = _EFFECTIVE_AREA * (at.seeing * airmass**0.6) ** 2
    pixels = area / at.pixel**2
    return source, electrons(sky, at) * area + at.dark_current * pixels, at.read_noise**2 * pixels
