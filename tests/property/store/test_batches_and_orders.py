from __future__ import annotations

import shutil
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from redpoll.store import Cone, Store, open_store
from redpoll.store.hats import pixels_of
from redpoll.testing.store_batches import store_batch
from redpoll.testing.store_rows import alert_rows, classification_rows, object_row
from redpoll.testing.store_suite import add

N = 40
VALUES = st.one_of(st.none(), st.floats(0, 30, width=32), st.just(float("nan")))


def batch_of(mags: list[float | None], days: list[int], bands: list[str | None]) -> pa.RecordBatch:
    """Alerts of five objects, at times that often coincide."""
    batch = store_batch(N, objects=5, points=2, cutout_bytes=20)
    changes: dict[str, Any] = {"mag": mags, "mjd": [59000.0 + d for d in days], "p_synthetic": mags, "band": bands}
    for name, values in changes.items():
        at = batch.schema.get_field_index(name)
        column = pa.array(values, pa.string()).dictionary_encode() if name == "band" else pa.array(values)
        batch = batch.set_column(at, batch.schema.field(name), column.cast(batch.schema.field(name).type))
    return batch


def answers(store: Store) -> list[Any]:
    objects = [f"ZTFmade{i:04d}" for i in range(5)]
    asked = [
        [object_row(store, o), alert_rows(store, object_ids=[o]), store.objects.light_curve(o).to_pylist()]
        for o in objects
    ]
    asked += [[classification_rows(store, o) for o in objects], alert_rows(store, class_="extragalactic", limit=1000)]
    return [
        asked,
        alert_rows(store, limit=1000),
        store.ledger.topics(),
        alert_rows(store, cone=Cone(0.0, 90.0, 648_000.0)),
    ]


@settings(max_examples=12)
@given(
    st.lists(VALUES, min_size=N, max_size=N),
    st.lists(st.integers(0, 3), min_size=N, max_size=N),
    st.lists(st.sampled_from(["g", "r", None]), min_size=N, max_size=N),
    st.permutations(range(N)),
    st.lists(st.integers(0, N), max_size=3),
)
def test_answers_depend_on_the_alerts_not_on_batches_or_order(
    mags: list[float | None], days: list[int], bands: list[str | None], order: list[int], cuts: list[int]
) -> None:
    whole = batch_of(mags, days, bands)
    shuffled = [whole.slice(i, 1) for i in order]
    folder = Path(tempfile.mkdtemp())
    try:
        with open_store(folder / "one", mode="write") as one, open_store(folder / "many", mode="write") as many:
            one.runs.start("one")
            many.runs.start("many")
            add(one, whole)
            edges = [0, *sorted(cuts), N]
            for start, stop in pairwise(edges):
                if start < stop:
                    rows = pa.Table.from_batches(shuffled[start:stop]).combine_chunks().to_batches()
                    add(many, rows[0])
            assert answers(one) == answers(many)
            add(many, whole)
            many.maintenance.compact(rows_per_pixel=7)
            assert answers(one) == answers(many)
            assert many.maintenance.check().problems == ()
    finally:
        shutil.rmtree(folder)


@given(st.lists(st.integers(0, 12 * 4**29 - 1) | st.integers(0, 1 << 20), max_size=200), st.integers(1, 50))
def test_pixels_cover_all_alerts_once(indices: list[int], max_rows: int) -> None:
    hpx = np.sort(np.array(indices, np.int64))
    pixels = pixels_of(hpx, max_rows)
    assert all(a.stop <= b.start for a, b in pairwise(pixels))
    assert sum(p.rows for p in pixels) == len(hpx)
    for pixel in pixels:
        assert pixel.rows == ((pixel.start <= hpx) & (hpx < pixel.stop)).sum() > 0
        assert pixel.rows <= max_rows or pixel.norder == 15
