"""Functions for classes of extragalactic transients: redshifts and times."""

from __future__ import annotations

import numpy as np

from redpoll.simulate.classes.contract import Array, Epochs, Window
from redpoll.simulate.distance import redshift_at


def draw_redshift(rng: np.random.Generator, peak_mag: Array, window: Window) -> Array:
    """Redshifts filling the volume out to where an object of this absolute peak magnitude meets the depth.

    The volume is Euclidean, with a minimum distance of 10 Mpc.
    """
    reach = redshift_at(np.clip(window.depth + 0.3 - peak_mag, 31.0, 46.0))
    return np.asarray(np.maximum(np.minimum(reach, 2.0) * rng.random(len(peak_mag)) ** (1 / 3), 0.0023))


def draw_time(rng: np.random.Generator, n: int, window: Window, *, before: float, after: float) -> Array:
    """Times [MJD] spread evenly from `before` days before the window to `after` days after its end."""
    return rng.uniform(window.start - before, window.end + after, n)


def rest_age(since: Array, redshift: Array, epochs: Epochs) -> Array:
    """Rest-frame days since the time `since` of each epoch's object."""
    return np.asarray((epochs.mjd - since[epochs.index]) / (1.0 + redshift[epochs.index]))
