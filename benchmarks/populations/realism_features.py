"""Features of light curves in three groups: cadence, shape and colour, and noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from populations.seen import Array, Seen

_G, _R = 1, 2
_LONGEST_GAP = 14.0
Features = dict[str, float]


def cadence(some: Seen) -> Features:
    """When it was detected, and in which bands."""
    night = np.unique(np.floor(some.mjd))
    step, n = np.diff(night), len(some.mjd)
    return {
        "detections in g": float((some.band == _G).sum()),
        "detections in r": float((some.band == _R).sum()),
        "days from first to last": float(some.mjd[-1] - some.mjd[0]),
        "days from first to brightest": float(some.mjd[some.brightest] - some.mjd[0]),
        "points a night": n / len(night),
        "mean nights between": float(step.mean()),
        "longest gap": float(step.max()),
        "fraction of steps of 1 night": float((step == 1).mean()),
        "fraction of steps of 2 nights": float((step == 2).mean()),
        "fraction of steps of 3 nights": float((step == 3).mean()),
        "hours between bands of a night": _within_night(some),
    }


def _within_night(some: Seen) -> float:
    step = np.diff(some.mjd)
    return float(24.0 * np.median(step[step < 0.5])) if (step < 0.5).any() else np.nan


def shape(some: Seen, days: Sequence[float]) -> Features:
    """Magnitudes below the brightest point and colours, at these days from it; NaN in gaps."""
    at = some.mjd[some.brightest] + np.array(days)
    g, r = (_interpolated(some, band, at) for band in (_G, _R))
    found = {f"g - r at {d:+.0f} d": float(c) for d, c in zip(days, g - r, strict=True)}
    for name, mag in (("g", g), ("r", r)):
        peak = some.mag[some.band == {"g": _G, "r": _R}[name]].min()
        found |= {f"{name} below its peak at {d:+.0f} d": float(m) for d, m in zip(days, mag - peak, strict=True)}
    peaks = [some.mag[some.band == band].argmin() for band in (_G, _R)]
    times = [some.mjd[some.band == band][k] for band, k in zip((_G, _R), peaks, strict=True)]
    found["g - r of the peaks"] = float(some.mag[some.band == _G].min() - some.mag[some.band == _R].min())
    return found | {"days from g to r peak": float(times[1] - times[0])}


def _interpolated(some: Seen, band: int, at: Array) -> Array:
    """Magnitudes of a band at these times, NaN outside its points or in a gap."""
    mjd, mag = some.mjd[some.band == band], some.mag[some.band == band]
    right = np.searchsorted(mjd, at).clip(1, len(mjd) - 1)
    ok = (at >= mjd[0]) & (at <= mjd[-1]) & (mjd[right] - mjd[right - 1] <= _LONGEST_GAP)
    return np.where(ok, np.interp(at, mjd, mag), np.nan)


def noise(some: Seen) -> Features:
    """Errors, the depth that they imply, and the scatter about neighbours of the same band in units of the error."""
    depth = some.mag + 2.5 * np.log10(1.0857 / some.mag_err / 5.0)
    scatter = np.concatenate([_bends(some.take(some.band == band)) for band in (_G, _R)])
    return {
        "median error": float(np.median(some.mag_err)),
        "error of the brightest": float(some.mag_err[some.brightest]),
        "implied depth, 10 %": float(np.percentile(depth, 10)),
        "implied depth, 50 %": float(np.median(depth)),
        "implied depth, 90 %": float(np.percentile(depth, 90)),
        "scatter in errors": float(np.median(np.abs(scatter))) if len(scatter) else np.nan,
    }


def _bends(one_band: Seen) -> Array:
    """Distance of each inner point from the line between its neighbours, in errors."""
    t, m, e = one_band.mjd, one_band.mag, one_band.mag_err
    if len(t) < 3:
        return np.zeros(0)
    w = (t[1:-1] - t[:-2]) / (t[2:] - t[:-2])
    line = (1 - w) * m[:-2] + w * m[2:]
    sigma = np.sqrt(e[1:-1] ** 2 + ((1 - w) * e[:-2]) ** 2 + (w * e[2:]) ** 2)
    return np.asarray((m[1:-1] - line) / sigma)
