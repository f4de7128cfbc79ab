"""Twenty-six statistics of each of many light curves at once, compiled.

Definitions, and differences from other packages, are in ``docs/explanation/light-curve-statistics.md``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from redpoll.kernels import kernel, part

FEATURES = (
    "mean", "weighted_mean", "standard_deviation", "median", "amplitude", "beyond_1_std", "cusum",
    "inter_percentile_range_10", "kurtosis", "linear_trend", "linear_trend_sigma", "linear_trend_noise",
    "linear_fit_slope", "linear_fit_slope_sigma", "linear_fit_reduced_chi2", "magnitude_percentage_ratio_40_5",
    "magnitude_percentage_ratio_20_10", "maximum_slope", "median_absolute_deviation",
    "median_buffer_range_percentage_10", "percent_amplitude", "mean_variance", "anderson_darling_normal", "chi2",
    "skew", "stetson_k",
)  # fmt: skip
"""Names of the statistics, in the order of the columns of the result."""
(
    _MEAN, _WEIGHTED_MEAN, _STANDARD_DEVIATION, _MEDIAN, _AMPLITUDE, _BEYOND_1_STD, _CUSUM,
    _INTER_PERCENTILE_RANGE_10, _KURTOSIS, _LINEAR_TREND, _LINEAR_TREND_SIGMA, _LINEAR_TREND_NOISE,
    _LINEAR_FIT_SLOPE, _LINEAR_FIT_SLOPE_SIGMA, _LINEAR_FIT_REDUCED_CHI2, _MAGNITUDE_PERCENTAGE_RATIO_40_5,
    _MAGNITUDE_PERCENTAGE_RATIO_20_10, _MAXIMUM_SLOPE, _MEDIAN_ABSOLUTE_DEVIATION,
    _MEDIAN_BUFFER_RANGE_PERCENTAGE_10, _PERCENT_AMPLITUDE, _MEAN_VARIANCE, _ANDERSON_DARLING_NORMAL, _CHI2,
    _SKEW, _STETSON_K,
) = range(len(FEATURES))  # fmt: skip
_GAPS = (8858, 3937, 1750, 701, 301, 132, 57, 1)  # Ciura's sequence without the gaps below 57, which are not faster


def light_curve_statistics(t: ArrayLike, m: ArrayLike, sigma: ArrayLike, offsets: ArrayLike) -> NDArray[np.float64]:
    """The statistics of each light curve, float64 of shape (n_curves, 26) in the order of `FEATURES`.

    A statistic is NaN where it is undefined: fewer points than it needs, or no spread to divide by. A point
    is used only if its time and value are finite and its error is finite and positive.

    Parameters
    ----------
    t, m, sigma
        Times [d], values (magnitudes or fluxes) and one-sigma errors of all curves, end to end; each curve
        sorted in time.
    offsets
        Curve ``i`` is ``[offsets[i]:offsets[i + 1]]``.

    Raises
    ------
    ValueError
        If the arrays differ in length or the offsets do not lie within them, ascending.

    Examples
    --------
    >>> answer = light_curve_statistics([0.0, 1.0, 3.0], [20.0, 19.0, 18.0], [0.1, 0.1, 0.1], [0, 3])
    >>> dict(zip(FEATURES, answer[0].round(4).tolist()))["maximum_slope"]
    1.0
    """
    t, m, sigma = (np.require(x, np.float64, ["C", "W"]) for x in (t, m, sigma))
    bounds = np.require(offsets, np.int64, ["C", "W"])
    _check(t, m, sigma, bounds)
    answer = np.full((len(bounds) - 1, len(FEATURES)), np.nan)
    _all_curves(t, m, sigma, bounds, answer)
    return answer


def _check(
    t: NDArray[np.float64], m: NDArray[np.float64], sigma: NDArray[np.float64], offsets: NDArray[np.int64]
) -> None:
    n = len(t)
    if not t.shape == m.shape == sigma.shape == (n,):
        raise ValueError("t, m and sigma must be arrays of one dimension and equal length")
    if offsets.ndim != 1 or not len(offsets) or offsets[0] < 0 or offsets[-1] > n or (np.diff(offsets) < 0).any():
        raise ValueError(f"offsets must ascend within 0..{n}")


@kernel
def _all_curves(t: Any, m: Any, sigma: Any, offsets: Any, answer: Any) -> None:
    longest = 0
    for i in range(len(offsets) - 1):
        longest = max(longest, offsets[i + 1] - offsets[i])
    room = np.empty((5, longest))
    for i in range(len(offsets) - 1):
        n = _copy_known(t, m, sigma, offsets[i], offsets[i + 1], room)
        if n > 0:
            _one_curve(room[0, :n], room[1, :n], room[2, :n], room[3, :n], room[4, :n], answer[i])


@part
def _copy_known(t: Any, m: Any, sigma: Any, start: int, stop: int, room: Any) -> int:
    n = 0
    for i in range(start, stop):
        if math.isfinite(t[i]) and math.isfinite(m[i]) and math.isfinite(sigma[i]) and sigma[i] > 0:
            room[0, n], room[1, n], room[2, n], room[3, n] = t[i], m[i], 1 / (sigma[i] * sigma[i]), m[i]
            n += 1
    return n


@part
def _one_curve(t: Any, m: Any, weight: Any, ordered: Any, residual: Any, out: Any) -> None:
    _sort(ordered)
    _order_statistics(ordered, out)
    mean, std = _moments(m, ordered, residual, out)
    _weighted(m, weight, out)
    if len(m) > 1:
        out[_MAXIMUM_SLOPE] = _maximum_slope(t, m)
    if len(m) > 2:
        _linear_trend(t, residual, out)
        _linear_fit(t, m, weight, out)
    if len(m) > 3 and std > 0:
        out[_ANDERSON_DARLING_NORMAL] = _anderson_darling(ordered, mean, std)


@part
def _sort(values: Any) -> None:
    """Shell sort: for short arrays an insertion sort, which is then the fastest; compiled in little time."""
    for gap in _GAPS:
        for i in range(gap, len(values)):
            value = values[i]
            j = i
            while j >= gap and values[j - gap] > value:
                values[j] = values[j - gap]
                j -= gap
            values[j] = value


@part
def _order_statistics(ordered: Any, out: Any) -> None:
    median = _quantile(ordered, 0.5)
    span = ordered[-1] - ordered[0]
    range_10 = _inter_percentile_range(ordered, 0.1)
    out[_MEDIAN] = median
    out[_AMPLITUDE] = 0.5 * span
    out[_INTER_PERCENTILE_RANGE_10] = range_10
    out[_MEDIAN_ABSOLUTE_DEVIATION] = _median_distance(ordered, median)
    out[_PERCENT_AMPLITUDE] = max(ordered[-1] - median, median - ordered[0])
    if span > 0:
        out[_MAGNITUDE_PERCENTAGE_RATIO_20_10] = _inter_percentile_range(ordered, 0.2) / range_10
        wide = _inter_percentile_range(ordered, 0.05)
        out[_MAGNITUDE_PERCENTAGE_RATIO_40_5] = _inter_percentile_range(ordered, 0.4) / wide
    out[_MEDIAN_BUFFER_RANGE_PERCENTAGE_10] = _fraction_within(ordered, median, 0.05 * span)


@part
def _quantile(ordered: Any, q: float) -> Any:
    """Hazen's: the k-th of n values is the quantile (k - 1/2) / n, linear between, the extremes beyond."""
    position = q * len(ordered) - 0.5
    if position <= 0:
        return ordered[0]
    if position >= len(ordered) - 1:
        return ordered[-1]
    i = int(position)
    return ordered[i] + (position - i) * (ordered[i + 1] - ordered[i])


@part
def _inter_percentile_range(ordered: Any, q: float) -> Any:
    return _quantile(ordered, 1 - q) - _quantile(ordered, q)


@part
def _median_distance(ordered: Any, median: float) -> Any:
    """Median of the distances from the median: the nearest neighbours left and right, merged up to the middle."""
    n = len(ordered)
    left, right = n // 2 - 1, n // 2
    last = previous = 0.0
    for _ in range(n // 2 + 1):
        previous = last
        if left < 0 or (right < n and ordered[right] - median <= median - ordered[left]):
            last = ordered[right] - median
            right += 1
        else:
            last = median - ordered[left]
            left -= 1
    return last if n % 2 else 0.5 * (previous + last)


@part
def _fraction_within(ordered: Any, centre: float, distance: float) -> float:
    n = 0
    for value in ordered:
        n += abs(value - centre) < distance
    return n / len(ordered)


@part
def _moments(m: Any, ordered: Any, residual: Any, out: Any) -> tuple[float, float]:
    """Statistics of the distances from the mean, written to `residual`; returns mean and standard deviation."""
    n = len(m)
    is_flat = ordered[0] == ordered[-1]
    mean = m[0] if is_flat else m[0] + _sum_from(m, m[0]) / n
    out[_MEAN] = mean
    second = third = fourth = total = highest = 0.0
    lowest = math.inf
    highest = -math.inf
    for i in range(n):
        d = m[i] - mean
        residual[i] = d
        second += d * d
        third += d * d * d
        fourth += d * d * d * d
        total += d
        lowest, highest = min(lowest, total), max(highest, total)
    if n < 2:
        return mean, 0.0
    variance = second / (n - 1)
    std = math.sqrt(variance)
    out[_STANDARD_DEVIATION] = std
    out[_MEAN_VARIANCE] = std / mean if mean != 0 else math.nan
    out[_BEYOND_1_STD] = 1 - _fraction_up_to(residual, std)
    if std > 0:
        out[_CUSUM] = (highest - lowest) / (n * std)
        if n > 2:
            out[_SKEW] = n / ((n - 1) * (n - 2)) * third / (variance * std)
        if n > 3:
            scale = n * (n + 1) / ((n - 1) * (n - 2) * (n - 3))
            out[_KURTOSIS] = scale * fourth / (variance * variance) - 3 * (n - 1) ** 2 / ((n - 2) * (n - 3))
    return mean, std


@part
def _sum_from(values: Any, origin: float) -> Any:
    total = 0.0
    for value in values:
        total += value - origin
    return total


@part
def _fraction_up_to(distances: Any, limit: float) -> float:
    n = 0
    for d in distances:
        n += abs(d) <= limit
    return n / len(distances)


@part
def _weighted(m: Any, weight: Any, out: Any) -> None:
    n = len(m)
    sum_weight = sum_value = 0.0
    for i in range(n):
        sum_weight += weight[i]
        sum_value += weight[i] * (m[i] - m[0])
    mean = m[0] + sum_value / sum_weight
    out[_WEIGHTED_MEAN] = mean
    chi2 = sum_size = 0.0
    for i in range(n):
        term = weight[i] * (m[i] - mean) ** 2
        chi2 += term
        sum_size += math.sqrt(term)
    if n > 1:
        out[_CHI2] = chi2 / (n - 1)
    if n > 1 and chi2 > 0:
        out[_STETSON_K] = sum_size / math.sqrt(n * chi2)


@part
def _maximum_slope(t: Any, m: Any) -> float:
    """Largest |dm/dt| of neighbours in time; a pair at one time has no slope."""
    steepest = -1.0
    for i in range(1, len(t)):
        if t[i] > t[i - 1]:
            steepest = max(steepest, abs((m[i] - m[i - 1]) / (t[i] - t[i - 1])))
    return steepest if steepest >= 0 else math.nan


@part
def _linear_trend(t: Any, residual: Any, out: Any) -> None:
    """Least squares through the distances from the mean, with the residual scatter as noise."""
    n = len(t)
    mean_t = t[0] + _sum_from(t, t[0]) / n
    tt = tm = left = 0.0
    for i in range(n):
        d = t[i] - mean_t
        tt += d * d
        tm += d * residual[i]
    if tt == 0:
        return
    slope = tm / tt
    for i in range(n):
        left += (residual[i] - slope * (t[i] - mean_t)) ** 2
    noise = math.sqrt(left / (n - 2))
    out[_LINEAR_TREND], out[_LINEAR_TREND_SIGMA], out[_LINEAR_TREND_NOISE] = slope, noise / math.sqrt(tt), noise


@part
def _linear_fit(t: Any, m: Any, weight: Any, out: Any) -> None:
    """Least squares weighted by the errors."""
    n = len(t)
    sum_weight = sum_t = tt = tm = chi2 = 0.0
    for i in range(n):
        sum_weight += weight[i]
        sum_t += weight[i] * (t[i] - t[0])
    mean_t, mean_m = t[0] + sum_t / sum_weight, out[_WEIGHTED_MEAN]
    for i in range(n):
        d = t[i] - mean_t
        tt += weight[i] * d * d
        tm += weight[i] * d * (m[i] - mean_m)
    if tt == 0:
        return
    slope = tm / tt
    for i in range(n):
        chi2 += weight[i] * (m[i] - mean_m - slope * (t[i] - mean_t)) ** 2
    out[_LINEAR_FIT_SLOPE], out[_LINEAR_FIT_SLOPE_SIGMA] = slope, 1 / math.sqrt(tt)
    out[_LINEAR_FIT_REDUCED_CHI2] = chi2 / (n - 2)


@part
def _anderson_darling(ordered: Any, mean: float, std: float) -> float:
    """Distance from a normal distribution, with the correction for a mean and deviation taken from the sample."""
    n = len(ordered)
    total = 0.0
    for i in range(n):
        x = (ordered[i] - mean) / (std * math.sqrt(2.0))
        total += (2 * i + 1) * _log_half_erfc(-x) + (2 * (n - i) - 1) * _log_half_erfc(x)
    return (1 + 4 / n - 25 / n**2) * (-n - total / n)


@part
def _log_half_erfc(x: float) -> float:
    """Logarithm of the normal tail; beyond 25 from its asymptote, where erfc runs out of numbers."""
    if x < 25:
        return math.log(0.5 * math.erfc(x))
    return -x * x - math.log(2 * x * math.sqrt(math.pi))
