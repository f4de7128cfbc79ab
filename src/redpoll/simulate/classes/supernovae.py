"""Functions for classes of extragalactic transients: redshifts and times."""

from __future__ import annotations

import numpy as np

from redpoll.simulate.classes.contract import Array, Epochs, Window
from redpoll.simulate.distance import luminosity_distance, redshift_at

_Z = np.geomspace(0.0023, 3.0, 2000)
_VOLUME = (luminosity_distance(_Z) / (1.0 + _Z)) ** 3


def draw_redshift(rng: np.random.Generator, peak_mag: Array, window: Window) -> Array:
    """Redshifts filling the volume out to where an object of this absolute peak magnitude meets the depth.

    The volume is Euclidean, with a minimum distance of 10 Mpc.
    """
    reach = redshift_at(np.clip(window.depth + 0.3 - peak_mag, 31.0, 46.0))
    return np.asarray(np.maximum(np.minimum(reach, 2.0) * rng.random(len(peak_mag)) ** (1 / 3), 0.0023))


def draw_cosmic_redshift(rng: np.random.Generator, peak_mag: Array, window: Window, *, evolution: float) -> Array:
    """Redshifts of a rate a comoving volume and year of its own that grows as (1 + z)^`evolution`, to the depth.

    The volume is that of the cosmology, to redshift 3, beyond which hydrogen absorbs g; time passes slower by 1 + z.
    As in `draw_redshift`, it ends where an object of this absolute peak magnitude meets the depth; at least 10 Mpc.
    """
    rate = (1.0 + _Z) ** (evolution - 1.0)
    number = np.cumsum(np.diff(_VOLUME, prepend=0.0) * rate)
    reach = np.minimum(redshift_at(np.clip(window.depth + 0.3 - peak_mag, 31.0, 48.0)), 3.0)
    return np.asarray(np.interp(rng.random(len(peak_mag)) * np.interp(reach, _Z, number), number, _Z))


def draw_time(rng: np.random.Generator, n: int, window: Window, *, before: float, after: float) -> Array:
    """Times [MJD] spread evenly from `before` days before the window to `after` days after its end."""
    return rng.uniform(window.start - before, window.end + after, n)


def rest_age(since: Array, redshift: Array, epochs: Epochs) -> Array:
    """Rest-frame days since the time `since` of each epoch's object."""
    return np.asarray((epochs.mjd - since[epochs.index]) / (1.0 + redshift[epochs.index]))
