from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from redpoll.errors import StoreError, StoreLocked
from redpoll.store import Cone, DeadLetter, LedgerEntry, Store, open_store, rebuild_store
from redpoll.testing.store_batches import store_batch
from redpoll.testing.store_rows import alert_rows, classification_rows, full_alert, ledger_rows, object_row
from redpoll.testing.store_suite import add


@pytest.fixture
def used(store: Store) -> Iterator[Store]:
    """A store with two surveys, two versions of a module, half of it compacted."""
    add(store, store_batch(40, nights=(0, 1)), dead_letters=[DeadLetter(b"x", "f", "0", "bad")])
    add(store, store_batch(10, start=1000, survey="rubin"), ledger=[LedgerEntry(None, None, "rejected", "bad", 1)])
    store.maintenance.compact(rows_per_pixel=10)
    positions = [("night.tar", f"member {i}") for i in range(40)]
    add(store, store_batch(40, start=40, nights=(1, 2), version="2"), positions=positions)
    add(store, store_batch(10, start=75))
    store.runs.end("done")
    yield store


def answers(store: Store, *, history: bool = True) -> list[Any]:
    """Everything a store can be asked; without runs and ledger if not `history`."""
    asked: list[Any] = [
        alert_rows(store, limit=1000),
        store.ledger.topics(),
        store.alerts.schema(),
        alert_rows(store, cone=Cone(0.0, 90.0, 648_000)),
    ]
    for row in alert_rows(store, limit=1000)[::9]:
        asked += [object_row(store, row["object_id"]), store.objects.light_curve(row["object_id"]).to_pylist()]
        asked += [
            full_alert(store, row["alert_id"], row["survey"]),
            store.alerts.provenance(row["alert_id"], row["survey"]),
        ]
        asked.append(classification_rows(store, row["object_id"]))
    asked += [alert_rows(store, topic="rising", night=night) for night in (20200101, 20200102)]
    asked += [alert_rows(store, class_="real", night=night) for night in (None, 20200102)]
    if history:
        asked += [
            ledger_rows(store),
            ledger_rows(store, by="run"),
            store.runs.table().to_pylist(),
        ]
    asked.append(store.dead_letters.table().to_pylist())
    return asked


def test_a_rebuilt_index_answers_as_before(used: Store, folder: Path) -> None:
    before = answers(used)
    used.close()
    result = rebuild_store(folder)
    assert (result.not_kept, result.missing, result.kept) == (
        (),
        (),
        ("runs", "ledger", "rejected", "positions", "revision_jobs"),
    )
    with open_store(folder) as again:
        assert answers(again) == before
        assert again.maintenance.check().ok
    assert sorted(path.name for path in folder.iterdir()) == ["archive", "dead_letters.sqlite", "index.sqlite", "lock"]


@pytest.mark.parametrize("loss", ["gone", "scrambled", "emptied"])
def test_a_lost_index_is_made_from_the_archive_alone(used: Store, folder: Path, loss: str) -> None:
    before = answers(used, history=False)
    used.close()
    index = folder / "index.sqlite"
    if loss == "gone":
        index.unlink()
    else:
        index.write_bytes(b"" if loss == "emptied" else b"\xff" * index.stat().st_size)
    result = rebuild_store(folder)
    assert result.not_kept == ("runs", "ledger", "rejected", "positions", "revision_jobs")
    with open_store(folder) as again:
        assert answers(again, history=False) == before
        assert again.maintenance.check().ok
        assert sum(row["stored"] for row in ledger_rows(again)) == result.alerts == 95
    assert any("broken" in path.name for path in folder.iterdir()) == (loss != "gone")


def test_positions_of_packets_are_kept_unless_they_cannot_be_read(used: Store, folder: Path) -> None:
    def where() -> list[Any]:
        with open_store(folder) as store:
            found = [store.ledger.origin(10**15 + i, "ztf").to_pylist()[0] for i in (3, 44, 79)]
            assert store.maintenance.check(deep=True).problems == ()
        return [(row["source"], row["position"]) for row in found]

    used.close()
    known = [(None, None), ("night.tar", "member 4"), ("night.tar", "member 39")]
    assert where() == known
    assert rebuild_store(folder).ok
    assert where() == known
    with closing(sqlite3.connect(folder / "index.sqlite")) as index, index:
        index.execute("UPDATE positions SET data = substr(data, 1, 20)")
    with open_store(folder) as store:
        assert "positions" in store.maintenance.check().problems[0]
    assert rebuild_store(folder).ok
    assert where() == [(None, None)] * 3


def test_a_rebuilt_store_takes_more_alerts(used: Store, folder: Path) -> None:
    used.close()
    rebuild_store(folder)
    with open_store(folder, mode="write") as again:
        again.runs.start("next")
        assert add(again, store_batch(40, start=80)) == 35
        again.maintenance.compact()
        assert again.maintenance.check().ok


def test_rebuilding_needs_the_store_for_itself(used: Store, folder: Path) -> None:
    with pytest.raises(StoreLocked):
        rebuild_store(folder)
    used.close()
    with open_store(folder) as reader:
        with pytest.raises(StoreError, match="open elsewhere"):
            rebuild_store(folder)
        assert alert_rows(reader)
    assert not [path for path in folder.iterdir() if path.name.startswith(".tmp")]


def test_where_no_archive_is_nothing_is_rebuilt(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no archive"):
        rebuild_store(tmp_path)


def test_a_newer_index_is_not_replaced(used: Store, folder: Path) -> None:
    import sqlite3

    used.close()
    connection = sqlite3.connect(folder / "index.sqlite")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match="newer"):
        rebuild_store(folder)


def test_a_segment_that_is_gone_is_reported(used: Store, folder: Path) -> None:
    used.close()
    segment = next(path for path in (folder / "archive" / "segments").iterdir() if (path / "alerts.parquet").exists())
    (segment / "alerts.parquet").unlink()
    result = rebuild_store(folder)
    assert result.missing == (f"segments/{segment.name}",)
    with open_store(folder) as again:
        assert len(alert_rows(again, limit=1000)) == result.alerts < 95


def test_alerts_in_two_segments_count_once_when_the_index_is_lost(used: Store, folder: Path) -> None:
    used.segments.write(store_batch(10, start=80))  # five of them are stored already
    used.segments.write(store_batch(5, start=0))  # all of them
    used.close()
    (folder / "index.sqlite").unlink()
    assert rebuild_store(folder).alerts == 100
    with open_store(folder, mode="write") as again:
        again.runs.start("next")
        assert again.maintenance.check().ok
