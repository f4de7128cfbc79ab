"""Means of visits against a loop over the points of each curve and band."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from redpoll.astro.visits import visit_means

PREFERRED = 7


def averaged(offsets, points, kind, days, n_bands):
    """Offsets, and rows of time, band, flux, error and kind."""
    means = np.full((5, len(kind)), np.nan)
    found = visit_means(offsets, np.vstack([points, kind]), days, PREFERRED, n_bands, means)
    return found, means[:, : found[-1]]


def slow_visits(points, days):
    """Indices of the points of each visit of one band."""
    parts, begin, step = [], 0.0, 0
    for i, t in enumerate(points[0]):
        if not parts or t - points[0, i - 1] >= days:
            begin, step = t, 0
            parts.append([])
        elif math.floor((t - begin) / days) > step:
            step = math.floor((t - begin) / days)
            parts.append([])
        parts[-1].append(i)
    return parts


def slow_mean(points, kind):
    t, band, flux, err = points
    weight = err**-2.0
    best = PREFERRED if PREFERRED in kind else kind[0]
    return (
        t[0] + np.average(t - t[0], weights=weight),
        band[0],
        np.average(flux, weights=weight),
        weight.sum() ** -0.5,
        best,
    )


def slow_averaged(offsets, points, kind, days, n_bands):
    sizes, rows = [0], []
    for start, stop in pairwise(offsets):
        own = []
        for b in range(n_bands):
            _, band, flux, err = points[:, start:stop]
            keep = start + np.flatnonzero((band == b) & np.isfinite(flux) & (err > 0))
            some = points[:, keep]
            own += [slow_mean(some[:, part], kind[keep][part]) for part in slow_visits(some, days)]
        rows += sorted(own, key=lambda row: row[:2])
        sizes.append(len(rows))
    return sizes, np.array(rows).reshape(-1, 5).T


@pytest.mark.parametrize("days", [0.25, 0.3, 1.0])
def test_means_are_those_of_a_loop(days):
    rng = np.random.default_rng(4)
    offsets = np.cumsum([0, *rng.integers(0, 30, 60), 0, 1])
    n, steps = offsets[-1], rng.choice([0.0, 0.125, 0.25, 0.3, 2.0], offsets[-1])
    flux = np.where(rng.random(n) < 0.1, np.nan, rng.normal(0, 100, n))
    err = np.where(rng.random(n) < 0.1, rng.choice([0.0, -1.0, np.nan], n), rng.uniform(1, 9, n))
    starts = np.repeat(rng.uniform(-500, 500, len(offsets) - 1), np.diff(offsets))
    points = np.array([np.cumsum(steps) + starts, rng.integers(-1, 4, n), flux, err])
    kind = rng.choice([0, 3, PREFERRED], n, p=[0.5, 0.4, 0.1]).astype(np.int8)
    sizes, expected = slow_averaged(offsets, points, kind, days, 3)
    found, rows = averaged(offsets, points, kind, days, 3)
    assert found.tolist() == sizes
    np.testing.assert_allclose(rows, expected, rtol=1e-12)
    assert len(set(rows[4])) == 3


@pytest.mark.parametrize(
    "times, means",
    [
        ([], []), ([5.0], [5.0]), ([0.0, 0.5], [0.0, 0.5]), ([0.0, 0.4375], [0.21875]),
        ([0.0, 0.25, 0.5], [0.125, 0.5]),
        ([0.0, 0.375, 0.875, 1.125], [0.1875, 1.0]), ([0.0, 0.375, 0.75, 1.125, 1.25], [0.1875, 0.75, 1.1875]),
        ([1.0, 1.0, 1.0], [1.0]), ([0.0, 0.4375, 0.625, 9.0, 9.25, 9.5], [0.21875, 0.625, 9.125, 9.5]),
    ],
)  # fmt: skip
def test_a_visit_ends_before_half_a_day_after_its_first_point(times, means):
    points = np.array([times, np.zeros(len(times)), np.ones(len(times)), np.ones(len(times))])
    _, rows = averaged(np.array([0, len(times)]), points, np.zeros(len(times), np.int8), 0.5, 1)
    assert rows[0].tolist() == means


def test_means_of_equal_times_are_in_the_order_of_their_bands():
    points = np.array([[1.0, 1.0, 1.0], [2.0, 0.0, 1.0], [5.0, 6.0, 7.0], [1.0, 1.0, 1.0]])
    _, rows = averaged(np.array([0, 3]), points, np.array([0, 1, 2], np.int8), 0.5, 3)
    assert rows[1:].tolist() == [[0.0, 1.0, 2.0], [6.0, 7.0, 5.0], [1.0, 1.0, 1.0], [1.0, 2.0, 0.0]]
