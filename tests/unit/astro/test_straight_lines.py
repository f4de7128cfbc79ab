"""Lines against numpy's least squares."""

from __future__ import annotations

import numpy as np
import pytest

from redpoll.astro.straight_lines import line_sums


def series(rng, n):
    x = 60_000 + np.sort(rng.uniform(0, 10, n))
    return x, rng.normal(18 + 0.3 * (x - 60_000), 0.1), rng.uniform(0.02, 0.2, n)


def test_each_line_is_that_of_numpy():
    rng = np.random.default_rng(0)
    many = [series(rng, n) for n in (5, 2, 9, 3)]
    x, y, err = (np.concatenate(parts) for parts in zip(*many, strict=True))
    lines = line_sums(x, y, err, np.cumsum([0, *(len(s[0]) for s in many)]))
    for i, (t, m, e) in enumerate(many):
        (slope, intercept), residual = np.polyfit(t - 60_000, m, 1, w=1 / e), None
        residual = (m - slope * (t - 60_000) - intercept) / e
        assert lines.slope[i] == pytest.approx(slope, rel=1e-6)
        assert lines.chi2[i] == pytest.approx((residual**2).sum(), rel=1e-6, abs=1e-6)
        assert lines.span[i] == t[-1] - t[0] and lines.degrees_of_freedom[i] == len(t) - 2


def test_a_common_slope_is_that_of_the_joint_fit():
    rng = np.random.default_rng(1)
    a, b = series(rng, 6), series(rng, 4)
    x, y, err = (np.concatenate(parts) for parts in zip(a, b, strict=True))
    one = line_sums(x, y, err, np.array([0, 6, 6, 10])).together(3)
    design = np.column_stack([x - 60_000, np.arange(10) < 6, np.arange(10) >= 6]) / err[:, None]
    answer, chi2, *_ = np.linalg.lstsq(design, y / err, rcond=None)
    covariance = np.linalg.inv(design.T @ design)
    assert one.slope[0] == pytest.approx(answer[0], rel=1e-6) and one.chi2[0] == pytest.approx(chi2[0], rel=1e-6)
    assert one.slope_err[0] == pytest.approx(covariance[0, 0] ** 0.5, rel=1e-6)
    assert (one.n[0], one.n_series[0], one.degrees_of_freedom[0]) == (10, 2, 7)
    assert (one.first[0], one.last[0]) == (x.min(), x.max())


def test_what_cannot_be_fitted_is_unknown():
    lines = line_sums(np.array([1.0, 2.0, 2.0]), np.array([3.0, 4.0, 5.0]), np.ones(3), np.array([0, 0, 1, 3]))
    assert np.isnan(lines.slope).all() and np.isnan(lines.slope_err).all() and lines.n.tolist() == [0, 1, 2]
    assert np.isnan(lines.first[0]) and np.isnan(lines.together(3).slope).all()


def test_the_sums_of_some_series_are_taken_by_number():
    x, parts = np.array([0.0, 1.0, 0.0, 1.0]), np.array([0, 2, 4])
    lines = line_sums(x, np.array([0.0, 1.0, 0.0, -1.0]), np.ones(4), parts)
    assert lines.of_series(np.array([1, 0, 1])).slope.tolist() == [-1.0, 1.0, -1.0]


def test_large_errors_change_the_error_of_the_slope_only():
    x, y = np.array([0.0, 1.0, 2.0, 3.0]), np.array([0.0, 1.0, 3.0, 3.0])
    sharp, rough = (line_sums(x, y, np.full(4, err), np.array([0, 4])) for err in (0.1, 100.0))
    assert rough.slope[0] == pytest.approx(sharp.slope[0]) and rough.r_squared[0] == pytest.approx(sharp.r_squared[0])
    assert rough.slope_err[0] == pytest.approx(1000.0 * sharp.slope_err[0])
    assert rough.chi2[0] == pytest.approx(1e-6 * sharp.chi2[0])


def test_one_point_has_its_own_mean_and_limits():
    lines = line_sums(np.array([5.0]), np.array([18.0]), np.ones(1), np.array([0, 0, 1]))
    for name in ("first", "last", "x"):
        np.testing.assert_array_equal(getattr(lines, name), [np.nan, 5.0])
    np.testing.assert_array_equal(lines.y, [np.nan, 18.0])
    assert lines.n_series.tolist() == [0, 1] and np.isnan(lines.r_squared).all()


def test_groups_of_lines_are_apart_and_empty_ones_have_no_limits():
    x, parts = np.array([0.0, 1.0, 7.0, 2.0, 4.0]), np.array([0, 2, 2, 2, 2, 2, 3, 5, 5])
    groups = line_sums(x, 2.0 * x, np.ones(5), parts).together(2)
    np.testing.assert_array_equal(groups.first, [0.0, np.nan, 7.0, 2.0])
    np.testing.assert_array_equal(groups.last, [1.0, np.nan, 7.0, 4.0])
    assert (groups.n.tolist(), groups.n_series.tolist()) == ([2, 0, 1, 2], [1, 0, 1, 1])
    np.testing.assert_allclose(groups.slope, [2.0, np.nan, np.nan, 2.0])


def test_a_perfect_line_has_no_negative_chi2():
    rng = np.random.default_rng(2)
    x = rng.uniform(0.0, 10.0, 2000)
    lines = line_sums(x, 18.0 + 0.3 * x, np.full(2000, 1e-3), np.arange(0, 2001, 10))
    assert (lines.chi2 >= 0.0).all() and (lines.yy - lines.slope * lines.xy < 0.0).any()


def test_a_constant_has_no_variance_to_explain():
    lines = line_sums(np.arange(3.0), np.full(3, 18.0), np.ones(3), np.array([0, 3]))
    assert lines.slope[0] == 0.0 and np.isnan(lines.r_squared[0])
