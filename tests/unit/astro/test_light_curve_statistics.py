"""Light-curve statistics against a slow twin in plain Python, and against the `light-curve` package."""

from __future__ import annotations

import itertools
import math
import statistics

import light_curve as lc
import numpy as np
import pytest
from scipy.special import erfc

from redpoll.astro.light_curve_statistics import FEATURES, light_curve_statistics

LENGTHS = [*range(1, 13), 29, 30, 31, 63, 64, 65, 200, 1200]
QUANTILES = {
    "inter_percentile_range_10": (0.1, None),
    "magnitude_percentage_ratio_40_5": (0.4, 0.05),
    "magnitude_percentage_ratio_20_10": (0.2, 0.1),
}
PACKAGE = [
    lc.Mean(), lc.WeightedMean(), lc.StandardDeviation(), lc.Median(), lc.Amplitude(), lc.BeyondNStd(1.0), lc.Cusum(),
    lc.InterPercentileRange(0.1), lc.Kurtosis(), lc.LinearTrend(), lc.LinearFit(),
    lc.MagnitudePercentageRatio(0.4, 0.05), lc.MagnitudePercentageRatio(0.2, 0.1), lc.MaximumSlope(),
    lc.MedianAbsoluteDeviation(), lc.MedianBufferRangePercentage(0.1), lc.PercentAmplitude(), lc.MeanVariance(),
    lc.AndersonDarlingNormal(), lc.ReducedChi2(), lc.Skew(), lc.StetsonK(),
]  # fmt: skip


def _curve(n, seed=0):
    rng = np.random.default_rng([n, seed])
    t = np.sort(rng.uniform(0, rng.choice([1.0, 30.0, 1000.0]), n)) + 58_000
    m = rng.normal(rng.uniform(14, 22), rng.choice([0.01, 0.3, 2.0]), n)
    return t, m, rng.uniform(0.01, 0.3, n)


def _ours(t, m, sigma):
    return dict(zip(FEATURES, light_curve_statistics(t, m, sigma, [0, len(t)])[0].tolist(), strict=True))


def _packages(t, m, sigma):
    """The package gets times from the first point on: from MJD its slopes are off by up to 1e-5."""
    names = [name.lower() for feature in PACKAGE for name in feature.names]
    assert tuple(names) == FEATURES
    values = np.concatenate([feature(t - t[0], m, sigma, fill_value=np.nan) for feature in PACKAGE])
    return dict(zip(names, values.tolist(), strict=True))


def _slow(t, m, sigma):
    """The definitions as they are written in the documentation, in plain Python; NaN where one is not met."""
    t, m, sigma = (list(map(float, x)) for x in (t, m, sigma))
    n, ordered = len(m), sorted(m)
    mean, median = math.fsum(m) / n, statistics.median(m)
    weights = [1 / s**2 for s in sigma]
    weighted = math.fsum(w * x for w, x in zip(weights, m, strict=True)) / math.fsum(weights)
    pulls = [(x - weighted) / s for x, s in zip(m, sigma, strict=True)]
    found = dict.fromkeys(FEATURES, math.nan)
    found |= {"mean": mean, "weighted_mean": weighted, "median": median, "amplitude": (max(m) - min(m)) / 2}
    found["inter_percentile_range_10"] = _slow_range(ordered, 0.1)
    found["median_absolute_deviation"] = statistics.median(abs(x - median) for x in m)
    found["percent_amplitude"] = max(abs(x - median) for x in m)
    within = sum(abs(x - median) < 0.1 * (max(m) - min(m)) / 2 for x in m)
    found["median_buffer_range_percentage_10"] = within / n
    if max(m) > min(m):
        ratio_40_5 = _slow_range(ordered, 0.4) / _slow_range(ordered, 0.05)
        ratio_20_10 = _slow_range(ordered, 0.2) / _slow_range(ordered, 0.1)
        found |= {"magnitude_percentage_ratio_40_5": ratio_40_5, "magnitude_percentage_ratio_20_10": ratio_20_10}
    if n >= 2:
        found |= _slow_spread(m, mean, pulls)
        found["maximum_slope"] = max(abs((m[i] - m[i - 1]) / (t[i] - t[i - 1])) for i in range(1, n))
    if n >= 3:
        found |= _slow_lines(t, m, sigma)
    return found


def _slow_range(ordered, q):
    low, high = np.quantile(ordered, [q, 1 - q], method="hazen")
    return float(high - low)


def _slow_spread(m, mean, pulls):
    n, std = len(m), statistics.stdev(m)
    chi2 = math.fsum(p**2 for p in pulls)
    sums = list(itertools.accumulate(x - mean for x in m))
    found = {"standard_deviation": std, "mean_variance": std / mean, "chi2": chi2 / (n - 1)}
    found["beyond_1_std"] = sum(abs(x - mean) > std for x in m) / n
    found["cusum"] = (max(sums) - min(sums)) / (n * std)
    found["stetson_k"] = math.fsum(map(abs, pulls)) / math.sqrt(n * chi2)
    if n >= 3:
        found["skew"] = n / ((n - 1) * (n - 2)) * math.fsum(((x - mean) / std) ** 3 for x in m)
    if n >= 4:
        fourth = math.fsum(((x - mean) / std) ** 4 for x in m)
        scale = n * (n + 1) / ((n - 1) * (n - 2) * (n - 3))
        found["kurtosis"] = scale * fourth - 3 * (n - 1) ** 2 / ((n - 2) * (n - 3))
        found["anderson_darling_normal"] = _slow_anderson_darling(sorted(m), mean, std)
    return found


def _slow_anderson_darling(ordered, mean, std):
    n, normal = len(ordered), statistics.NormalDist()
    below = [normal.cdf((x - mean) / std) for x in ordered]
    above = [normal.cdf((mean - x) / std) for x in ordered]
    terms = ((2 * i + 1) * math.log(below[i]) + (2 * (n - i) - 1) * math.log(above[i]) for i in range(n))
    return (1 + 4 / n - 25 / n**2) * (-n - math.fsum(terms) / n)


def _slow_lines(t, m, sigma):
    n, from_start = len(t), np.array(t) - np.mean(t)
    slope, level = np.polyfit(from_start, m, 1)
    noise = math.sqrt(math.fsum((np.array(m) - level - slope * from_start) ** 2) / (n - 2))
    trend_sigma = noise / math.sqrt(math.fsum(from_start**2))
    (fit, fit_level), covariance = np.polyfit(from_start, m, 1, w=1 / np.array(sigma), cov="unscaled")
    chi2 = math.fsum(((np.array(m) - fit_level - fit * from_start) / sigma) ** 2)
    return {
        "linear_trend": slope, "linear_trend_sigma": trend_sigma, "linear_trend_noise": noise,
        "linear_fit_slope": fit, "linear_fit_slope_sigma": math.sqrt(covariance[0, 0]),
        "linear_fit_reduced_chi2": chi2 / (n - 2),
    }  # fmt: skip


def _assert_agree(ours, theirs, *, rel):
    """Relative to the value; for a slope, which may pass through zero, also to its error."""
    errors = {"linear_trend": "linear_trend_sigma", "linear_fit_slope": "linear_fit_slope_sigma"}
    for name in ours:
        scale = abs(theirs[name]) + (theirs[errors[name]] if name in errors else 0.0)
        assert ours[name] == pytest.approx(theirs[name], rel=0, abs=rel * scale, nan_ok=True), name


@pytest.mark.parametrize("n", LENGTHS)
def test_kernels_are_the_slow_twin(n):
    for seed in range(5):
        _assert_agree(_ours(*_curve(n, seed)), _slow(*_curve(n, seed)), rel=1e-7)


@pytest.mark.parametrize("n", LENGTHS)
def test_statistics_are_those_of_the_light_curve_package(n):
    for seed in range(20):
        curve = _curve(n, seed)
        ours, theirs = _ours(*curve), _packages(*curve)
        for name in QUANTILES:
            del ours[name], theirs[name]
        _assert_agree(ours, theirs, rel=1e-6)


@pytest.mark.parametrize("n", [n for n in LENGTHS if n > 1])
def test_quantiles_differ_from_the_package_only_by_its_place_in_single_precision(n):
    for seed in range(20):
        curve = _curve(n, seed)
        ordered, ours, theirs = np.sort(curve[1]), _ours(*curve), _packages(*curve)
        for name, (q, over) in QUANTILES.items():
            single = _single_range(ordered, q) / (_single_range(ordered, over) if over else 1.0)
            assert theirs[name] == pytest.approx(single, rel=1e-12)
            assert ours[name] == pytest.approx(theirs[name], rel=1e-5)


def _single_range(ordered, q):
    def quantile(q):
        place = np.float32(len(ordered)) * np.float32(q) - np.float32(0.5)
        i = int(np.clip(place, 0, len(ordered) - 1))
        step = ordered[min(i + 1, len(ordered) - 1)] - ordered[i]
        return ordered[i] + max(float(place) - i, 0.0) * step

    return quantile(np.float32(1) - np.float32(q)) - quantile(q)


def test_hand_made_curve():
    found = _ours([0.0, 1.0, 2.0, 4.0], [20.0, 18.0, 19.0, 17.0], [0.1, 0.1, 0.1, 0.1])
    assert found["mean"] == found["weighted_mean"] == found["median"] == 18.5
    assert found["amplitude"] == found["percent_amplitude"] == 1.5
    assert found["median_absolute_deviation"] == 1.0 and found["maximum_slope"] == 2.0
    assert found["standard_deviation"] == pytest.approx(math.sqrt(5 / 3))
    assert found["beyond_1_std"] == 0.5 and found["skew"] == pytest.approx(0.0, abs=1e-15)
    assert found["linear_trend"] == pytest.approx(-5.5 / 8.75)
    assert found["chi2"] == pytest.approx(500 / 3)


def test_too_few_points_leave_only_what_is_defined():
    defined = {n: {k for k, v in _ours(*_curve(n)).items() if not math.isnan(v)} for n in (1, 2, 3, 4)}
    assert defined[1] == {
        "mean", "weighted_mean", "median", "amplitude", "inter_percentile_range_10", "median_absolute_deviation",
        "median_buffer_range_percentage_10", "percent_amplitude",
    }  # fmt: skip
    assert defined[2] - defined[1] == {
        "standard_deviation", "beyond_1_std", "cusum", "magnitude_percentage_ratio_40_5",
        "magnitude_percentage_ratio_20_10", "maximum_slope", "mean_variance", "chi2", "stetson_k",
    }  # fmt: skip
    assert {"skew", "linear_trend", "linear_fit_slope"} <= defined[3] - defined[2]
    assert defined[4] - defined[3] == {"kurtosis", "anderson_darling_normal"} and len(defined[4]) == 26


def test_no_point_gives_no_statistic():
    assert np.isnan(light_curve_statistics([], [], [], [0, 0, 0])).all()
    assert light_curve_statistics([], [], [], [0]).shape == (0, 26)


@pytest.mark.parametrize("level", [18.3, -1e5, 0.1])
def test_a_flat_curve_has_no_shape(level):
    found = _ours(np.arange(7.0), np.full(7, level), np.full(7, 0.1))
    assert found["standard_deviation"] == found["amplitude"] == found["beyond_1_std"] == found["chi2"] == 0
    shapes = ("skew", "kurtosis", "cusum", "anderson_darling_normal", "magnitude_percentage_ratio_40_5", "stetson_k")
    assert all(math.isnan(found[name]) for name in shapes)


@pytest.mark.parametrize("bad", [(np.nan, 1.0, 0.1), (1.5, np.nan, 0.1), (1.5, np.inf, 0.1), (1.5, 1.0, np.nan),
                                 (1.5, 1.0, 0.0), (1.5, 1.0, -0.1)])  # fmt: skip
def test_a_point_with_something_unknown_does_not_count(bad):
    t, m, sigma = _curve(9)
    spoiled = [np.insert(x, 4, value) for x, value in zip((t, m, sigma), bad, strict=True)]
    assert _ours(*spoiled) == _ours(t, m, sigma)


def test_points_at_one_time_have_no_slope_between_them():
    found = _ours([0.0, 0.0, 1.0, 3.0], [10.0, 50.0, 49.0, 47.0], [1.0] * 4)
    assert found["maximum_slope"] == 1.0
    together = _ours([5.0] * 4, [1.0, 2.0, 3.0, 4.0], [1.0] * 4)
    assert all(math.isnan(together[name]) for name in ("maximum_slope", "linear_trend", "linear_fit_slope"))


def test_an_extreme_outlier_keeps_the_normality_test_finite():
    found = _ours(np.arange(9000.0), np.append(np.linspace(0, 1e-3, 8999), 1e6), np.ones(9000))
    assert found["anderson_darling_normal"] > 1000 and math.isfinite(found["anderson_darling_normal"])


@pytest.mark.parametrize("m, expected", [([1.0, -1.0], np.nan), ([1.5, 0.5], 0.5**0.5), ([-1.5, -0.5], -(0.5**0.5))])
def test_the_deviation_over_the_mean_is_unknown_only_for_a_mean_of_zero(m, expected):
    assert _ours([0.0, 1.0], m, [0.1, 0.1])["mean_variance"] == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("n", [1200, 1300])
def test_the_normality_test_is_exact_up_to_25_and_asymptotic_beyond(n):
    """One point among n is at most (n - 1) / sqrt(n) deviations away: here 24.5 and 25.5, over the root of two."""
    m = np.append(np.random.default_rng(n).normal(0, 1e-3, n - 1), 1e6)
    x = np.sort((m - m.mean()) / (m.std(ddof=1) * np.sqrt(2)))

    def log_tail(x):
        with np.errstate(all="ignore"):
            return np.where(x < 25, np.log(0.5 * erfc(x)), -(x**2) - np.log(2 * x * np.sqrt(np.pi)))

    i = np.arange(n)
    total = math.fsum((2 * i + 1) * log_tail(-x) + (2 * (n - i) - 1) * log_tail(x))
    found = _ours(np.arange(n), m, np.ones(n))["anderson_darling_normal"]
    assert found == pytest.approx((1 + 4 / n - 25 / n**2) * (-n - total / n), rel=1e-10)


def test_inputs_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="equal length"):
        light_curve_statistics([1.0, 2.0], [1.0], [1.0], [0, 1])
    for offsets in ([0, 3], [-1, 1], [2, 1], []):
        with pytest.raises(ValueError, match="offsets must ascend"):
            light_curve_statistics([1.0, 2.0], [1.0, 2.0], [1.0, 1.0], offsets)


def test_inputs_are_not_changed_and_may_be_read_only():
    t, m, sigma = _curve(20)
    for x in (t, m, sigma):
        x.setflags(write=False)
    before = m.copy()
    light_curve_statistics(t, m, sigma, [0, 20])
    np.testing.assert_array_equal(m, before)
