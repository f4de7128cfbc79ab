"""Random commits, revisions, compactions and rebuilds: every reader agrees with a plain dict of the newest values."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from redpoll.schema.column import Column
from redpoll.store import Store, open_store, rebuild_store
from redpoll.testing.store_batches import store_batch
from redpoll.testing.store_revisions import revise
from redpoll.testing.store_rows import alert_rows, full_alert, object_row
from redpoll.testing.store_suite import add

FIRST, N, OBJECTS = 10**15, 12, 5
DECLARED = {"p_new": Column("float32", aggregate="max"), "archived_new": Column("float32", indexed=False)}
NUMBERS = ("p_synthetic", "n_synthetic", "feature_archived", "p_new", "archived_new")
TOPICS = ("pass_rising", "pass_new")
NAMES = (*NUMBERS, *TOPICS, "classes")
Model = dict[int, dict[str, Any]]
Step = tuple[str, int, list[int], list[str]]

STEPS = st.one_of(
    st.tuples(st.just("commit"), st.just(0), st.just([]), st.just([])),
    st.tuples(
        st.just("revise"),
        st.integers(0, 999),
        st.lists(st.integers(0, 99), min_size=1, max_size=9),
        st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True),
    ),
    st.tuples(st.just("compact"), st.sampled_from([3, 1000]), st.just([]), st.just([])),
    st.tuples(st.sampled_from(["rebuild", "lose"]), st.just(0), st.just([]), st.just([])),
)


def drawn(name: str, chance: np.random.Generator, n: int, maker: str) -> list[Any]:
    """New values of a column; some are unknown."""
    if name == "classes":
        names = chance.choice(["sn_ia", "agn", "sn"], n).tolist()
        return [
            [{"name": c, "probability": 0.5, "by": maker}] * k
            for c, k in zip(names, chance.integers(0, 2, n).tolist(), strict=True)
        ]
    known = chance.random(n) < 0.8
    values = chance.integers(-8, 9, n).tolist()
    if name in TOPICS:
        values = [value > 0 for value in values]
    elif name != "n_synthetic":
        values = [value / 4 for value in values]
    return [value if is_known else None for value, is_known in zip(values, known.tolist(), strict=True)]


def committed(model: Model, store: Store) -> None:
    batch = store_batch(N, start=len(model), objects=OBJECTS, points=2, cutout_bytes=20)
    add(store, batch)
    columns = {name: batch[name].to_pylist() for name in NAMES if name in batch.schema.names}
    for i in range(N):
        row = {name: columns[name][i] if name in columns else None for name in NAMES}
        made = dict.fromkeys(NUMBERS[:3], "synthetic@1") | {
            "pass_rising": "synthetic_filter@1",
            "classes": "taxonomy@1",
        }
        model[FIRST + len(model)] = row | {"made": made, "object": batch["object_id"][i].as_py()}


def revised(model: Model, store: Store, seed: int, chosen: list[int], names: list[str]) -> None:
    ids = sorted({FIRST + i % len(model) for i in chosen})
    chance, maker = np.random.default_rng(seed), f"synthetic@{seed}"
    columns = {name: drawn(name, chance, len(ids), maker) for name in names}
    assert revise(store, ids, columns, by=maker, declared=DECLARED) == len(ids)
    for name, values in columns.items():
        for alert_id, value in zip(ids, values, strict=True):
            model[alert_id][name] = value
            model[alert_id]["made"] = model[alert_id]["made"] | {name: maker}


def compare(model: Model, store: Store) -> None:
    """Every reader of the store against the model."""
    names = [name for name in NAMES if name in store.alerts.schema().names]
    rows = {row["alert_id"]: row for row in alert_rows(store, ["alert_id", "topics", *names])}
    expected = {i: {name: row[name] for name in names} for i, row in model.items()}
    assert {i: {name: row[name] for name in names} for i, row in rows.items()} == expected
    assert {i: full_alert(store, i, "ztf", names) for i in model} == expected
    for name in NUMBERS:
        if name in names:
            found = {row["alert_id"] for row in alert_rows(store, ["alert_id"], where=f"{name} > 0.5")}
            assert found == {i for i, row in model.items() if row[name] is not None and row[name] > 0.5}
    for i, row in rows.items():
        assert {f"pass_{topic}" for topic in row["topics"]} >= {name for name in TOPICS if model[i][name]}
        assert not {f"pass_{topic}" for topic in row["topics"]} & {name for name in TOPICS if not model[i][name]}
        assert {k: v for k, v in store.alerts.provenance(i, "ztf").items() if k in NAMES} == model[i]["made"]
    for name in TOPICS:
        topic, passed = name.removeprefix("pass_"), {i for i, row in model.items() if row[name]}
        assert store.ledger.topics().get(topic, 0) == len(passed)
        assert {row["alert_id"] for row in alert_rows(store, ["alert_id"], topic=topic)} == passed
    classes = Counter(name for row in model.values() for name in {assigned["name"] for assigned in row["classes"]})
    assert store.ledger.classes() == dict(classes)
    compare_objects(model, store, names)


def compare_objects(model: Model, store: Store, names: list[str]) -> None:
    for object_id in {row["object"] for row in model.values()}:
        summary = object_row(store, object_id)
        for how, name in ((max, "p_synthetic"), (min, "n_synthetic"), (max, "p_new")):
            known = [row[name] for row in model.values() if row["object"] == object_id and row[name] is not None]
            if name in names:
                assert summary[f"{how.__name__}_{name}"] == (how(known) if known else None)


@settings(max_examples=15, deadline=None)
@given(st.lists(STEPS, min_size=1, max_size=9))
def test_every_reader_returns_the_newest_values(steps: list[Step]) -> None:
    folder, model = Path(tempfile.mkdtemp()) / "store", dict[int, dict[str, Any]]()
    store = open_store(folder, mode="write")
    try:
        for kind, number, chosen, names in [("commit", 0, [], []), *steps]:
            store.runs.start("test")
            store.revisions.start("job", "test")
            if kind == "commit":
                committed(model, store)
            elif kind == "revise":
                revised(model, store, number, chosen, names)
            elif kind == "compact":
                store.maintenance.compact(rows_per_pixel=number)
            else:
                store.close()
                if kind == "lose":
                    (folder / "index.sqlite").unlink()
                result = rebuild_store(folder)
                assert result.ok
                store = open_store(folder, mode="write")
        compare(model, store)
        store.runs.end("done")
        store.close()
        with open_store(folder) as store:
            assert store.maintenance.check(deep=True).problems == ()
    finally:
        store.close()
        shutil.rmtree(folder.parent)
