from __future__ import annotations

from pathlib import Path

import numpy as np

from redpoll import Column, science_module
from redpoll.plugin.graph import Graph
from redpoll.store import Store
from redpoll.testing.store_batches import store_batch
from redpoll.testing.store_rows import alert_rows, classification_rows
from redpoll.testing.store_suite import add


@science_module(version="3", outputs={"p_tde": Column("float32", assigns="tde", aggregate="max")})
def synthetic_tde(mag):
    return np.where(mag < 19, 0.75, 0.25)


def test_what_a_module_says_in_the_graph_is_found_in_the_store(store: Store) -> None:
    batch = store_batch(60, nights=(0, 1))
    result = Graph.build([synthetic_tde], []).run(batch).batch
    add(store, result)
    found = alert_rows(store, class_="extragalactic", night=20200102)
    assert found
    assert {row["alert_id"] for row in found} == {
        row["alert_id"] for row in alert_rows(store, limit=100) if row["mag"] < 19 and row["night"] == 20200102
    }
    (assigned,) = classification_rows(store, found[0]["object_id"])
    assert (assigned["name"], assigned["by"], assigned["max_probability"]) == ("tde", "synthetic_tde@3", 0.75)
    assert store.alerts.provenance(found[0]["alert_id"], "ztf")["classes"].startswith("taxonomy@")


def test_names_of_classes_and_classifiers_are_written_once_a_segment(store: Store, folder: Path) -> None:
    batch = store_batch(2000, points=1, cutout_bytes=1)
    sizes = [
        (folder / "archive" / "segments" / segment / "alerts.parquet").stat().st_size
        for segment in _segments(store, batch, batch.drop_columns(["classes"]))
    ]
    assert sizes[0] - sizes[1] < 5 * 2000


def _segments(store: Store, *batches):
    return [store.segments.write(batch) for batch in batches]
