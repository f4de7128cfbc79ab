"""Weighted straight-line fits to many short series at once, each alone or with a common slope."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from redpoll.astro.ragged import owners

Array = NDArray[np.float64]
Int = NDArray[np.int64]


@dataclass(frozen=True)
class LineSums:
    """Sums for least squares of each series: weighted means, and sums of squares about them.

    ``n`` points lie between ``first`` and ``last``; ``xx``, ``xy`` and ``yy`` are weighted by 1/err^2. All of shape
    (n_series,); the sums of a series without points are zero, its other numbers NaN.
    """

    n: Int
    n_series: Int
    first: Array
    last: Array
    x: Array
    y: Array
    xx: Array
    xy: Array
    yy: Array

    @cached_property
    def slope(self) -> Array:
        """Slope of the line; NaN without two different x."""
        return self.xy / np.where(self.xx > 0, self.xx, np.nan)

    @cached_property
    def slope_err(self) -> Array:
        """One-sigma error of the slope, from the errors of the points."""
        return np.asarray(np.where(self.xx > 0, self.xx, np.nan) ** -0.5)

    @cached_property
    def chi2(self) -> Array:
        """Chi-square of the points about the line."""
        return np.maximum(self.yy - self.slope * self.xy, 0.0)

    @cached_property
    def degrees_of_freedom(self) -> Int:
        """Degrees of freedom: points minus one slope and one intercept for each series with points."""
        return self.n - self.n_series - 1

    @cached_property
    def r_squared(self) -> Array:
        """Fraction of the points' weighted variance that the line explains, 0 to 1."""
        return self.slope * self.xy / np.where(self.yy > 0, self.yy, np.nan)

    @property
    def span(self) -> Array:
        """Distance from the first to the last x."""
        return self.last - self.first

    def of_series(self, index: Int) -> LineSums:
        """The sums of the series with these numbers."""
        return LineSums(*(getattr(self, f.name)[index] for f in fields(self)))

    def together(self, k: int) -> LineSums:
        """Sums of lines with one slope in common to `k` series that follow each other, each with its own intercept."""

        first = np.where(np.isnan(self.first), np.inf, self.first).reshape(-1, k).min(axis=1)
        last = np.where(np.isnan(self.last), -np.inf, self.last).reshape(-1, k).max(axis=1)
        parts = (self.n, self.n_series, self.xx, self.xy, self.yy)
        n, n_series, xx, xy, yy = (part.reshape(-1, k).sum(axis=1) for part in parts)
        first, last = (np.where(n > 0, end, np.nan) for end in (first, last))
        unknown = np.full(len(n), np.nan)
        return LineSums(n, n_series, first, last, unknown, unknown, xx, xy, yy)


def line_sums(x: Array, y: Array, err: Array, offsets: Int) -> LineSums:
    """Sums of the series ``offsets[i]:offsets[i + 1]``; errors must be positive and all values finite.

    Examples
    --------
    >>> lines = line_sums(np.array([0.0, 1.0, 2.0]), np.array([20.0, 20.5, 21.0]), np.full(3, 0.1), np.array([0, 3]))
    >>> lines.slope.tolist(), lines.slope_err.round(4).tolist(), lines.r_squared.round(4).tolist()
    ([0.5], [0.0707], [1.0])
    """
    who, size = owners(offsets), len(offsets) - 1
    n = np.diff(offsets)
    first, last = np.full(size, np.inf), np.full(size, -np.inf)
    np.minimum.at(first, who, x)
    np.maximum.at(last, who, x)

    def total(values: Array) -> Array:
        return np.asarray(np.bincount(who, values, minlength=size), np.float64)

    # from the first x: times are of the order of 1e5 days, their differences of 1e-2
    weight = np.asarray(err, np.float64) ** -2.0
    some = np.where(n > 0, total(weight), np.nan)
    start = np.where(n > 0, first, 0.0)
    mean_x = total(weight * (x - start[who])) / some + start
    mean_y = total(weight * y) / some
    dx, dy = x - mean_x[who], y - mean_y[who]
    xx, xy, yy = total(weight * dx * dx), total(weight * dx * dy), total(weight * dy * dy)
    first, last = (np.where(n > 0, end, np.nan) for end in (first, last))
    return LineSums(n, (n > 0).astype(np.int64), first, last, mean_x, mean_y, xx, xy, yy)
