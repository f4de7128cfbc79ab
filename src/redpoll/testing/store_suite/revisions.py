"""New values of alerts that are stored already."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from redpoll.errors import NotFound, StoreError
from redpoll.schema.column import Column
from redpoll.store import Revision, Store
from redpoll.testing.store_batches import store_batch
from redpoll.testing.store_revisions import new_values, replaced_values, revise
from redpoll.testing.store_rows import alert_rows, classification_rows, full_alert, object_row
from redpoll.testing.store_suite.cases import StoreCases, add

FIRST = 10**15
SN = [{"name": "sn_ia", "probability": 0.5, "by": "synthetic@2"}]


def value(store: Store, name: str, number: int, **selection: Any) -> Any:
    """A column of one alert as a scan returns it."""
    rows = alert_rows(store, ["alert_id", name], **selection)
    return {row["alert_id"]: row[name] for row in rows}[FIRST + number]


class RevisionCases(StoreCases):
    """New values of alerts that are stored already."""

    @pytest.fixture
    def revised(self, store: Store) -> Store:
        """A store of 40 alerts of 20 objects, and an open job."""
        add(store, store_batch(40))
        assert store.revisions.start("job", "reprocess") is None
        return store

    @pytest.mark.parametrize("name", ["rise_rate", "feature_archived", "p_new"])
    def test_readers_return_the_newest_values(self, revised: Store, name: str) -> None:
        before = alert_rows(revised, ["alert_id", "mag", "feature_archived"])
        assert revise(revised, [FIRST + 3, FIRST + 30], {name: [0.25, 0.5]}) == 2
        assert revise(revised, [FIRST + 3, FIRST + 7], {name: [0.75, None]}) == 2
        assert [value(revised, name, i) for i in (3, 30, 7)] == [0.75, 0.5, None]
        assert full_alert(revised, FIRST + 3, "ztf")[name] == 0.75
        assert full_alert(revised, FIRST + 30, "ztf", [name, "mag"])[name] == 0.5
        assert [row["alert_id"] for row in alert_rows(revised, where=f"{name} == 0.75")] == [FIRST + 3]
        if name != "feature_archived":
            assert alert_rows(revised, ["alert_id", "mag", "feature_archived"]) == before

    def test_other_columns_and_alerts_keep_their_values(self, revised: Store) -> None:
        batch = store_batch(40)
        revise(revised, [FIRST + 3], {"feature_archived": [-1.0]})
        rows = alert_rows(revised, ["alert_id", "feature_archived", "packet"], order_by="oldest")
        assert [row["feature_archived"] for row in rows] == [-1.0 if i == 3 else i / 2 for i in range(40)]
        assert [row["packet"] for row in rows] == batch["packet"].to_pylist()

    def test_a_column_that_is_only_archived_stays_so(self, revised: Store) -> None:
        revise(revised, [FIRST + 3], {"feature_archived": [-1.0]}, declared={"feature_archived": Column("float32")})
        assert value(revised, "feature_archived", 4) == 2.0

    def test_new_columns_have_the_values_of_the_revision_and_null_elsewhere(self, revised: Store) -> None:
        declared = {"archived_new": Column("float32", "mag", "Only archived.", indexed=False)}
        revise(revised, [FIRST + 1], {"p_new": [0.5], "archived_new": [2.0]}, declared=declared)
        assert [value(revised, name, i) for name in ("p_new", "archived_new") for i in (1, 2)] == [0.5, None, 2.0, None]
        assert revised.alerts.schema().field("archived_new").metadata[b"unit"] == b"mag"

    def test_topics_follow_the_filters(self, revised: Store) -> None:
        assert revised.ledger.topics() == {"rising": 14, "bright": 4}
        revise(revised, [FIRST, FIRST + 1], {"pass_rising": [False, True], "pass_other": [None, True]})
        assert revised.ledger.topics() == {"rising": 14, "bright": 4, "other": 1}
        assert [value(revised, "topics", i) for i in (0, 1)] == [["bright"], ["other", "rising"]]
        assert [row["alert_id"] for row in alert_rows(revised, topic="other")] == [FIRST + 1]
        assert FIRST not in {row["alert_id"] for row in alert_rows(revised, topic="rising")}
        assert value(revised, "pass_rising", 1) is True

    def test_classes_are_replaced_as_a_whole(self, revised: Store) -> None:
        before = revised.ledger.classes()
        assert value(revised, "classes", 5)[0]["name"] == "rr_lyrae_ab"
        revise(revised, [FIRST + 5, FIRST + 3], {"classes": [SN, []]})
        assert value(revised, "classes", 5) == full_alert(revised, FIRST + 5, "ztf")["classes"] == SN
        assert value(revised, "classes", 3) == []
        assert revised.ledger.classes()["rr_lyrae_ab"] == before["rr_lyrae_ab"] - 1
        assert {row["by"] for row in classification_rows(revised, "ZTFmade0005")} >= {"synthetic@2"}
        assert FIRST + 3 not in {row["alert_id"] for row in alert_rows(revised, class_="extragalactic")}

    def test_aggregates_of_objects_count_the_newest_values(self, revised: Store) -> None:
        high = object_row(revised, "ZTFmade0003")
        revise(revised, [FIRST + 3], {"p_synthetic": [2.0], "n_synthetic": [-3]})
        row = object_row(revised, "ZTFmade0003")
        assert (row["max_p_synthetic"], row["min_n_synthetic"]) == (2.0, -3)
        revise(revised, [FIRST + 3, FIRST + 23], {"p_synthetic": [None, float("inf")], "n_synthetic": [None, 9]})
        row = object_row(revised, "ZTFmade0003")
        assert (row["max_p_synthetic"], row["min_n_synthetic"]) == (None, 9)
        assert {k: v for k, v in row.items() if "synthetic" not in k} == {
            k: v for k, v in high.items() if "synthetic" not in k
        }

    def test_a_new_aggregate_counts_all_alerts(self, revised: Store) -> None:
        declared = {"rise_rate": Column("float32", aggregate="max")}
        revise(revised, [FIRST + 3], {"rise_rate": [-5.0]}, declared=declared)
        assert object_row(revised, "ZTFmade0004")["max_rise_rate"] == pytest.approx(-0.2)

    def test_provenance_names_the_newest_maker(self, revised: Store) -> None:
        revise(revised, [FIRST + 3], {"rise_rate": [1.0]}, by="synthetic@2")
        revise(revised, [FIRST + 3], {"p_new": [1.0], "n_synthetic": [1]}, by="other@1")
        made = revised.alerts.provenance(FIRST + 3, "ztf")
        names = ("rise_rate", "p_new", "n_synthetic", "p_synthetic")
        assert [made[name] for name in names] == ["synthetic@2", "other@1", "other@1", "synthetic@1"]
        assert revised.alerts.get(FIRST + 3, "ztf").schema.field("rise_rate").metadata[b"by"] == b"synthetic@2"
        assert revised.alerts.provenance(FIRST + 4, "ztf")["rise_rate"] == "synthetic@1"

    def test_the_history_has_every_value_and_its_maker(self, revised: Store) -> None:
        revise(revised, [FIRST + 2, FIRST + 3], {"feature_archived": [7.0, 8.0], "p_new": [0.5, 0.5]}, by="synthetic@2")
        revise(revised, [FIRST + 3], {"p_new": [None]}, by="synthetic@3")
        rows = revised.revisions.of_alert(FIRST + 3, "ztf").to_pylist()
        names = ("column", "value_before", "value_after", "by_before", "by_after", "job")
        assert [tuple(row[name] for name in names) for row in rows] == [
            ("p_new", "0.5", None, "synthetic@2", "synthetic@3", "job"),
            ("feature_archived", "1.5", "8.0", "synthetic@1", "synthetic@2", "job"),
            ("p_new", None, "0.5", None, "synthetic@2", "job"),
        ]
        assert revised.revisions.of_alert(FIRST, "ztf").num_rows == 0
        with pytest.raises(NotFound, match="no alert 5"):
            revised.revisions.of_alert(5, "ztf")

    def test_the_archive_alone_keeps_the_values_before(self, revised: Store) -> None:
        revise(revised, [FIRST + 3], {"feature_archived": [8.0]})
        revised.maintenance.compact()
        (row,) = revised.revisions.of_alert(FIRST + 3, "ztf").to_pylist()
        assert (row["value_before"], row["value_after"]) == ("1.5", "8.0")

    def test_a_commit_repeated_changes_nothing(self, revised: Store) -> None:
        values = new_values([FIRST + 3], {"rise_rate": [1.0]})
        segment = revised.revisions.write(values, replaced_values(revised, values))
        assert revised.revisions.commit(Revision(segment, "job", "a")) == 1
        jobs = revised.revisions.jobs()
        revise(revised, [FIRST + 3], {"rise_rate": [2.0]}, after="b")
        assert revised.revisions.commit(Revision(segment, "job", "a")) == 0
        assert value(revised, "rise_rate", 3) == 2.0
        assert [jobs["after"][0].as_py(), revised.revisions.jobs()["after"][0].as_py()] == ["a", "b"]

    def test_a_job_goes_on_where_it_was(self, tmp_path: Path) -> None:
        url = self.url(tmp_path)
        with self.open(url, "write") as store:
            store.runs.start("test")
            add(store, store_batch(40))
            assert store.revisions.start("job", "reprocess") is None
            revise(store, [FIRST + 3], {"rise_rate": [1.0]}, after="token")
            (job,) = store.revisions.jobs().to_pylist()
            assert (job["status"], job["n_alerts"], job["after"]) == ("running", 1, "token")
        with self.open(url, "write") as store:
            assert store.revisions.jobs()["status"].to_pylist() == ["running"]
            store.runs.start("test")
            assert store.revisions.jobs()["status"].to_pylist() == ["interrupted"]
            assert store.revisions.start("job", "reprocess again") == "token"
            assert store.revisions.commit(Revision(None, "job", None)) == 0
            (job,) = store.revisions.jobs().to_pylist()
            assert (job["status"], job["command"], job["n_alerts"]) == ("done", "reprocess again", 1)
            assert store.revisions.start("job", "once more") is None

    @pytest.mark.parametrize(
        ("alert", "column", "is_superseded"),
        [(3, "rise_rate", True), (3, "p_synthetic", False), (4, "rise_rate", False)],
        ids=["the same values", "other columns", "other alerts"],
    )
    def test_a_job_whose_values_another_one_replaced_begins_anew(
        self, tmp_path: Path, alert: int, column: str, *, is_superseded: bool
    ) -> None:
        with self.open(self.url(tmp_path), "write") as store:
            store.runs.start("test")
            add(store, store_batch(40))
            for after in (None, "token"):  # done, and interrupted
                store.revisions.start("job", "reprocess")
                revise(store, [FIRST + 3], {"rise_rate": [1.0]}, after=after)
                store.revisions.start("other", "reprocess")
                revise(store, [FIRST + alert], {column: [0.5]}, job="other", after=None)
                former = {job["job"]: job for job in store.revisions.jobs().to_pylist()}["job"]
                kept = "interrupted" if after else "done"
                assert (former["status"], former["after"]) == (("superseded", None) if is_superseded else (kept, after))
            assert store.revisions.start("job", "reprocess") == (None if is_superseded else "token")

    def test_a_job_without_a_writer_is_interrupted(self, tmp_path: Path) -> None:
        url = self.url(tmp_path)
        with self.open(url, "write") as store:
            store.revisions.start("job", "reprocess")
        with self.open(url, "read") as store:
            assert store.revisions.jobs()["status"].to_pylist() == ["interrupted"]

    def test_alerts_that_are_not_stored_are_refused(self, revised: Store) -> None:
        values = new_values([FIRST + 3, FIRST + 999], {"rise_rate": [1.0, 2.0]})
        segment = revised.revisions.write(values, values.select(["survey", "alert_id"]))
        before = alert_rows(revised)
        with pytest.raises(StoreError, match=r"1 of 2 alerts .* not stored"):
            revised.revisions.commit(Revision(segment, "job", None))
        assert alert_rows(revised) == before
        assert revised.revisions.of_alert(FIRST + 3, "ztf").num_rows == 0
        assert revised.revisions.jobs()["status"].to_pylist() == ["running"]

    def test_a_type_that_contradicts_the_stored_one_is_refused(self, revised: Store) -> None:
        values = new_values([FIRST + 3], {"rise_rate": ["fast"]}, declared={"rise_rate": Column("string")})
        segment = revised.revisions.write(values, values.select(["survey", "alert_id"]))
        with pytest.raises(StoreError, match="'rise_rate' is stored as float"):
            revised.revisions.commit(Revision(segment, "job", None))

    @pytest.mark.parametrize("name", ["mjd", "object_id", "packet", "light_curve", "cutout_science", "topics"])
    def test_what_came_with_the_packet_cannot_be_revised(self, revised: Store, name: str) -> None:
        values = new_values([FIRST + 3], {name: [None]})
        with pytest.raises(StoreError, match=f"not of {name}"):
            revised.revisions.write(values, values.select(["survey", "alert_id"]))

    def test_values_that_are_no_revision_are_refused(self, revised: Store) -> None:
        good = new_values([FIRST + 3, FIRST + 4], {"rise_rate": [1.0, 2.0]})
        keys = good.select(["survey", "alert_id"])
        twice = new_values([FIRST + 3, FIRST + 3], {"rise_rate": [1.0, 2.0]})
        classes = new_values([FIRST + 3], {"classes": [1.0]}, declared={"classes": Column("float32")})
        nameless = new_values([FIRST + 3], {"classes": [[{"name": None, "probability": 0.5, "by": "m@1"}]]})
        wrong: list[tuple[pa.RecordBatch, pa.RecordBatch, str]] = [
            (keys, keys, "no column"),
            (good, keys.slice(1), "same alerts"),
            (good, keys.take(pa.array([1, 0])), "same alerts"),
            (good, new_values([FIRST + 3, FIRST + 4], {"p_other": [1.0, 2.0]}), "without new ones: p_other"),
            (good.slice(0, 0), keys.slice(0, 0), "at least one alert"),
            (good.select(["alert_id", "rise_rate"]), keys, "survey"),
            (twice, twice.select([0, 1]), "twice"),
            (classes, classes.select([0, 1]), "classes are a list"),
            (nameless, nameless.select([0, 1]), "class without name"),
            (good.rename_columns(["survey", "alert_id", "Drop table"]), keys, "cannot be stored"),
        ]
        for values, replaced, message in wrong:
            with pytest.raises(StoreError, match=message):
                revised.revisions.write(values, replaced)

    @pytest.mark.parametrize("name", ["../../etc", "ztf-revision-0123456789abcdef", "ztf-20200101-0123456789abcdef"])
    def test_a_name_that_is_no_revision_is_refused(self, revised: Store, name: str) -> None:
        with pytest.raises(StoreError, match="no revision of this archive"):
            revised.revisions.commit(Revision(name, "job", None))

    def test_a_job_that_was_not_started_is_refused(self, revised: Store) -> None:
        with pytest.raises(StoreError, match="was not started"):
            revised.revisions.commit(Revision(None, "other", None))

    def test_surveys_are_revised_apart(self, revised: Store) -> None:
        add(revised, store_batch(5, survey="rubin"))
        revise(revised, [FIRST + 3], {"rise_rate": [5.0]}, survey="rubin")
        rows = {row["survey"]: row["rise_rate"] for row in alert_rows(revised, where=f"alert_id == {FIRST + 3}")}
        assert rows == {"rubin": 5.0, "ztf": pytest.approx(-0.3)}

    @pytest.mark.parametrize("rows_per_pixel", [None, 7])
    def test_answers_are_the_same_after_compaction(self, revised: Store, rows_per_pixel: int | None) -> None:
        def answers() -> list[Any]:
            columns = ["alert_id", "rise_rate", "feature_archived", "p_new", "classes", "topics", "pass_rising"]
            whole = [full_alert(revised, FIRST + i, "ztf", [*columns[:5], "packet"]) for i in (3, 4, 5)]
            return [alert_rows(revised, columns), whole, revised.ledger.topics(), object_row(revised, "ZTFmade0003")]

        revise(revised, [FIRST + 3, FIRST + 4], {"feature_archived": [7.0, 8.0], "p_new": [0.5, 0.5]})
        before = answers()
        revised.maintenance.compact(rows_per_pixel=rows_per_pixel)
        assert answers() == before
        revise(revised, [FIRST + 4, FIRST + 5], {"feature_archived": [9.0, 9.5], "classes": [SN, []]})
        before = answers()
        (report,) = revised.maintenance.compact(rows_per_pixel=rows_per_pixel)
        assert report.rewritten >= 1
        assert answers() == before
        assert revised.maintenance.check(deep=True).problems == ()
