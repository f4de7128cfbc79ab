"""Curves split into bands and put together again."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from redpoll.astro.ragged import by_band, last_of_each, owners, per_point, some_parts, taken

points = st.tuples(st.integers(-1, 6), st.booleans())
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


@given(batches, st.lists(st.integers(0, 47), max_size=6))
def test_some_parts_are_those_chosen_end_to_end(curves, chosen):
    flat = [p for curve in curves for p in curve]
    band, keep = np.array([b for b, _ in flat], np.int8), np.array([k for _, k in flat], bool)
    order, parts = by_band(np.cumsum([0, *map(len, curves)]), band, keep, 6)
    chosen = np.array([i for i in chosen if i < len(parts) - 1], np.int64)
    index, ends = some_parts(order, parts, chosen)
    assert len(ends) == len(chosen) + 1 and len(index) == ends[-1]
    for i, (a, b) in zip(chosen, pairwise(ends), strict=True):
        assert index[a:b].tolist() == order[parts[i] : parts[i + 1]].tolist()


def test_one_text_stands_for_all_points_and_several_are_repeated():
    assert per_point(np.array(["a"], object), np.array([0, 2])) == "a"
    assert per_point(np.array([], object), np.array([0])).tolist() == []
    assert per_point(np.array(["a", "b"], object), np.array([0, 2, 3])).tolist() == ["a", "a", "b"]
