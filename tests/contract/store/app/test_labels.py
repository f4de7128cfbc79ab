from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redpoll.errors import NotFound, StoreError, UsageError
from redpoll.store import open_store
from redpoll.store.app import App, Label, LabelQuery, open_app

SN = Label("ztf", "ZTF20aaaaaaa", "sn_ia", "expert", "ada", alert_id=2**62 + 1, confidence=0.9, note="seen twice")
AGN = Label("rubin", "9" * 18, "agn", "catalogue", "milliquas")


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """The labels, models, filters and watchlists of an empty store."""
    open_store(tmp_path / "store", mode="write").close()
    with open_app(tmp_path / "store") as app:
        yield app


def test_labels_come_back_as_they_were_added(app: App) -> None:
    assert app.labels.add([SN, AGN]) == [1, 2]
    first, second = app.labels.table().to_pylist()
    assert {name: first[name] for name in SN.__dict__} == SN.__dict__
    assert {name: second[name] for name in AGN.__dict__} == AGN.__dict__


def test_every_column_states_its_meaning_and_times_are_utc(app: App) -> None:
    schema = app.labels.table().schema
    assert all(field.metadata[b"doc"] for field in schema)
    assert schema.field("added").type == pa.timestamp("ms", "UTC")


def test_a_label_taken_back_is_a_new_row(app: App) -> None:
    app.labels.add([SN, AGN])
    assert app.labels.retract(1, by="bob", note="was a dwarf nova") == 3
    assert app.labels.table()["label_id"].to_pylist() == [2]
    everything = app.labels.table(LabelQuery(current=False)).to_pylist()
    assert [(row["label_id"], row["retracts"], row["by"]) for row in everything] == [
        (1, None, "ada"), (2, None, "milliquas"), (3, 1, "bob"),
    ]  # fmt: skip


def test_a_label_is_taken_back_once(app: App) -> None:
    app.labels.add([SN])
    row = app.labels.retract(1, by="bob")
    with pytest.raises(StoreError, match="already"):
        app.labels.retract(1, by="bob")
    with pytest.raises(StoreError, match="takes back"):
        app.labels.retract(row, by="bob")
    with pytest.raises(NotFound):
        app.labels.retract(99, by="bob")


@pytest.mark.parametrize(
    "query, found",
    [
        (LabelQuery(survey="ztf"), [1]),
        (LabelQuery(object_id="9" * 18), [2]),
        (LabelQuery(label="sn_ia", source="catalogue"), []),
        (LabelQuery(after=1), [2]),
    ],
)
def test_labels_are_selected(app: App, query: LabelQuery, found: list[int]) -> None:
    app.labels.add([SN, AGN])
    assert app.labels.table(query)["label_id"].to_pylist() == found


@pytest.mark.parametrize(
    "change",
    [
        {"source": "rumour"}, {"label": ""}, {"label": "x" * 101}, {"label": "a\x00b"}, {"object_id": "\ud800"},
        {"confidence": 1.5}, {"confidence": float("nan")}, {"survey": "../x"}, {"by": ""}, {"alert_id": 2**63},
        {"note": "n" * 5000},
    ],
    ids=str,
)  # fmt: skip
def test_a_label_that_cannot_be_right_is_refused_and_none_of_its_batch_is_kept(app: App, change: dict) -> None:
    with pytest.raises(UsageError):
        app.labels.add([AGN, Label(**(SN.__dict__ | change))])
    assert app.labels.table().num_rows == 0


@given(sizes=st.lists(st.integers(0, 7), max_size=6), batch_rows=st.integers(1, 5), back=st.sets(st.integers(1, 40)))
@settings(max_examples=20, deadline=None)
def test_scan_streams_the_same_rows_whatever_the_batches(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], batch_rows: int, back: set[int]
) -> None:
    folder = tmp_path_factory.mktemp("scan")
    open_store(folder, mode="write").close()
    with open_app(folder) as app:
        numbers = [n for size in sizes for n in app.labels.add([SN] * size)]
        for number in back & set(numbers):
            app.labels.retract(number, by="bob")
        batches = list(app.labels.scan(batch_rows=batch_rows))
        assert all(batch.num_rows <= batch_rows for batch in batches)
        assert [n for batch in batches for n in batch["label_id"].to_pylist()] == sorted(set(numbers) - back)


def test_without_a_store_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no Redpoll store"):
        open_app(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_a_closed_app_is_refused(app: App) -> None:
    app.close()
    app.close()
    with pytest.raises(StoreError, match="closed"):
        app.labels.table()


def test_where_nothing_can_be_written_labels_are_read(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    with open_app(tmp_path / "store") as reader:
        assert reader.labels.table().num_rows == 0
        assert not (tmp_path / "store" / "app.sqlite").exists()
    app.labels.add([SN])
    app.close()
    with open_app(tmp_path / "store") as reader:
        assert reader.labels.table().num_rows == 1
        with pytest.raises(StoreError, match="cannot be written"):
            reader.labels.add([SN])


def test_a_file_that_is_no_app_database_is_refused(app: App, tmp_path: Path) -> None:
    (tmp_path / "store" / "app.sqlite").write_bytes(b"not a database, but long enough" * 200)
    with pytest.raises(StoreError, match=r"app\.sqlite"):
        app.labels.table()
