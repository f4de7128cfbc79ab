"""Damage on disk: every flipped bit is found or changes nothing; rebuild and compact go on without a damaged file."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from redpoll.errors import StoreError
from redpoll.store import Store, open_store, rebuild_store
from redpoll.store.deep import COMPARED, NAMES, NOT_IN_ARCHIVE, ORDERED
from redpoll.store.selection import Cone
from redpoll.testing.store_batches import store_batch
from redpoll.testing.store_revisions import revise
from redpoll.testing.store_rows import alert_rows, classification_rows, full_alert, object_row
from redpoll.testing.store_suite import add


@pytest.fixture
def used(store: Store, folder: Path) -> Iterator[Path]:
    """The folder of a closed store with a catalogue of 40 alerts and segments of 20 and 10."""
    add(store, store_batch(40))
    store.maintenance.compact(rows_per_pixel=10)
    add(store, store_batch(20, start=40, survey="ztf"))
    add(store, store_batch(10, start=100, survey="rubin"))
    store.revisions.start("job", "reprocess")
    revise(store, [10**15 + 3, 10**15 + 50], {"feature_archived": [1.0, 2.0], "p_synthetic": [0.5, None]})
    store.runs.end("done")
    store.close()
    yield folder


def flip(path: Path, position: int, bit: int) -> None:
    data = bytearray(path.read_bytes())
    data[position] ^= 1 << bit
    path.write_bytes(data)


def problems(folder: Path, *, deep: bool = False) -> tuple[str, ...]:
    try:
        with open_store(folder) as store:
            return store.maintenance.check(deep=deep).problems
    except StoreError as error:
        return (str(error),)


def content(folder: Path) -> list[Any]:
    """All that can be asked of a store."""
    with open_store(folder) as store:
        rows = alert_rows(store, limit=1000)
        asked: list[Any] = [
            rows,
            store.ledger.table().to_pylist(),
            store.runs.table().to_pylist(),
            store.alerts.schema(),
            store.ledger.topics(),
            store.ledger.classes(),
        ]
        for row in rows:
            asked += [object_row(store, row["object_id"]), classification_rows(store, row["object_id"])]
        for topic in ("rising", "bright"):
            asked.append([row["alert_id"] for row in alert_rows(store, topic=topic, limit=1000)])
        for class_ in ("sn", "agn"):
            asked.append([row["alert_id"] for row in alert_rows(store, class_=class_, limit=1000)])
        return [*asked, alert_rows(store, cone=Cone(0.0, 90.0, 648_000))]


def test_a_sound_store_has_no_problem_however_deep_it_is_checked(used: Path) -> None:
    assert problems(used, deep=True) == ()


def test_the_order_of_the_fields_of_packets_is_no_difference(store: Store) -> None:
    fields = {name: pa.array(range(10)) for name in "abc"}
    add(store, store_batch(10, packet={name: fields[name] for name in "ba"}))
    add(store, store_batch(10, start=10, survey="rubin", packet={name: fields[name] for name in "cab"}))
    store.maintenance.compact()
    add(store, store_batch(10, start=20, packet={name: fields[name] for name in "acb"}))
    assert store.maintenance.check(deep=True).problems == ()
    store.maintenance.compact()
    assert store.maintenance.check(deep=True).problems == ()


def test_every_flipped_bit_of_the_archive_is_found(used: Path) -> None:
    chance = random.Random(7)
    files = [path for path in (used / "archive").rglob("*") if path.is_file() and "hats" not in path.parts]
    assert {path.name for path in files} >= {
        "cutouts.parquet",
        "alerts.parquet",
        "light_curves.parquet",
        "Npix=0.parquet",
    }
    for path in files:
        for _ in range(2):
            position, bit = chance.randrange(path.stat().st_size), chance.randrange(8)
            flip(path, position, bit)
            assert any(path.parent.name in problem or path.name in problem for problem in problems(used)), path
            flip(path, position, bit)
    assert problems(used) == ()


def test_a_flipped_bit_is_not_returned_as_an_answer(used: Path) -> None:
    """A page that is not what was written is an error for a reader, not another magnitude."""
    chance, wrong, refused = random.Random(11), 0, 0
    (alerts,) = (used / "archive" / "segments").glob("ztf*/alerts.parquet")
    with open_store(used) as store:
        before = [full_alert(store, 10**15 + i, "ztf") for i in (40, 59)]
    for _ in range(60):
        position, bit = chance.randrange(4, alerts.stat().st_size // 2), chance.randrange(8)
        flip(alerts, position, bit)
        try:
            with open_store(used) as store:
                wrong += [full_alert(store, 10**15 + i, "ztf") for i in (40, 59)] != before
        except (StoreError, OSError, ValueError):
            refused += 1
        flip(alerts, position, bit)
    assert (wrong, refused > 3) == (0, True), refused


def test_every_flipped_bit_of_the_index_is_found_or_changes_no_answer(used: Path) -> None:
    chance, found, harmless = random.Random(13), 0, 0
    before, index = content(used), used / "index.sqlite"
    for _ in range(40):
        position, bit = chance.randrange(100, index.stat().st_size), chance.randrange(8)
        flip(index, position, bit)
        if problems(used, deep=True):
            found += 1
        else:
            assert content(used) == before, f"bit {bit} of byte {position}"
            harmless += 1
        flip(index, position, bit)
    assert found > 5, harmless


CHANGES = {
    "a magnitude": "UPDATE alerts SET mag = mag + 1 WHERE alert_id = 1000000000000003",
    "a value that becomes null": "UPDATE alerts SET p_synthetic = NULL WHERE alert_id = 1000000000000041",
    "a topic by name": "UPDATE topics SET name = 'rising2' WHERE name = 'rising'",
    "a class by name": "UPDATE classes SET name = 'tde' WHERE name = 'sn_ia'",
    "a probability": "UPDATE alerts SET _classes = zeroblob(length(_classes)) WHERE alert_id = 1000000000000003",
    "the night of a topic": "UPDATE alert_topics SET mjd = mjd + 1 WHERE alert_id = 1000000000000003",
    "a moved object": "UPDATE objects SET ra = ra + 1 WHERE _id = 3",
    "an aggregate": "UPDATE objects SET max_p_synthetic = 0.99 WHERE _id = 3",
    "the last magnitude of an object": "UPDATE objects SET last_mag_g = 3 WHERE _id = 3",
    "a unit": "UPDATE columns SET unit = 'erg' WHERE name = 'rise_rate'",
    "a provenance": "UPDATE provenance SET mapping = replace(mapping, 'synthetic@1', 'synthetic@2')",
}


@pytest.mark.parametrize("sql", CHANGES.values(), ids=CHANGES)
def test_a_deep_check_finds_every_changed_value(used: Path, sql: str) -> None:
    with closing(sqlite3.connect(used / "index.sqlite")) as connection:
        assert connection.execute(sql).rowcount > 0
        connection.commit()
    assert problems(used, deep=True)


def test_every_table_of_the_index_is_compared_or_known_not_to_be_in_the_archive(used: Path) -> None:
    with closing(sqlite3.connect(used / "index.sqlite")) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert tables - {"sqlite_sequence", "sqlite_stat1"} == {*COMPARED, *NAMES, *NOT_IN_ARCHIVE, *ORDERED}


def segment(folder: Path, survey: str) -> Path:
    return next((folder / "archive" / "segments").glob(f"{survey}*/alerts.parquet")).parent


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip_a_page(path: Path) -> None:
    flip(path, path.stat().st_size // 3, 2)


@pytest.mark.parametrize("damage", [cut, flip_a_page, lambda path: path.write_bytes(b"")], ids=["cut", "flip", "empty"])
def test_rebuild_leaves_a_damaged_segment_out_names_it_and_keeps_its_files(
    used: Path, damage: Callable[[Path], object]
) -> None:
    bad = segment(used, "rubin")
    damage(bad / "alerts.parquet")
    result = rebuild_store(used)
    assert (result.ok, result.damaged, result.alerts) == (False, (f"segments/{bad.name}",), 60)
    assert [path for path in (used / "archive" / "damaged").iterdir() if bad.name in path.name]
    with open_store(used, mode="write") as store:
        store.runs.start("again")
        assert add(store, store_batch(10, start=100, survey="rubin")) == 10
        store.maintenance.compact()
        assert store.maintenance.check(deep=True).problems == ()
    assert list((used / "archive" / "damaged").rglob("*.parquet"))


@pytest.mark.parametrize("damage", [Path.unlink, cut], ids=["gone", "cut"])
def test_rebuild_reports_the_alerts_of_a_lost_pixel_and_later_checks_are_clean(
    used: Path, damage: Callable[[Path], object]
) -> None:
    pixel = sorted((used / "archive" / "generations").rglob("Npix=*.parquet"))[0]
    damage(pixel)
    result = rebuild_store(used)
    assert result.lost == 70 - result.alerts > 0
    (name,) = (*result.missing, *result.damaged)
    assert name.endswith(pixel.name)
    assert problems(used) == ()
    with open_store(used, mode="write") as store:
        store.runs.start("again")
        assert add(store, store_batch(40)) == result.lost
        assert store.maintenance.check(deep=True).problems == ()
        store.maintenance.compact(rows_per_pixel=10)
        assert store.maintenance.check(deep=True).problems == ()
        assert len(alert_rows(store, limit=1000)) == 70


def test_a_segment_whose_cutouts_are_gone_keeps_its_alerts_in_the_catalogue(used: Path) -> None:
    with closing(sqlite3.connect(used / "index.sqlite")) as connection:
        (name,) = connection.execute("SELECT name FROM segments WHERE compacted").fetchone()
    shutil.rmtree(used / "archive" / "segments" / name)
    result = rebuild_store(used)
    assert (result.missing, result.alerts, result.lost) == ((f"segments/{name}",), 70, 0)
    assert problems(used) == ()


def test_compact_leaves_a_damaged_segment_where_it_is_and_names_it(used: Path) -> None:
    bad = segment(used, "ztf")
    flip_a_page(bad / "light_curves.parquet")
    with open_store(used, mode="write") as store:
        store.runs.start("more")
        add(store, store_batch(5, start=70))
        done = {report.survey: report for report in store.maintenance.compact(rows_per_pixel=10)}
        assert (done["ztf"].damaged, done["ztf"].alerts) == ((bad.name,), 5)
        assert (done["rubin"].damaged, done["rubin"].alerts) == ((), 10)
        (problem,) = store.maintenance.check().problems
        assert bad.name in problem
        assert len(alert_rows(store, limit=1000)) == 75
    flip_a_page(bad / "light_curves.parquet")
    with open_store(used, mode="write") as store:
        store.runs.start("repaired")
        store.maintenance.compact(rows_per_pixel=10)
        assert store.maintenance.check(deep=True).problems == ()


def test_compact_never_drops_a_damaged_pixel_of_the_catalogue(used: Path) -> None:
    for pixel in (used / "archive" / "generations").rglob("Npix=*.parquet"):
        cut(pixel)
    with open_store(used, mode="write") as store, pytest.raises(StoreError, match=r"Npix=.*backup"):
        store.runs.start("more")
        store.maintenance.compact(rows_per_pixel=10)
    assert list((used / "archive" / "generations").rglob("Npix=*.parquet"))


def test_rebuild_leaves_labels_and_models_alone(used: Path) -> None:
    from redpoll.store.app import Label, NewModel, open_app

    with open_app(used) as app:
        app.labels.add([Label("ztf", "ZTF1", "sn_ia", "expert", "ada")])
        sha256 = app.models.register(NewModel("m", "1", b"weights", {}, "ada"), bytes.strip)
    (used / "index.sqlite").unlink()
    rebuild_store(used)
    with open_app(used) as app:
        assert (app.labels.table().num_rows, app.models.read(sha256)) == (1, b"weights")
