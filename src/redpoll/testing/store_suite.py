"""The contract of a store, as cases that every adapter runs.

An adapter is tested by a subclass that says how a store is opened::

    class TestMyStore(StoreCases):
        def open(self, path: Path, mode: str) -> Store:
            return my_open_store(path, mode=mode)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from redpoll.astro.sky import hpx29, separation_arcsec
from redpoll.errors import NotFound, StoreError, StoreLocked, UsageError
from redpoll.schema.class_tags import CLASSES_TYPE
from redpoll.schema.taxonomy import taxonomy
from redpoll.store import Commit, DeadLetter, LedgerEntry, Store, hot_columns
from redpoll.store.ports import Row
from redpoll.testing.store_batches import store_batch

_NEWEST = itemgetter("mjd", "alert_id")


def add(store: Store, batch: pa.RecordBatch, **extra: Any) -> int:
    """Archive and commit a batch, as the pipeline does; returns how many alerts were new."""
    return store.commit(Commit(hot_columns(batch), store.archive(batch), **extra))


def moved_to(batch: pa.RecordBatch, ra: Sequence[float], dec: Sequence[float]) -> pa.RecordBatch:
    """The batch with its alerts at other places."""
    for name, values in (("ra", ra), ("dec", dec), ("hpx29", hpx29(ra, dec))):
        batch = batch.set_column(batch.schema.get_field_index(name), batch.schema.field(name), pa.array(values))
    return batch


class StoreCases:
    """Cases of the contract; a subclass defines `open`."""

    def open(self, path: Path, mode: str) -> Store:
        """Open the store in a folder, for "read" or "write"."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        """An empty store with a run open."""
        with self.open(tmp_path / "store", "write") as store:
            store.start_run("test")
            yield store


class WritingCases(StoreCases):
    """What commits do."""

    def test_an_archived_part_counts_only_once_committed(self, store: Store) -> None:
        batch = store_batch(5)
        part = store.archive(batch)
        assert store.latest() == []
        store.commit(Commit(hot_columns(batch), part))
        assert len(store.latest()) == 5

    def test_the_same_alerts_again_are_duplicates(self, store: Store) -> None:
        add(store, store_batch(10))
        assert add(store, store_batch(10, start=5)) == 5
        assert len(store.latest(limit=100)) == 15
        assert store.whole(10**15 + 12, "ztf", ["alert_id", "packet"])["packet"]["candid"] == 12
        (row,) = store.ledger()
        assert (row["received"], row["stored"], row["duplicate"]) == (20, 15, 5)

    def test_a_commit_of_known_alerts_alone_adds_nothing(self, store: Store) -> None:
        add(store, store_batch(10))
        before = store.object("ZTFmade0003")
        assert add(store, store_batch(10)) == 0
        assert store.object("ZTFmade0003") == before

    def test_an_alert_twice_in_one_batch_counts_once(self, store: Store) -> None:
        batch = store_batch(4)
        twice = pa.Table.from_batches([batch, batch]).combine_chunks().to_batches()[0]
        assert add(store, twice) == 4
        assert len(store.latest()) == 4

    def test_one_number_in_two_surveys_is_two_alerts(self, store: Store) -> None:
        assert add(store, store_batch(3)) == add(store, store_batch(3, survey="rubin")) == 3
        assert store.whole(10**15, "rubin", ["survey"]) == {"survey": "rubin"}
        assert store.known("rubin", np.array([10**15, 7])).tolist() == [True, False]

    def test_known_says_which_alerts_are_stored(self, store: Store) -> None:
        assert store.known("ztf", np.array([10**15])).tolist() == [False]
        add(store, store_batch(3))
        assert store.known("ztf", 10**15 + np.array([5, 0, 2])).tolist() == [False, True, True]
        assert store.known("ztf", np.array([], np.int64)).tolist() == []

    def test_a_refused_commit_leaves_nothing(self, store: Store) -> None:
        batch = store_batch(5)
        wrong = [LedgerEntry("ztf", 20200101, "stored", "", 4)]
        with pytest.raises(StoreError, match="ledger says stored"):
            add(store, batch, ledger=wrong, dead_letters=[DeadLetter(b"x", "f", "0", "bad")])
        assert (store.latest(), store.ledger(), store.dead_letters()) == ([], [], [])

    def test_a_part_must_hold_the_alerts_of_its_commit(self, store: Store) -> None:
        part = store.archive(store_batch(5))
        with pytest.raises(StoreError, match="does not hold"):
            store.commit(Commit(hot_columns(store_batch(5, start=1)), part))

    def test_columns_of_a_new_module_are_unknown_for_older_alerts(self, store: Store) -> None:
        add(store, store_batch(2))
        batch = store_batch(2, start=2)
        field = pa.field("age", pa.float32(), metadata={"hot": "1", "by": "age@1", "unit": "d"})
        add(store, batch.append_column(field, pa.array([1.5, None], pa.float32())))
        assert [row["age"] for row in store.latest()] == [None, 1.5, None, None]
        assert [c["unit"] for c in store.columns() if c["name"] == "age"] == ["d"]

    def test_a_column_that_is_no_identifier_is_refused(self, store: Store) -> None:
        batch = store_batch(2).append_column(pa.field('a"b', pa.float32()), pa.nulls(2, pa.float32()))
        with pytest.raises(StoreError, match="cannot be stored"):
            store.archive(batch)

    def test_an_empty_batch_is_refused(self, store: Store) -> None:
        with pytest.raises(StoreError, match="one survey"):
            store.archive(store_batch(0))

    def test_a_second_writer_is_told_who_writes(self, store: Store) -> None:
        with pytest.raises(StoreLocked, match=r"process \d+"):
            self.open(store.path, "write")

    def test_a_reader_cannot_write(self, store: Store) -> None:
        with self.open(store.path, "read") as reader, pytest.raises(StoreError, match="open for reading"):
            reader.start_run("x")

    def test_runs_are_listed_newest_first(self, store: Store) -> None:
        store.end_run("done")
        second = store.start_run("again")
        statuses = [(run["run"], run["command"], run["status"]) for run in store.runs()]
        assert statuses == [(second, "again", "running"), (second - 1, "test", "done")]

    def test_a_run_that_never_ended_is_marked(self, store: Store) -> None:
        path = store.path
        store.close()
        with self.open(path, "write") as again:
            again.start_run("next")
            assert [run["status"] for run in again.runs()] == ["running", "crashed"]


class AlertCases(StoreCases):
    """Questions about alerts."""

    def test_alerts_of_an_object_come_newest_first(self, store: Store) -> None:
        add(store, store_batch(60, objects=20, nights=(1, 0)))
        rows = store.alerts_of("ZTFmade0003")
        assert rows == sorted(rows, key=_NEWEST, reverse=True)
        assert {row["object_id"] for row in rows} == {"ZTFmade0003"}
        assert len(rows) == 3
        assert store.alerts_of("ZTFmade0003", limit=2) == rows[:2]
        assert store.alerts_of("nobody") == []

    def test_rows_have_the_values_of_the_batch(self, store: Store) -> None:
        batch = store_batch(30)
        add(store, batch)
        rows = sorted(store.latest(), key=itemgetter("alert_id"))
        for name in ("survey", "alert_id", "object_id", "night", "mjd", "ra", "hpx29", "band", "flux", "is_edge"):
            assert [row[name] for row in rows] == batch[name].to_pylist()
        assert [row["rise_rate"] for row in rows] == batch["rise_rate"].to_pylist()
        assert [row["sso_name"] for row in rows] == batch["sso_name"].to_pylist()
        assert "feature_cold" not in rows[0]

    def test_unknown_is_none_also_for_nan(self, store: Store) -> None:
        batch = store_batch(2)
        at = batch.schema.get_field_index("mag")
        add(store, batch.set_column(at, batch.schema.field("mag"), pa.array([float("nan"), 20.0], pa.float32())))
        assert {row["mag"] for row in store.latest()} == {None, 20.0}

    def test_rows_carry_the_topics_an_alert_passed(self, store: Store) -> None:
        add(store, store_batch(31))
        tags = {row["alert_id"] - 10**15: row["tags"] for row in store.latest()}
        assert (tags[0], tags[3], tags[10], tags[11]) == (["bright", "rising"], ["rising"], ["bright"], [])

    @pytest.mark.parametrize(("ra", "dec"), [(10.0, 20.0), (0.0, 0.0), (359.9999, -30.0), (123.0, 90.0), (45.0, -90.0)])
    @pytest.mark.parametrize("radius", [2.0, 60.0, 3600.0])
    def test_a_cone_holds_exactly_what_is_near(self, store: Store, ra: float, dec: float, radius: float) -> None:
        rng = np.random.default_rng(1)
        offset = np.concatenate([rng.uniform(0, 3 * radius, 190), np.zeros(10)]) / 3600
        angle = rng.uniform(0, 2 * np.pi, 200)
        decs = np.clip(dec + offset * np.cos(angle), -90, 90)
        ras = (ra + offset * np.sin(angle) / np.maximum(np.cos(np.radians(decs)), 1e-9)) % 360
        add(store, moved_to(store_batch(200), ras.tolist(), decs.tolist()))
        rows = store.cone(ra, dec, radius)
        near = separation_arcsec(ra, dec, ras, decs)
        assert {row["alert_id"] for row in rows} == set((10**15 + np.flatnonzero(near <= radius)).tolist())
        distances = [row["separation_arcsec"] for row in rows]
        assert distances == sorted(near[near <= radius].tolist())
        assert store.cone(ra, dec, radius, limit=3) == rows[:3]

    def test_an_empty_cone_is_an_empty_list(self, store: Store) -> None:
        add(store, store_batch(5))
        assert store.cone(33.0, 7.0, 1.0) == []

    @pytest.mark.parametrize("cone", [(400.0, 91.0, 5.0), (0.0, 0.0, -1.0), (float("nan"), 0.0, 1.0)])
    def test_an_impossible_cone_is_refused(self, store: Store, cone: tuple[float, float, float]) -> None:
        with pytest.raises(UsageError):
            store.cone(*cone)

    @pytest.mark.parametrize("night", [None, 20200102])
    @pytest.mark.parametrize("topic", [None, "rising"])
    def test_pages_of_the_latest_alerts_neither_repeat_nor_skip(
        self, store: Store, topic: str | None, night: int | None
    ) -> None:
        add(store, store_batch(100, nights=(0, 1, 2)))
        add(store, store_batch(50, start=100, survey="rubin", nights=(1,)))
        pages, before = [], None
        while page := store.latest(topic=topic, night=night, limit=7, before=before):
            pages += page
            before = (page[-1]["mjd"], page[-1]["alert_id"])
        expected = [row for row in store.latest(limit=1000) if self._wanted(row, topic, night)]
        assert pages == expected == sorted(expected, key=_NEWEST, reverse=True)
        assert expected

    def _wanted(self, row: Row, topic: str | None, night: int | None) -> bool:
        return (topic is None or topic in row["tags"]) and night in (None, row["night"])

    def test_an_unknown_topic_has_no_alerts(self, store: Store) -> None:
        add(store, store_batch(5))
        assert store.latest(topic="nothing") == []

    def test_a_whole_alert_has_everything_that_was_archived(self, store: Store) -> None:
        batch = store_batch(150, points=4)
        add(store, batch)
        for i in (0, 63, 64, 149):
            assert store.whole(10**15 + i, "ztf") == batch.slice(i, 1).to_pylist()[0]

    def test_single_columns_of_a_whole_alert_can_be_asked_for(self, store: Store) -> None:
        batch = store_batch(20)
        add(store, batch)
        names = ["cutout_template", "light_curve", "feature_cold", "pass_rising", "packet"]
        row = store.whole(10**15 + 9, "ztf", names)
        assert list(row) == names
        assert row == {name: batch[name][9].as_py() for name in names}

    def test_what_is_not_there_is_not_found(self, store: Store) -> None:
        with pytest.raises(NotFound):
            store.whole(1, "ztf")
        add(store, store_batch(2))
        for alert_id, survey, columns in ((1, "ztf", None), (10**15, "rubin", None), (10**15, "ztf", ["no_such"])):
            with pytest.raises(NotFound):
                store.whole(alert_id, survey, columns)
        with pytest.raises(NotFound):
            store.provenance(1, "ztf")

    def test_each_alert_knows_the_versions_that_made_its_values(self, store: Store) -> None:
        add(store, store_batch(2, version="1"))
        add(store, store_batch(2, start=2, version="2"))
        made = [store.provenance(10**15 + i, "ztf")["rise_rate"] for i in (0, 2)]
        assert made == ["made_up@1", "made_up@2"]
        assert "mjd" not in store.provenance(10**15, "ztf")

    def test_a_reader_sees_commits_made_after_it_opened(self, store: Store) -> None:
        with self.open(store.path, "read") as reader:
            assert reader.latest() == []
            add(store, store_batch(3))
            assert reader.latest() == store.latest()
            assert len(reader.latest(topic="rising")) == 1
            assert reader.known("ztf", np.array([10**15])).tolist() == [True]


class ClassCases(StoreCases):
    """What is said of alerts and objects."""

    def test_rows_carry_all_that_is_said_of_an_alert(self, store: Store) -> None:
        batch = store_batch(12)
        add(store, batch)
        rows = sorted(store.latest(), key=itemgetter("alert_id"))
        assert [row["classes"] for row in rows] == batch["classes"].to_pylist()
        assert store.whole(10**15 + 5, "ztf", ["classes"])["classes"] == rows[5]["classes"]

    def test_alerts_of_which_nothing_is_said_have_no_classes(self, store: Store) -> None:
        add(store, store_batch(3).drop_columns(["classes"]))
        add(store, store_batch(3, start=3))
        assert [len(row["classes"]) for row in reversed(store.latest())] == [0, 0, 0, 1, 1, 2]
        assert store.classes_of("ZTFmade0001") == []

    @pytest.mark.parametrize("night", [None, 20200102])
    @pytest.mark.parametrize("class_", ["sn_ia", "sn", "rr_lyrae", "extragalactic", "real", "tde"])
    def test_the_latest_of_a_class_are_those_said_to_be_it_or_a_kind_of_it(
        self, store: Store, class_: str, night: int | None
    ) -> None:
        add(store, store_batch(100, nights=(0, 1, 2)))
        add(store, store_batch(50, start=100, survey="rubin", nights=(1,)))
        pages, before = [], None
        while page := store.latest(class_=class_, night=night, limit=7, before=before):
            pages += page
            before = (page[-1]["mjd"], page[-1]["alert_id"])
        kinds = set(taxonomy().descendants(class_))
        expected = [row for row in store.latest(limit=1000) if kinds & {tag["name"] for tag in row["classes"]}]
        assert pages == [row for row in expected if night in (None, row["night"])]
        assert bool(pages) == (class_ != "tde")

    def test_a_class_that_nobody_knows_has_no_alerts(self, store: Store) -> None:
        add(store, store_batch(5))
        assert store.latest(class_="nothing") == []

    def test_a_class_that_the_taxonomy_lost_is_still_found(self, store: Store) -> None:
        tags = pa.array([[{"name": "old_name", "probability": 0.5, "by": "m@1"}]], CLASSES_TYPE)
        batch = store_batch(1)
        add(store, batch.set_column(batch.schema.get_field_index("classes"), batch.schema.field("classes"), tags))
        assert [row["classes"][0]["name"] for row in store.latest(class_="old_name")] == ["old_name"]

    def test_a_topic_and_a_class_cannot_be_asked_for_together(self, store: Store) -> None:
        with pytest.raises(UsageError, match="not of both"):
            store.latest(class_="sn", topic="rising")

    def test_an_object_remembers_what_was_said_of_it(self, store: Store) -> None:
        add(store, store_batch(60, objects=5, nights=(2, 0, 1), version="2"))
        add(store, store_batch(60, start=60, objects=5, nights=(0, 4), version="1"))
        alerts = store.alerts_of("ZTFmade0003")
        rows = store.classes_of("ZTFmade0003")
        assert rows == self._summed_up(alerts)
        assert {row["by"] for row in rows} == {"made_catalogue@2020", "made_up@1", "made_up@2"}

    def _summed_up(self, alerts: list[Row]) -> list[Row]:
        """The history of an object from its alerts, newest first, one tag at a time."""
        found: dict[tuple[str, str], Row] = {}
        for row in reversed(alerts):
            for tag in row["classes"]:
                start = {"name": tag["name"], "by": tag["by"], "first_mjd": row["mjd"], "n_alerts": 0,
                         "best_probability": tag["probability"]}  # fmt: skip
                said = found.setdefault((tag["name"], tag["by"]), start)
                said |= {"last_mjd": row["mjd"], "last_probability": tag["probability"]}
                said["n_alerts"] += 1
                if tag["probability"] is not None:
                    said["best_probability"] = max(said["best_probability"], tag["probability"])
        return [found[key] for key in sorted(found)]

    def test_the_history_of_an_unknown_object_is_not_found(self, store: Store) -> None:
        with pytest.raises(NotFound, match="nobody"):
            store.classes_of("nobody")


class ObjectCases(StoreCases):
    """Questions about objects."""

    def test_an_object_sums_up_its_alerts(self, store: Store) -> None:
        add(store, store_batch(40, objects=20, nights=(0, 3)))
        add(store, store_batch(40, start=40, objects=20, nights=(0, 3)))
        row = store.object("ZTFmade0005")
        alerts = store.alerts_of("ZTFmade0005")
        newest = alerts[0]
        assert (row["n_alerts"], row["last_mjd"], row["ra"], row["dec"]) == (
            4,
            *(newest[k] for k in ("mjd", "ra", "dec")),
        )
        assert row["first_mjd"] == min(a["first_mjd"] for a in alerts)
        assert row["n_detections"] == max(a["n_detections"] for a in alerts)
        assert row["best_p_made_up"] == max(a["p_made_up"] for a in alerts)
        assert row["best_n_made_up"] == min(a["n_made_up"] for a in alerts)
        assert (row["last_mjd_r"], row["last_mag_r"]) == (newest["mjd"], newest["mag"])
        assert row["last_mag_u"] is None

    def test_an_unknown_object_is_not_found(self, store: Store) -> None:
        for ask in (store.object, store.light_curve):
            with pytest.raises(NotFound, match="nobody"):
                ask("nobody")

    def test_a_light_curve_has_each_point_once(self, store: Store) -> None:
        add(store, store_batch(40, objects=5, nights=(0, 1), points=8))
        add(store, store_batch(40, start=40, objects=5, nights=(2, 3), points=8))
        curve = store.light_curve("ZTFmade0002")
        assert curve.column_names == ["mjd", "band", "flux", "flux_err", "kind"]
        points = curve.select(["mjd", "band", "kind"]).to_pylist()
        keys = [(round(p["mjd"], 5), p["band"], p["kind"] == "forced") for p in points]
        assert len(set(keys)) == len(keys)
        assert [p["mjd"] for p in points] == sorted(p["mjd"] for p in points)
        assert {a["mjd"] for a in store.alerts_of("ZTFmade0002")} <= {p["mjd"] for p in points}

    def test_columns_say_what_they_hold(self, store: Store) -> None:
        add(store, store_batch(2))
        columns = {row["name"]: row for row in store.columns()}
        assert columns["rise_rate"]["unit"] == "mag/day"
        assert (columns["p_made_up"]["best"], columns["mjd"]["best"]) == ("max", None)
        assert (columns["feature_cold"]["hot"], columns["is_edge"]["dtype"]) == (False, "bool")


class LedgerCases(StoreCases):
    """What happened to every packet."""

    def test_the_ledger_adds_up(self, store: Store) -> None:
        rejected = LedgerEntry("ztf", 20200101, "rejected", "too faint", 4)
        add(store, store_batch(10, nights=(0, 1)), ledger=[rejected])
        store.commit(Commit(None, None, ledger=[rejected, LedgerEntry(None, None, "rejected", "not Avro", 2)]))
        nights = {row["night"]: row for row in store.ledger()}
        assert [row["received"] for row in store.ledger()] == [5, 13, 2]
        assert nights[20200101]["reasons"] == {"too faint": 8}
        for row in [*store.ledger(), *store.ledger(by="run")]:
            assert row["received"] == row["stored"] + row["duplicate"] + row["rejected"]
        assert sum(row["received"] for row in store.ledger(by="run")) == 20

    def test_stored_without_alerts_is_refused(self, store: Store) -> None:
        with pytest.raises(StoreError, match="no alerts"):
            store.commit(Commit(None, None, ledger=[LedgerEntry("ztf", 1, "stored", "", 1)]))

    def test_topics_are_counted(self, store: Store) -> None:
        add(store, store_batch(30, nights=(0, 1)))
        assert store.topics() == {"bright": 3, "rising": 10}
        assert store.topics(night=20200101) == {"bright": 3, "rising": 5}
        assert store.topics(night=20190101) == {}

    def test_classes_are_counted_as_they_are_said(self, store: Store) -> None:
        add(store, store_batch(30, nights=(0, 1)))
        said = [(row["night"], {tag["name"] for tag in row["classes"]}) for row in store.latest(limit=100)]
        assert store.classes() == Counter(name for _, names in said for name in names)
        assert store.classes(night=20200101) == Counter(n for night, names in said if night == 20200101 for n in names)
        assert set(store.classes()) == {"agn", "rr_lyrae_ab", "sn_ia"}
        assert store.classes(night=20190101) == {}

    def test_a_dead_letter_is_kept_once_with_its_bytes(self, store: Store) -> None:
        letters = [DeadLetter(b"\x00bad", "night.tar", "7", "truncated"), DeadLetter(b"", "night.tar", "9", "empty")]
        for _ in range(2):
            store.commit(Commit(None, None, dead_letters=letters))
        rows = store.dead_letters()
        assert [(row["position"], row["n_bytes"]) for row in rows] == [("9", 0), ("7", 4)]
        assert [row["position"] for row in store.dead_letters(reason="truncated")] == ["7"]
        assert store.dead_letter(rows[1]["id"]).data == b"\x00bad"
        assert [letter.data for letter in store.iter_dead_letters()] == [b"\x00bad", b""]
        store.remove_dead_letters([rows[0]["id"]])
        assert len(store.dead_letters()) == 1
        with pytest.raises(NotFound):
            store.dead_letter(rows[0]["id"])


class MaintenanceCases(StoreCases):
    """Compaction and check."""

    def test_compaction_changes_no_answer(self, store: Store) -> None:
        for i in range(4):
            add(store, store_batch(50, start=50 * i, nights=(i, i + 1), version=str(i // 2)))
        add(store, store_batch(30, survey="rubin"))
        before = self._answers(store)
        for rows_per_pixel in (20, 1000):
            store.compact(rows_per_pixel=rows_per_pixel)
            assert self._answers(store) == before
            assert store.check().problems == ()
            add(store, store_batch(10, start=200, nights=(9,)))
            before = self._answers(store)

    def test_compacting_twice_does_nothing_the_second_time(self, store: Store) -> None:
        add(store, store_batch(50))
        assert [done.alerts for done in store.compact()] == [50]
        assert store.compact() == []

    def test_a_used_store_passes_the_check(self, store: Store) -> None:
        add(store, store_batch(50), dead_letters=[DeadLetter(b"x", "f", "0", "bad")])
        add(store, store_batch(50, start=30))
        report = store.check()
        assert report.ok
        assert (report.alerts, report.objects, report.dead_letters) == (80, 20, 1)

    def _answers(self, store: Store) -> list[Any]:
        names = ["ZTFmade0003", "ZTFmade0011"]
        asked: list[Any] = [store.latest(limit=1000), store.ledger(), store.topics(), store.columns()]
        asked += [[store.object(name), store.alerts_of(name), store.light_curve(name).to_pylist()] for name in names]
        asked += [store.classes_of(name) for name in names] + [store.latest(class_="sn", night=20200102)]
        asked += [store.whole(row["alert_id"], row["survey"]) for row in store.latest(limit=1000)[::17]]
        return asked


class StoreSuite(WritingCases, AlertCases, ClassCases, ObjectCases, LedgerCases, MaintenanceCases):
    """All cases."""
