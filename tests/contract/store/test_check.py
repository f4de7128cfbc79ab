from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from redpoll.store import Store, open_store
from redpoll.store.archive import take
from redpoll.testing.store_batches import store_batch
from redpoll.testing.store_suite import add


def sql(*statements: str) -> Callable[[Path], None]:
    def run(folder: Path) -> None:
        connection = sqlite3.connect(folder / "index.sqlite")
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        connection.close()

    return run


def on_file(pattern: str, change: Callable[[Path], object]) -> Callable[[Path], None]:
    return lambda folder: change(sorted((folder / "archive").glob(pattern))[0]) and None


def reverse_rows(path: Path) -> None:
    table = pq.read_table(path, partitioning=None)
    pq.write_table(take(table, np.arange(table.num_rows)[::-1]), path)


DAMAGE: dict[str, Callable[[Path], None]] = {
    "a file of a segment is gone": on_file("segments/*/light_curves.parquet", Path.unlink),
    "a whole segment is gone": on_file("segments/*", shutil.rmtree),
    "a file is cut short": on_file("segments/*/alerts.parquet", lambda p: p.write_bytes(p.read_bytes()[:-100])),
    "rows of a segment changed places": on_file("segments/*/cutouts.parquet", reverse_rows),
    "a pixel is gone": on_file("generations/*/dataset/*/*/Npix=0.parquet", Path.unlink),
    "rows of a pixel changed places": on_file("generations/*/dataset/*/*/Npix=0.parquet", reverse_rows),
    "a file nobody knows": on_file("segments/*", lambda p: (p / "more.parquet").write_bytes(b"x")),
    "a segment nobody knows": on_file("segments", lambda p: (p / "ztf-20200101-0123456789abcdef").mkdir()),
    "a pixel nobody knows": on_file(
        "generations/*/dataset/Norder=0/Dir=0/Npix=0.parquet", lambda p: shutil.copy(p, p.with_name("Npix=77.parquet"))
    ),
    "an unfinished segment": on_file("segments", lambda p: (p / ".tmp-x").mkdir()),
    "a link to nowhere": on_file("hats/ztf", lambda p: (p.unlink(), p.symlink_to("nowhere"))),
    "an alert is gone": sql("DELETE FROM alerts WHERE alert_id = 1000000000000003"),
    "an alert points elsewhere": sql("UPDATE alerts SET _row = 0 WHERE alert_id = 1000000000000003"),
    "an object counts wrong": sql("UPDATE objects SET n_alerts = n_alerts + 1 WHERE _id = 1"),
    "the ledger counts wrong": sql("UPDATE ledger SET n = n + 1 WHERE outcome = 'stored'"),
    "a topic is gone": sql("DELETE FROM alert_topics WHERE alert_id = 1000000000000003"),
    "a class is gone": sql("DELETE FROM alert_classes WHERE alert_id = 1000000000000003"),
    "an index disagrees with its table": sql(
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET sql = 'CREATE INDEX alerts_hpx29 ON alerts (night)' WHERE name = 'alerts_hpx29'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damage_is_found(store: Store, folder: Path, damage: Callable[[Path], None]) -> None:
    add(store, store_batch(40))
    store.maintenance.compact(rows_per_pixel=10)
    add(store, store_batch(20, start=40))
    assert store.maintenance.check().ok
    store.close()
    damage(folder)
    with open_store(folder) as again:
        assert not again.maintenance.check().ok


def test_what_a_running_writer_has_not_committed_is_not_strange(store: Store, folder: Path) -> None:
    store.segments.write(store_batch(10))
    with open_store(folder) as reader:
        assert reader.maintenance.check().ok
