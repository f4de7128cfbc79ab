from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from redpoll.errors import StoreError
from redpoll.store import Store, compaction, open_store, rebuild_store
from redpoll.testing.store_batches import store_batch, with_gaps
from redpoll.testing.store_rows import alert_rows, full_alert
from redpoll.testing.store_suite import add


class Crash(BaseException):
    """Stands for kill -9: nothing catches it, nothing is cleaned up."""


def pixel_files(folder: Path) -> dict[str, int]:
    """Pixel -> inode of its file."""
    return {path.name: path.stat().st_ino for path in (folder / "archive" / "hats" / "ztf" / "dataset").rglob("Npix=*")}


def test_pixels_without_new_alerts_are_linked_not_written(store: Store, folder: Path) -> None:
    add(store, store_batch(100))
    store.maintenance.compact(rows_per_pixel=20)
    before = pixel_files(folder)
    add(store, store_batch(1, start=100))
    (done,) = store.maintenance.compact(rows_per_pixel=20)
    after = pixel_files(folder)
    assert (done.rewritten, done.pixels) == (1, len(after))
    assert sum(before.get(name) == inode for name, inode in after.items()) == len(after) - 1


def test_a_pixel_that_grew_too_large_is_divided(store: Store, folder: Path) -> None:
    add(store, store_batch(60, objects=60))
    store.maintenance.compact(rows_per_pixel=10)
    few = len(pixel_files(folder))
    add(store, store_batch(240, start=60, objects=60))
    store.maintenance.compact(rows_per_pixel=10)
    assert len(pixel_files(folder)) > few
    assert store.maintenance.check().ok


def test_alerts_are_sorted_by_place_in_each_pixel(store: Store, folder: Path) -> None:
    for i in range(3):
        add(store, store_batch(100, start=100 * i))
    store.maintenance.compact(rows_per_pixel=50)
    files = list((folder / "archive" / "hats" / "ztf" / "dataset").rglob("Npix=*"))
    for path in files:
        hpx = pq.read_table(path, partitioning=None)["_healpix_29"].to_numpy()
        assert (np.diff(hpx) >= 0).all()
    assert sum(pq.read_metadata(path).num_rows for path in files) == 300


def test_packets_of_several_schema_versions_share_a_catalogue(store: Store) -> None:
    number = pa.array(np.arange(10))
    history = pa.array([[{"jd": 1.0, "band": "g"}]] * 10)
    old = store_batch(10, packet={"candid": number, "gone": pa.array(["x"] * 10), "prv": history})
    newer = pa.array([[{"jd": 1.0, "new": 2.5}], None] * 5)
    new = store_batch(10, start=10, packet={"candid": number, "prv": newer, "fp": history})
    add(store, old)
    store.maintenance.compact()
    add(store, new)
    store.maintenance.compact()
    assert full_alert(store, 10**15 + 3, "ztf")["packet"] == {
        "candid": 3, "gone": "x", "prv": [{"jd": 1.0, "band": "g", "new": None}], "fp": None,
    }  # fmt: skip
    packet = full_alert(store, 10**15 + 12, "ztf")["packet"]
    assert (packet["prv"], packet["fp"]) == ([{"jd": 1.0, "band": None, "new": 2.5}], [{"jd": 1.0, "band": "g"}])
    assert store.maintenance.check().ok


def lists_of(store: Store) -> list[Any]:
    """Light curves and classes of the alerts before number 500, by scan and one by one, and of an object."""
    rows = alert_rows(store, ["alert_id", "light_curve", "classes"], limit=1000)
    rows = [row for row in rows if row["alert_id"] < 10**15 + 500]
    full = [full_alert(store, row["alert_id"], "ztf", ["light_curve", "classes"]) for row in rows[::7]]
    return [rows, full, store.objects.light_curve("ZTFmade0003").to_pylist()]


def test_light_curves_and_classes_are_the_same_however_often_they_are_compacted(store: Store, folder: Path) -> None:
    add(store, with_gaps(store_batch(60)))
    kinds = store.alerts.scan(["light_curve", "classes"]).schema
    before = lists_of(store)
    store.maintenance.compact(rows_per_pixel=10)
    assert lists_of(store) == before
    add(store, with_gaps(store_batch(60, start=60)))
    before = lists_of(store)
    for rows_per_pixel in (40, 10):  # pixels that are joined and divided are read back
        add(store, store_batch(1, start=1000 + rows_per_pixel, objects=1))
        store.maintenance.compact(rows_per_pixel=rows_per_pixel)
        assert lists_of(store) == before
    store.close()
    assert rebuild_store(folder).ok
    with open_store(folder) as again:
        assert lists_of(again) == before
        assert again.alerts.scan(["light_curve", "classes"]).schema.equals(kinds, check_metadata=True)
        assert again.maintenance.check(deep=True).problems == ()


def test_a_catalogue_holds_lists_of_structs_as_structs_of_lists(store: Store, folder: Path) -> None:
    add(store, with_gaps(store_batch(20)))
    store.maintenance.compact()
    path = next((folder / "archive" / "hats" / "ztf" / "dataset").rglob("Npix=*"))
    schema = pq.read_schema(path)
    assert schema.field("light_curve").type.field("flux").type.value_type == pa.float32()
    assert schema.field("classes").type.field("name").type.value_type == pa.string()
    assert pq.read_schema(path.parents[2] / "_common_metadata").equals(schema, check_metadata=True)


def test_a_column_that_changed_its_type_is_named(store: Store) -> None:
    add(store, store_batch(5))
    field = pa.field("p_synthetic", pa.string(), metadata={"indexed": "1"})
    batch = store_batch(5, start=5)
    at = batch.schema.get_field_index("p_synthetic")
    add(store, batch.set_column(at, field, pa.array(["high"] * 5)))
    with pytest.raises(StoreError, match="p_synthetic"):
        store.maintenance.compact()
    assert store.maintenance.check().ok


def test_cutouts_are_never_copied(store: Store, folder: Path) -> None:
    add(store, store_batch(20))
    (cutouts,) = (folder / "archive" / "segments").glob("*/cutouts.parquet")
    inode = cutouts.stat().st_ino
    store.maintenance.compact()
    assert sorted(path.name for path in cutouts.parent.iterdir()) == ["SHA256SUMS", "cutouts.parquet"]
    assert cutouts.stat().st_ino == inode
    assert full_alert(store, 10**15 + 7, "ztf", ["cutout_science"])["cutout_science"].startswith(b"cutout_science7.")


def test_compaction_reports_how_far_it_is(store: Store) -> None:
    seen: list[tuple[str, int, int]] = []
    add(store, store_batch(20))
    store.maintenance.compact(progress=lambda *step: seen.append(step))
    assert {what for what, _, _ in seen} == {"checksums", "segments", "ztf pixels"}
    assert all(0 <= done <= total for _, done, total in seen)
    assert seen[-1][1] == seen[-1][2]


@pytest.mark.parametrize("step", ["_write_run", "write_pixel", "describe", "sync_tree", "_swap", "drop_replaced"])
def test_a_crash_at_any_step_loses_and_doubles_nothing(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    add(store, store_batch(60))
    store.maintenance.compact(rows_per_pixel=10)
    add(store, store_batch(60, start=60))
    before = [alert_rows(store, limit=200), store.objects.light_curve("ZTFmade0003").to_pylist()]

    def crash(*_: Any, **__: Any) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(compaction, "drop_replaced", lambda *_: None)
        patch.setattr(compaction, step, crash)
        with pytest.raises(Crash):
            store.maintenance.compact(rows_per_pixel=10)
    store.close()
    with open_store(folder, mode="write") as again:
        assert [alert_rows(again, limit=200), again.objects.light_curve("ZTFmade0003").to_pylist()] == before
        again.runs.start("next")
        assert again.maintenance.check().problems == ()
        again.maintenance.compact(rows_per_pixel=10)
        assert [alert_rows(again, limit=200), again.objects.light_curve("ZTFmade0003").to_pylist()] == before
        assert again.maintenance.check().problems == ()


def test_segments_still_being_written_survive_a_compaction(store: Store, folder: Path) -> None:
    add(store, store_batch(10))
    batch = store_batch(10, start=10)
    segment = store.segments.write(batch)
    store.maintenance.compact()
    assert (folder / "archive" / "segments" / segment).is_dir()


def test_a_reader_follows_files_that_move(store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from redpoll.store import alerts

    add(store, store_batch(10))
    find = alerts.find_locations
    moved: list[int] = []

    def find_then_move(*args: Any) -> Any:
        locations = find(*args)
        if not moved:
            moved.append(len(store.maintenance.compact()))
        return locations

    monkeypatch.setattr(alerts, "find_locations", find_then_move)
    with open_store(folder) as reader:
        assert full_alert(reader, 10**15 + 4, "ztf", ["feature_archived"]) == {"feature_archived": 2.0}
    assert moved == [1]


def test_an_archive_file_that_is_gone_is_named(store: Store, folder: Path) -> None:
    add(store, store_batch(10))
    next((folder / "archive" / "segments").glob("*/cutouts.parquet")).unlink()
    with pytest.raises(StoreError, match=r"cutouts\.parquet"):
        full_alert(store, 10**15, "ztf", ["cutout_science"])
