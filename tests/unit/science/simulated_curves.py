"""Light curves of the simulator's classes, seen as often as a test wants."""

from __future__ import annotations

from typing import Any

import numpy as np

from redpoll.schema.bands import BANDS, DETECTION, UPPER_LIMIT
from redpoll.schema.light_curve import LightCurves
from redpoll.simulate.classes import CLASSES
from redpoll.simulate.classes.contract import Epochs, Window

START = 60_000.0


def simulated(
    name: str, n: int, *, days: float, step: float, bands: str = "gr", depth: float = 21.0, seed: int = 0
) -> tuple[LightCurves, dict[str, Any]]:
    """`n` objects of a class from `START` on, seen every `step` days in each band, cut after the last detection.

    Objects without a detection are left out. A point below five sigma is an upper limit.
    """
    model, rng = CLASSES[name], np.random.default_rng(seed)
    nights, codes = START + np.arange(0.0, days, step), [BANDS.index(b) for b in bands]
    times = (nights[:, None] + 0.02 * np.arange(len(bands))).ravel()
    band = np.tile(codes, len(nights))
    offsets, index = np.arange(n + 1) * len(times), np.repeat(np.arange(n), len(times))
    noise = np.full(n * len(times), 10 ** (0.4 * (31.4 - depth)) / 5)
    in_window = np.ones(len(index), bool)
    epochs = Epochs(offsets, index, np.tile(times, n), np.tile(band, n).astype(np.int64), noise, in_window)
    parameters = model.draw(rng, n, Window(START, START + days, depth, 13.0))
    truth = model.flux(parameters, epochs, rng)
    err = np.hypot(noise, 0.01 * truth)
    flux = truth + err * rng.standard_normal(len(truth))
    is_seen = (np.abs(flux) > 5 * err) & (truth != 0)
    last = np.full(n, -1)
    np.maximum.at(last, index[is_seen], np.flatnonzero(is_seen))
    keep = np.arange(len(index)) <= last[index]
    counts = np.bincount(index[keep], minlength=n)
    curves = LightCurves(
        np.concatenate([[0], np.cumsum(counts[counts > 0])]), epochs.mjd[keep], epochs.band[keep].astype(np.int8),
        np.where(is_seen, flux, np.nan)[keep].astype(np.float32), err[keep].astype(np.float32),
        np.where(is_seen, DETECTION, UPPER_LIMIT)[keep].astype(np.int8),
    )  # fmt: skip
    first = np.full(n, np.inf)
    np.minimum.at(first, index[is_seen], epochs.mjd[is_seen])
    alive = counts > 0
    reference = model.reference_mag(parameters)
    about = {"age": (epochs.mjd[np.maximum(last, 0)] - first)[alive]}
    if reference is not None:
        about["reference_mag"] = reference[np.arange(n), epochs.band[np.maximum(last, 0)]][alive]
    return curves, about
