"""What observations take: slots and seconds of each target, begun in each slot of a telescope's night."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from redpoll.learn.followup.exposure import exposures
from redpoll.learn.followup.night_sky import NightSky, Track
from redpoll.learn.followup.optimum import Options
from redpoll.learn.followup.sky_brightness import airmass_of, sky_brightness

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Costs:
    """What an observation takes that begins in each slot: shape (n, slots); zero slots where it is impossible."""

    n_slots: NDArray[np.int64]
    seconds: Array
    n_exposures: Array
    exposure: Array
    airmass: Array
    sky: Array
    visible: NDArray[np.bool_]


def observing_costs(mag: Array, night: NightSky, where: Track) -> Costs:
    """The costs for targets of these magnitudes on these tracks."""
    at = night.telescope
    airmass = airmass_of(where.altitude)
    visible = (airmass <= at.max_airmass) & (where.moon_distance >= at.min_moon_distance)
    sky = sky_brightness(at.sky, at.extinction, where.altitude.clip(1.0), night.moon_altitude, where.moon_distance,
                         night.moon_phase)  # fmt: skip
    each = exposures(mag[:, None], np.where(visible, airmass, 1.0), sky, at)
    seconds = np.where(visible, np.ceil(each.total + at.setup * 60.0), np.inf)
    n_slots = _slots(seconds, night)
    worst, n_slots = _worst(seconds, n_slots, night)
    index = np.arange(len(mag))[:, None], worst
    return Costs(n_slots, seconds[index], each.number[index], each.seconds[index], airmass, sky, visible)


def _slots(seconds: Array, night: NightSky) -> NDArray[np.int64]:
    """Number of slots; 0 where it is impossible."""
    n = np.ceil(np.where(np.isfinite(seconds), seconds, 0.0) / (night.slot_minutes * 60.0))
    return np.where(np.isfinite(seconds), np.maximum(n, 1), 0).astype(np.int64)


def _worst(seconds: Array, n_slots: NDArray[np.int64], night: NightSky) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For an observation begun in each slot, its slot of longest exposure and the number of slots that this takes.

    Zero slots where the sun rises, or the target leaves the limits, before it is done.
    """
    count = len(night)
    worst, taken = np.zeros(seconds.shape, np.int64), np.zeros(seconds.shape, np.int64)
    joined = np.concatenate([np.diff(night.mjd) * 1440.0 < 1.5 * night.slot_minutes, [False]]) if count else np.empty(0)
    for i, first in zip(*np.nonzero(n_slots), strict=True):
        last = first
        while True:
            stop = first + n_slots[i, last]
            if stop > count or not joined[first : stop - 1].all():
                break
            here = int(first + seconds[i, first:stop].argmax())
            if not np.isfinite(seconds[i, here]):
                break
            if first + n_slots[i, here] <= stop:
                worst[i, first], taken[i, first] = here, stop - first
                break
            last = here
    return worst, taken


def options_of(costs: Sequence[Costs]) -> Options:
    """The ways to observe of several telescopes, in their order."""
    parts = []
    for number, each in enumerate(costs):
        target, slot = np.nonzero(each.n_slots)
        parts.append((target, np.full(len(target), number), slot, each.n_slots[target, slot],
                      each.seconds[target, slot].astype(np.int64)))  # fmt: skip
    return Options(*(np.concatenate(column).astype(np.int64) for column in zip(*parts, strict=True)))
