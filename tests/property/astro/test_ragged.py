"""Curves split into bands and put together again."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from redpoll.astro.ragged import by_band, last_of_each, owners, taken

points = st.tuples(st.integers(-1, 5), st.booleans())
batches = st.lists(st.lists(points, max_size=12), max_size=8)


@given(batches)
def test_each_part_holds_its_curves_kept_points_of_its_band_in_order(curves):
    flat = [p for curve in curves for p in curve]
    band, keep = np.array([b for b, _ in flat], np.int8), np.array([k for _, k in flat], bool)
    offsets = np.cumsum([0, *map(len, curves)])
    order, parts = by_band(offsets, band, keep, 6)
    assert len(parts) == 6 * len(curves) + 1
    for i in range(len(curves)):
        for b in range(6):
            expected = [j for j in range(offsets[i], offsets[i + 1]) if keep[j] and band[j] == b]
            assert order[parts[6 * i + b] : parts[6 * i + b + 1]].tolist() == expected


@given(batches)
def test_the_last_kept_point_of_each_curve(curves):
    keep = np.array([k for curve in curves for _, k in curve], bool)
    offsets = np.cumsum([0, *map(len, curves)])
    expected = [max((j for j in range(a, b) if keep[j]), default=-1) for a, b in pairwise(offsets)]
    last = last_of_each(offsets, keep)
    assert last.tolist() == expected
    values = taken(np.arange(len(keep)) * 1.5, last)
    np.testing.assert_array_equal(values, [np.nan if j < 0 else 1.5 * j for j in expected])
    assert len(owners(offsets)) == len(keep)
