"""Read connections: queries that have to stop, and names and columns that change beside a reader."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from redpoll.errors import StoreError, StoreTimeout
from redpoll.schema.column import Column
from redpoll.store import Selection, Store, open_store, query_time
from redpoll.store.layout import Layout
from redpoll.store.pool import ReadPool
from redpoll.testing.store_batches import store_batch
from redpoll.testing.store_rows import alert_rows, classification_rows, object_row
from redpoll.testing.store_suite import add

ENDLESS = "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c) SELECT count(*) FROM c"


@pytest.fixture
def pool(store: Store, folder: Path) -> Iterator[ReadPool]:
    add(store, store_batch(5))
    pool = ReadPool(Layout(folder))
    yield pool
    pool.close()


def test_a_query_stops_when_its_time_is_over_and_the_next_is_answered(pool: ReadPool) -> None:
    started = time.monotonic()
    with pytest.raises(StoreTimeout, match="takes too long"), query_time(0.1):
        pool.execute(ENDLESS)
    assert time.monotonic() - started < 10.0
    assert pool.execute("SELECT count(*) FROM alerts") == [(5,)]


def test_an_inner_time_does_not_extend_an_outer_one(pool: ReadPool) -> None:
    with query_time(0.05), query_time(60.0), pytest.raises(StoreTimeout):
        pool.execute(ENDLESS)


def test_the_time_is_that_of_all_queries_together(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    add(store, store_batch(5))
    now = [time.monotonic()]
    monkeypatch.setattr("redpoll.store.pool._now", lambda: now[0])
    with query_time(10.0):
        now[0] += 9.0
        assert len(alert_rows(store)) == 5
        now[0] += 2.0
        with pytest.raises(StoreTimeout):
            alert_rows(store)
    assert len(alert_rows(store)) == 5


def test_a_walk_in_sql_through_the_whole_store_stops_in_time(store: Store) -> None:
    for start in range(0, 30_000, 10_000):
        add(store, store_batch(10_000, start=start))
    slow = " and ".join(f"abs(mag * {i}) >= 0" for i in range(1, 40)) + " and mag < 0"
    with pytest.raises(StoreTimeout), query_time(0.01):
        alert_rows(store, where=slow)


def test_closing_a_store_stops_the_queries_of_other_threads(pool: ReadPool) -> None:
    errors: list[StoreError] = []

    def ask() -> None:
        with pytest.raises(StoreError) as error:
            pool.execute(ENDLESS)
        errors.append(error.value)

    thread = threading.Thread(target=ask)
    thread.start()
    time.sleep(0.2)
    pool.close()
    thread.join(timeout=20.0)
    assert not thread.is_alive()
    assert "closed" in str(errors[0])


def test_ctrl_c_stops_a_query(store: Store, folder: Path) -> None:
    program = f"""
import os, signal, threading, time
from pathlib import Path
from redpoll.store.layout import Layout
from redpoll.store.pool import ReadPool
pool = ReadPool(Layout(Path({str(folder)!r})))
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    pool.execute({ENDLESS!r})
except KeyboardInterrupt:
    print("stopped", pool.execute("SELECT 1"))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "stopped [(1,)]\n", done.stderr


def test_a_reader_waits_for_a_connection_that_others_use(pool: ReadPool) -> None:
    counts: list[int] = []

    def ask() -> None:
        with pool.lease() as connection:
            time.sleep(0.02)
            counts.append(connection.execute("SELECT count(*) FROM alerts").fetchone()[0])

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30.0)
    assert counts == [5] * 12


def test_new_columns_names_and_types_are_seen_after_each_commit(store: Store, folder: Path) -> None:
    """Whatever a reader keeps between two questions, its answers are those of a reader opened afterwards."""
    with open_store(folder) as reader:
        for i in range(6):
            add(store, _changed(store_batch(8, start=8 * i, objects=3), i))
            with open_store(folder) as fresh:
                assert alert_rows(reader) == alert_rows(fresh)
                assert reader.alerts.scan().schema.equals(fresh.alerts.scan().schema, check_metadata=True)
                names = {row["object_id"] for row in alert_rows(fresh)}
                for name in names:
                    assert object_row(reader, name) == object_row(fresh, name)
                    assert classification_rows(reader, name) == classification_rows(fresh, name)
                    assert reader.objects.get(name).to_table().equals(fresh.objects.get(name).to_table())
                assert len(alert_rows(reader, topic=f"topic_{i}")) == len(alert_rows(fresh, topic=f"topic_{i}"))


def _changed(batch: pa.RecordBatch, i: int) -> pa.RecordBatch:
    """A batch with a column that comes later, and one whose type changes from integer to float to text."""
    kinds = [pa.int32(), pa.float32(), pa.int64(), pa.float64(), pa.string(), pa.bool_()]
    values = pa.array([(k + i) % 2 for k in range(batch.num_rows)]).cast(kinds[i])
    batch = batch.append_column(Column(kinds[i]).field("fickle", by=f"m@{i}"), values)
    batch = batch.append_column(
        pa.field(f"pass_topic_{i}", pa.bool_(), metadata={"indexed": "0"}), pa.array([True] * batch.num_rows)
    )
    later = pa.array([float(k) for k in range(batch.num_rows)], pa.float32())
    return batch.append_column(Column("float32", aggregate="max").field(f"later_{i}", by="m@1"), later)


def test_rows_and_tables_agree_where_a_column_changed_its_type(store: Store) -> None:
    for i in range(6):
        add(store, _changed(store_batch(4, start=4 * i), i))
    rows = store.alerts.scan(["fickle", "alert_id"], order_by="oldest").to_rows()
    table = store.alerts.scan(["fickle", "alert_id"], order_by="oldest").to_table()
    assert rows == table.to_pylist()
    assert {type(row["fickle"]) for row in rows} == {str}


def test_the_page_after_the_first_is_read_when_it_is_asked_for(store: Store) -> None:
    add(store, store_batch(20))
    scan = store.alerts.scan(["alert_id"], Selection(), limit=5)
    assert len(scan.to_rows()) == 5
    assert scan.after is not None
    rest = store.alerts.scan(["alert_id"], Selection(), after=scan.after).to_rows()
    assert len(rest) == 15
