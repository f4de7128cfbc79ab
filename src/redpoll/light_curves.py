"""Light curves of a batch in flat arrays, and the operations on them that science modules need.

A module that reads ``light_curve`` gets a `LightCurves`: the points of all alerts end to end, and offsets. A function
named ``..._of_each`` reduces points to one value per alert; ``at_trigger`` reads the triggering detection.

>>> curve = one_light_curve([60000.0, 60002.0, 60003.0], ["g", "r", "r"], [900.0, 400.0, 700.0], [90.0, 90.0, 90.0])
>>> at_trigger(curve, curve.flux).tolist()
[700.0]
>>> highest_of_each(curve, curve.flux, is_positive_detection(curve) & in_alert_band(curve)).tolist()
[700.0]
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from redpoll.astro.ragged import (
    by_band,
    highest_of_parts,
    last_of_each,
    lengths,
    owners,
    per_point,
    scattered,
    some_parts,
    taken,
)
from redpoll.astro.visits import visit_means
from redpoll.errors import UsageError
from redpoll.schema.bands import BANDS, DETECTION, FORCED, KINDS, LOW_QUALITY, SURVEYS, UPPER_LIMIT
from redpoll.schema.light_curve import LightCurves

__all__ = [
    "BANDS",
    "DETECTION",
    "FORCED",
    "KINDS",
    "LOW_QUALITY",
    "SURVEYS",
    "UPPER_LIMIT",
    "LightCurves",
    "at_trigger",
    "averaged",
    "by_band",
    "count_of_each",
    "days_before_trigger",
    "days_of_each",
    "fitted_columns",
    "highest_of_each",
    "in_alert_band",
    "is_non_detection",
    "is_positive_detection",
    "last_of_each",
    "lowest_of_each",
    "negative_fraction",
    "one_light_curve",
    "owners",
    "per_point",
    "scattered",
    "some_parts",
    "taken",
]
Bools = NDArray[np.bool_]
Array = NDArray[np.float64]


def one_light_curve(
    mjd: ArrayLike, band: Sequence[str], flux: ArrayLike, flux_err: ArrayLike, kind: Sequence[str] | None = None
) -> LightCurves:
    """The light curves of a batch of one alert, for examples and tests; points of kind "detection" by default.

    Raises
    ------
    UsageError
        If a band or kind is unknown, or the numbers of values differ.

    Examples
    --------
    >>> one_light_curve([60000.0], ["r"], [700.0], [90.0], ["forced"]).kind.tolist() == [FORCED]
    True
    """
    times, fluxes, errors = np.array(mjd, np.float64), np.array(flux, np.float32), np.array(flux_err, np.float32)
    kinds = ["detection"] * len(times) if kind is None else kind
    if len({len(times), len(fluxes), len(errors), len(band), len(kinds)}) > 1:
        raise UsageError("one_light_curve: mjd, band, flux, flux_err and kind need one value for each point")
    offsets = np.array([0, len(times)])
    return LightCurves(offsets, times, _codes(band, BANDS), fluxes, errors, _codes(kinds, KINDS))


def _codes(names: Sequence[str], known: tuple[str, ...]) -> NDArray[np.int8]:
    if unknown := [name for name in names if name not in known]:
        raise UsageError(f"one_light_curve: unknown {unknown[0]!r}; use {', '.join(known)}")
    return np.array([known.index(name) for name in names], np.int8)


def at_trigger(curve: LightCurves, values: NDArray[Any]) -> Array:
    """The value at the triggering detection of each alert; NaN for a light curve without points.

    >>> curve = one_light_curve([60000.0, 60002.0, 60003.0], ["g", "r", "r"], [900.0, 400.0, 700.0], [90.0, 90.0, 90.0])
    >>> at_trigger(curve, curve.flux).tolist()
    [700.0]
    """
    return taken(values, curve.triggering)


def days_before_trigger(curve: LightCurves) -> Array:
    """Time from each point to the triggering detection of its alert [d].

    >>> curve = one_light_curve([60000.0, 60002.0, 60003.0], ["g", "r", "r"], [900.0, 400.0, 700.0], [90.0, 90.0, 90.0])
    >>> days_before_trigger(curve).tolist()
    [3.0, 1.0, 0.0]
    """
    return np.asarray(at_trigger(curve, curve.mjd)[owners(curve.offsets)] - curve.mjd)


def days_of_each(curve: LightCurves) -> Array:
    """Time from the first to the last point of each light curve [d]; NaN for one without points.

    >>> curve = one_light_curve([60000.0, 60002.0, 60003.0], ["g", "r", "r"], [900.0, 400.0, 700.0], [90.0, 90.0, 90.0])
    >>> days_of_each(curve).tolist()
    [3.0]
    """
    return lengths(curve.mjd, curve.offsets)


def in_alert_band(curve: LightCurves) -> Bools:
    """Which points are in the band of their alert's triggering detection; none if that band is unknown.

    >>> curve = one_light_curve([60000.0, 60002.0, 60003.0], ["g", "r", "r"], [900.0, 400.0, 700.0], [90.0, 90.0, 90.0])
    >>> in_alert_band(curve).tolist()
    [False, True, True]
    """
    return np.asarray((curve.band == curve.band[curve.triggering[owners(curve.offsets)]]) & (curve.band >= 0))


def is_non_detection(curve: LightCurves, sigma: float) -> Bools:
    """Which points are upper limits, or forced points with less flux than `sigma` errors.

    A survey that sends forced photometry has a forced point where it had an upper limit before.

    >>> curve = one_light_curve([1.0, 2.0, 3.0], ["r"] * 3, [400.0, 10.0, 700.0], [90.0] * 3, ["forced"] * 3)
    >>> is_non_detection(curve, 5.0).tolist()
    [True, True, False]
    """
    is_faint = (curve.kind == FORCED) & (curve.flux < sigma * curve.flux_err)
    return np.asarray((curve.kind == UPPER_LIMIT) | is_faint)


def is_positive_detection(curve: LightCurves) -> Bools:
    """Which points are detections brighter than the template.

    >>> curve = one_light_curve([60000.0, 60002.0, 60003.0], ["g", "r", "r"], [900.0, 400.0, 700.0], [90.0, 90.0, 90.0])
    >>> is_positive_detection(curve).tolist()
    [True, True, True]
    """
    return np.asarray((curve.kind == DETECTION) & (curve.flux > 0))


def highest_of_each(curve: LightCurves, values: NDArray[Any], keep: Bools) -> Array:
    """Maximum over the kept points of each light curve, unknown values aside; NaN where there is none.

    >>> curve = one_light_curve([60000.0, 60002.0, 60003.0], ["g", "r", "r"], [900.0, 400.0, 700.0], [90.0, 90.0, 90.0])
    >>> highest_of_each(curve, curve.flux, in_alert_band(curve)).tolist()
    [700.0]
    """
    highest = highest_of_parts(np.where(keep & ~np.isnan(values), values, -np.inf), curve.offsets, -np.inf)
    return np.where(np.isfinite(highest), highest, np.nan)


def lowest_of_each(curve: LightCurves, values: NDArray[Any], keep: Bools) -> Array:
    """Minimum over the kept points of each light curve, unknown values aside; NaN where there is none.

    >>> curve = one_light_curve([60000.0, 60002.0, 60003.0], ["g", "r", "r"], [900.0, 400.0, 700.0], [90.0, 90.0, 90.0])
    >>> lowest_of_each(curve, curve.flux, in_alert_band(curve)).tolist()
    [400.0]
    """
    return -highest_of_each(curve, -np.asarray(values), keep)


def count_of_each(curve: LightCurves, keep: Bools) -> NDArray[np.int64]:
    """Number of kept points of each light curve.

    >>> curve = one_light_curve([60000.0, 60002.0, 60003.0], ["g", "r", "r"], [900.0, 400.0, 700.0], [90.0, 90.0, 90.0])
    >>> count_of_each(curve, in_alert_band(curve)).tolist()
    [2]
    """
    before = np.concatenate([[0], np.cumsum(keep)])
    return np.asarray(np.diff(before[curve.offsets]))


def negative_fraction(curve: LightCurves, sigma: float) -> Array:
    """Fraction of the significant points of each light curve that are negative; 0 without a significant point.

    A transient is absent in the template and stays above it; a variable star falls below it half of the time.

    >>> curve = one_light_curve([1.0, 2.0, 3.0], ["r"] * 3, [900.0, -700.0, 10.0], [90.0] * 3)
    >>> negative_fraction(curve, 5.0).tolist()
    [0.5]
    """
    ratio = curve.flux / curve.flux_err
    negative, positive = count_of_each(curve, ratio < -sigma), count_of_each(curve, ratio > sigma)
    return np.asarray(negative / np.maximum(negative + positive, 1))


def averaged(curve: LightCurves, days: float) -> LightCurves:
    """One point for each band and visit, a visit being the points of a band within `days`.

    Time, flux and error are those of the mean weighted by 1 / error**2; the kind is a detection's where one is among
    them. Points of unknown flux, error or band are left out.

    >>> curve = one_light_curve([1.0, 1.002, 1.003], ["r", "r", "g"], [400.0, 500.0, 700.0], [90.0, 90.0, 90.0])
    >>> averaged(curve, 0.01).flux.tolist(), averaged(curve, 0.01).flux_err.astype(int).tolist()
    ([450.0, 700.0], [63, 90])
    """
    points = np.array([curve.mjd, curve.band, curve.flux, curve.flux_err, curve.kind], np.float64)
    means = np.empty_like(points)
    offsets = visit_means(curve.offsets, points, days, DETECTION, len(BANDS), means)
    if offsets[-1] == len(curve.mjd):
        return curve
    mjd, band, flux, errors, kind = means[:, : offsets[-1]]
    return LightCurves(
        offsets, mjd, band.astype(np.int8), flux.astype(np.float32), errors.astype(np.float32), kind.astype(np.int8)
    )


def fitted_columns(
    names: Iterable[str], rows: NDArray[np.int64], n: int, *values: NDArray[Any]
) -> dict[str, NDArray[Any]]:
    """Columns of length n from answers for some of the alerts; elsewhere NaN, 0 for integers, False for booleans.

    >>> fitted_columns(["chi2", "points"], np.array([1]), 2, np.array([0.5]), np.array([7]))
    {'chi2': array([nan, 0.5]), 'points': array([0, 7])}
    """
    return {
        name: scattered(value, rows, n, np.nan if value.dtype.kind == "f" else value.dtype.type(0))
        for name, value in zip(names, values, strict=True)
    }
