"""Sorting histories gives what a full sort gives, ties and all; of each exposure one point is left."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from redpoll.schema.history import Points, items, light_curves
from redpoll.schema.time_order import time_order

NAMES = ("mjd", "band", "flux", "flux_err", "kind")


def points(row, mjd, label=0):
    """Points whose flux numbers them."""
    n = len(row)
    numbers = (np.arange(n) + 1000 * label).astype(np.float32)
    band, kind = np.zeros(n, np.int8), np.full(n, label, np.int8)
    return Points(np.array(row, np.int64), np.array(mjd, float), band, numbers, numbers, kind)


def sorted_fully(own, *histories):
    """The oracle: one stable sort of all points by row, ownness and time."""
    parts = [h.kept(np.isfinite(h.mjd)) for h in histories]
    joined = {name: np.concatenate([getattr(p, name) for p in (*parts, own)]) for name in ("row", *NAMES)}
    is_own = np.arange(len(joined["row"])) >= len(joined["row"]) - len(own.row)
    order = np.lexsort((joined["mjd"], is_own, joined["row"]))
    return {name: joined[name][order] for name in NAMES}


def random_points(rng, n_rows, per_row, label, disorder):
    row = np.sort(rng.integers(0, n_rows, rng.integers(0, per_row * n_rows + 1)))
    mjd = np.round(rng.random(len(row)) * 20) + rng.choice([0, 0.5])
    mjd[rng.random(len(row)) < 0.03] = np.nan
    for r in range(n_rows):
        mine = np.flatnonzero(row == r)
        if rng.random() > disorder:
            mjd[mine] = np.sort(mjd[mine])
    return points(row, mjd, label)


@pytest.mark.parametrize("seed", range(60))
def test_merging_equals_sorting(seed):
    rng = np.random.default_rng(seed)
    n_rows = int(rng.integers(1, 9))
    disorder = rng.choice([0.0, 0.3, 1.0])
    histories = [random_points(rng, n_rows, 12, label, disorder) for label in range(1, int(rng.integers(1, 5)))]
    own = points(range(n_rows), np.where(rng.random(n_rows) < 0.2, np.nan, rng.random(n_rows) * 20))
    parts = [h.kept(np.isfinite(h.mjd)) for h in histories]
    row, mjd, flux = (np.concatenate([getattr(p, name) for p in (*parts, own)]) for name in ("row", "mjd", "flux"))
    order, offsets = time_order(row, mjd, n_rows)
    expected = sorted_fully(own, *histories)
    assert np.array_equal(mjd[order], expected["mjd"], equal_nan=True)
    assert np.array_equal(flux[order], expected["flux"])
    assert np.array_equal(np.diff(offsets) - 1, np.bincount(row[:-n_rows], minlength=n_rows))


def test_of_each_exposure_the_best_point_is_left():
    own = points([0], [9.0])
    found = light_curves(own, points([0, 0], [5.0, 9.0], 1), points([0, 0], [5.0, 4.0], 2))
    assert found.flux.tolist() == [2001.0, 1000.0, 0.0]


def test_no_rows_have_no_curves():
    assert len(light_curves(points([], []), points([], []))) == 0


@pytest.mark.parametrize(("row", "mjd"), [([0, 3], [1.0, 2.0]), ([0, 1], [1.0])])
def test_points_of_no_row_are_refused(row, mjd):
    with pytest.raises(ValueError, match="row"):
        time_order(np.array(row), np.array(mjd), 2)


def test_items_know_their_row():
    lists = pa.array([[{"a": 1}], None, [], [{"a": 2}, {"a": 3}]])
    found, row = items(lists)
    assert (found.field("a").to_pylist(), row.tolist()) == ([1, 2, 3], [0, 3, 3])


def test_a_field_that_is_no_list_has_no_items():
    found, row = items(pa.nulls(4))
    assert len(found) == len(row) == 0
