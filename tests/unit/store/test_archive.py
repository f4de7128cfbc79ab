from __future__ import annotations

import resource
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from redpoll.errors import StoreError
from redpoll.store import Commit, DeadLetter, Store, indexed_columns, open_store
from redpoll.store.archive import Archive
from redpoll.testing.store_batches import store_batch
from redpoll.testing.store_rows import alert_rows, full_alert
from redpoll.testing.store_suite import add


@contextmanager
def no_file_longer_than(n_bytes: int) -> Iterator[None]:
    """Let the operating system refuse writes, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def segments(folder: Path) -> Path:
    return folder / "archive" / "segments"


def test_a_worker_process_writes_segments(store: Store) -> None:
    batch = store_batch(20)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        segment = pool.submit(store.segments.write, batch).result()
    assert store.runs.commit(Commit(indexed_columns(batch), segment)) == 20
    assert store.maintenance.check().ok


def test_one_light_curve_and_one_cutout_are_small_reads(store: Store, folder: Path) -> None:
    segment = segments(folder) / store.segments.write(store_batch(300))
    rows = {
        file: pq.read_metadata(segment / file).row_group(0).num_rows
        for file in ("light_curves.parquet", "cutouts.parquet")
    }
    assert rows == {"light_curves.parquet": 128, "cutouts.parquet": 64}


@pytest.mark.parametrize(("survey", "codec"), [("ztf", "UNCOMPRESSED"), ("rubin", "ZSTD")])
def test_only_cutouts_that_are_not_gzipped_are_compressed(store: Store, folder: Path, survey: str, codec: str) -> None:
    segment = segments(folder) / store.segments.write(store_batch(5, survey=survey))
    assert pq.read_metadata(segment / "cutouts.parquet").row_group(0).column(2).compression == codec


def test_units_and_documentation_are_in_the_files(store: Store, folder: Path) -> None:
    segment = segments(folder) / store.segments.write(store_batch(5))
    assert pq.read_schema(segment / "alerts.parquet").field("rise_rate").metadata[b"unit"] == b"mag/day"


def test_a_batch_without_cutouts_or_history_is_stored(store: Store) -> None:
    batch = store_batch(5)
    slim = batch.drop_columns(["cutout_science", "cutout_template", "cutout_difference", "light_curve"])
    assert add(store, slim) == 5
    assert full_alert(store, 10**15, "ztf")["packet"] == {"candid": 0, "note": "synthetic"}
    assert store.objects.light_curve("ZTFmade0001").num_rows == 0
    store.maintenance.compact()
    assert store.maintenance.check().ok


@pytest.mark.parametrize("change", ["two surveys", "no survey", "null position"])
def test_a_batch_that_cannot_be_found_again_is_refused(store: Store, change: str) -> None:
    batch = store_batch(4)
    if change == "two surveys":
        table = pa.concat_tables(
            [pa.table(batch), pa.table(store_batch(4, survey="rubin"))], promote_options="permissive"
        )
        batch = table.unify_dictionaries().combine_chunks().to_batches()[0]
    elif change == "no survey":
        batch = batch.drop_columns(["survey"])
    else:
        at = batch.schema.get_field_index("ra")
        batch = batch.set_column(at, batch.schema.field("ra"), pa.nulls(4, pa.float64()))
    with pytest.raises(StoreError, match="one survey"):
        store.segments.write(batch)


def test_a_full_disk_leaves_no_trace_of_a_segment(store: Store, folder: Path) -> None:
    with no_file_longer_than(50_000), pytest.raises(StoreError, match="cannot write"):
        store.segments.write(store_batch(100, cutout_bytes=5_000))
    assert list((folder / "archive" / "segments").iterdir()) == []
    assert add(store, store_batch(100, cutout_bytes=5_000)) == 100


def test_a_disk_that_fills_during_a_commit_leaves_the_store_as_it_was(store: Store, folder: Path) -> None:
    add(store, store_batch(10))
    batch = store_batch(2000, start=10, cutout_bytes=1)
    segment = store.segments.write(batch)
    letters = [DeadLetter(b"x", "f", "0", "bad")]
    with no_file_longer_than(100_000), pytest.raises(StoreError, match="free space"):
        store.runs.commit(Commit(indexed_columns(batch), segment, dead_letters=letters))
    assert (len(alert_rows(store, limit=5000)), sum(store.ledger.table()["stored"].to_pylist())) == (10, 10)
    store.runs.commit(Commit(indexed_columns(batch), segment, dead_letters=letters))
    assert store.dead_letters.table().num_rows == 1  # durable before the alerts, and not doubled by the second attempt
    assert store.maintenance.check().ok
    assert len(alert_rows(store, limit=5000)) == 2010


def test_a_disk_that_fills_during_compaction_leaves_the_store_as_it_was(store: Store) -> None:
    add(store, store_batch(500, points=40))
    before = alert_rows(store, limit=1000)
    with no_file_longer_than(20_000), pytest.raises(StoreError, match="free space"):
        store.maintenance.compact(rows_per_pixel=10)
    assert alert_rows(store, limit=1000) == before
    assert store.maintenance.check().ok
    assert store.maintenance.compact()[0].alerts == 500


def test_the_archive_of_no_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="not a store"):
        Archive(tmp_path / "nowhere").write(store_batch(2))


def test_what_a_crash_left_is_removed_by_the_next_run(store: Store, folder: Path) -> None:
    add(store, store_batch(5))
    orphan = segments(folder) / store.segments.write(store_batch(5, start=5))
    (orphan.parent / ".tmp-ztf-20200101-half").mkdir()
    (orphan.parent / "notes").mkdir()
    store.close()
    with open_store(folder, mode="write") as again:
        again.runs.start("next")
        assert len(list(orphan.parent.iterdir())) == 2  # the segment that counts, and what we did not make
        assert [p for p in again.maintenance.check().problems if "notes" not in p] == []
        assert len(alert_rows(again)) == 5
