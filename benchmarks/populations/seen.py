"""Light curves as both sides of a comparison are cut: detections of one survey alone, thinned in the same way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from redpoll.learn.curves import LabelledCurve
from redpoll.schema.bands import DETECTION

Array = NDArray[np.float64]
_G, _R = 1, 2
_SNR = 5.0
_SPAN_BEFORE, _SPAN_AFTER = 3.0, 15.0


@dataclass(frozen=True)
class Seen:
    """Detections of one object in g and r by time: ``band`` 1 or 2, magnitudes AB."""

    name: str
    mjd: Array
    band: NDArray[np.int64]
    mag: Array
    mag_err: Array

    @property
    def brightest(self) -> int:
        """Position of the brightest point."""
        return int(self.mag.argmin())

    def take(self, which: NDArray) -> Seen:
        """These points alone."""
        return Seen(self.name, self.mjd[which], self.band[which], self.mag[which], self.mag_err[which])


def seen(curve: LabelledCurve) -> Seen:
    """The positive detections at five sigma in g and r."""
    ok = (curve.kind == DETECTION) & np.isin(curve.band, (_G, _R)) & (curve.flux > _SNR * curve.flux_err)
    mag, err = 31.4 - 2.5 * np.log10(curve.flux[ok]), 1.0857 * curve.flux_err[ok] / curve.flux[ok]
    return Seen(curve.name, curve.mjd[ok], curve.band[ok], mag, err)


def thinned(some: Seen) -> Seen:
    """Without each point that is followed by one of the same band, as the download of the BTS curves dropped them."""
    return some.take(np.append(some.band[1:] != some.band[:-1], True)[: len(some.mjd)])


def nightly(some: Seen) -> Seen:
    """One point a night and band: the mean flux, weighted by its errors."""
    key = np.floor(some.mjd).astype(int) * 4 + some.band
    order = np.argsort(key, kind="stable")
    starts = np.flatnonzero(np.diff(key[order], prepend=-1))
    flux = 10.0 ** (-0.4 * some.mag[order])
    weight = (1.0857 / (flux * some.mag_err[order])) ** 2
    total = np.add.reduceat(weight, starts)
    mean = np.add.reduceat(weight * flux, starts) / total
    mjd = np.add.reduceat(weight * some.mjd[order], starts) / total
    by_time = np.argsort(mjd)
    err = 1.0857 / mean / np.sqrt(total)
    return Seen(some.name, *(x[by_time] for x in (mjd, some.band[order][starts], -2.5 * np.log10(mean), err)))


def one_a_night(some: Seen) -> Seen:
    """The first point of each night and band."""
    key = np.floor(some.mjd).astype(int) * 4 + some.band
    return some.take(np.sort(np.unique(key, return_index=True)[1]))


def spaced(some: Seen, *, nights: int) -> Seen:
    """Without the nights that follow the last night kept by fewer than `nights`."""
    night = np.floor(some.mjd).astype(int)
    kept: list[int] = []
    for each in np.unique(night):
        if not kept or each - kept[-1] >= nights:
            kept.append(each)
    return some.take(np.isin(night, kept))


def is_covered(some: Seen, *, at_least: int) -> bool:
    """Whether there are enough points, some days before and after the brightest, and some in each band."""
    if len(some.mjd) < at_least or min((some.band == _G).sum(), (some.band == _R).sum()) < 3:
        return False
    peak = some.mjd[some.brightest]
    return bool(some.mjd[0] <= peak - _SPAN_BEFORE and some.mjd[-1] >= peak + _SPAN_AFTER)


def matched(real: list[Seen], made: list[Seen]) -> list[Seen]:
    """For each real object the unused simulated one whose brightest point is nearest in magnitude.

    The real objects were chosen for spectra by their brightness, which no simulator of a night draws.
    """
    mags, free, chosen = np.array([s.mag.min() for s in made]), np.ones(len(made), bool), []
    for each in real:
        best = int(np.where(free, np.abs(mags - each.mag.min()), np.inf).argmin())
        free[best] = False
        chosen.append(made[best])
    return chosen
