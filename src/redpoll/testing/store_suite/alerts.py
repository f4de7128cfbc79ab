"""Questions about alerts."""

from __future__ import annotations

from operator import itemgetter

import numpy as np
import pyarrow as pa
import pytest

from redpoll.astro.sky import separation_arcsec
from redpoll.errors import NotFound, UsageError
from redpoll.store import Cone, Store
from redpoll.testing.store_batches import store_batch
from redpoll.testing.store_rows import Row, alert_pages, alert_rows, full_alert
from redpoll.testing.store_suite.cases import NEWEST, StoreCases, add, moved_to


class AlertCases(StoreCases):
    """Questions about alerts."""

    def test_alerts_of_an_object_come_newest_first(self, store: Store) -> None:
        add(store, store_batch(60, objects=20, nights=(1, 0)))
        rows = alert_rows(store, object_ids=["ZTFmade0003"])
        assert rows == sorted(rows, key=NEWEST, reverse=True)
        assert {row["object_id"] for row in rows} == {"ZTFmade0003"}
        assert len(rows) == 3
        assert alert_rows(store, object_ids=["ZTFmade0003"], limit=2) == rows[:2]
        assert alert_rows(store, object_ids=["nobody"]) == []

    def test_rows_have_the_values_of_the_batch(self, store: Store) -> None:
        batch = store_batch(30)
        add(store, batch)
        rows = sorted(alert_rows(store), key=itemgetter("alert_id"))
        for name in ("survey", "alert_id", "object_id", "night", "mjd", "ra", "hpx29", "band", "flux", "is_edge"):
            assert [row[name] for row in rows] == batch[name].to_pylist()
        assert [row["rise_rate"] for row in rows] == batch["rise_rate"].to_pylist()
        assert [row["sso_name"] for row in rows] == batch["sso_name"].to_pylist()
        assert "feature_archived" not in rows[0]

    def test_unknown_is_none_also_for_nan(self, store: Store) -> None:
        batch = store_batch(2)
        at = batch.schema.get_field_index("mag")
        add(store, batch.set_column(at, batch.schema.field("mag"), pa.array([float("nan"), 20.0], pa.float32())))
        assert {row["mag"] for row in alert_rows(store)} == {None, 20.0}

    def test_rows_carry_the_topics_an_alert_passed(self, store: Store) -> None:
        add(store, store_batch(31))
        topics = {row["alert_id"] - 10**15: row["topics"] for row in alert_rows(store)}
        assert (topics[0], topics[3], topics[10], topics[11]) == (["bright", "rising"], ["rising"], ["bright"], [])

    @pytest.mark.parametrize(("ra", "dec"), [(10.0, 20.0), (0.0, 0.0), (359.9999, -30.0), (123.0, 90.0), (45.0, -90.0)])
    @pytest.mark.parametrize("radius", [2.0, 60.0, 3600.0])
    def test_a_cone_holds_exactly_what_is_near(self, store: Store, ra: float, dec: float, radius: float) -> None:
        rng = np.random.default_rng(1)
        offset = np.concatenate([rng.uniform(0, 3 * radius, 190), np.zeros(10)]) / 3600
        angle = rng.uniform(0, 2 * np.pi, 200)
        decs = np.clip(dec + offset * np.cos(angle), -90, 90)
        ras = (ra + offset * np.sin(angle) / np.maximum(np.cos(np.radians(decs)), 1e-9)) % 360
        add(store, moved_to(store_batch(200), ras.tolist(), decs.tolist()))
        rows = alert_rows(store, cone=Cone(ra, dec, radius))
        near = separation_arcsec(ra, dec, ras, decs)
        assert {row["alert_id"] for row in rows} == set((10**15 + np.flatnonzero(near <= radius)).tolist())
        distances = [row["separation_arcsec"] for row in rows]
        assert distances == sorted(near[near <= radius].tolist())
        assert alert_rows(store, cone=Cone(ra, dec, radius), limit=3) == rows[:3]

    def test_an_empty_cone_is_an_empty_list(self, store: Store) -> None:
        add(store, store_batch(5))
        assert alert_rows(store, cone=Cone(33.0, 7.0, 1.0)) == []

    @pytest.mark.parametrize("cone", [(400.0, 91.0, 5.0), (0.0, 0.0, -1.0), (float("nan"), 0.0, 1.0)])
    def test_an_impossible_cone_is_refused(self, store: Store, cone: tuple[float, float, float]) -> None:
        with pytest.raises(UsageError):
            alert_rows(store, cone=Cone(*cone))

    @pytest.mark.parametrize("night", [None, 20200102])
    @pytest.mark.parametrize("topic", [None, "rising"])
    def test_pages_of_the_latest_alerts_neither_repeat_nor_skip(
        self, store: Store, topic: str | None, night: int | None
    ) -> None:
        add(store, store_batch(100, nights=(0, 1, 2)))
        add(store, store_batch(50, start=100, survey="rubin", nights=(1,)))
        pages = alert_pages(store, 7, topic=topic, night=night)
        expected = [row for row in alert_rows(store, limit=1000) if self._wanted(row, topic, night)]
        assert pages == expected == sorted(expected, key=NEWEST, reverse=True)
        assert expected

    def _wanted(self, row: Row, topic: str | None, night: int | None) -> bool:
        return (topic is None or topic in row["topics"]) and night in (None, row["night"])

    def test_an_unknown_topic_has_no_alerts(self, store: Store) -> None:
        add(store, store_batch(5))
        assert alert_rows(store, topic="nothing") == []

    def test_a_whole_alert_has_everything_that_was_archived(self, store: Store) -> None:
        batch = store_batch(150, points=4)
        add(store, batch)
        for i in (0, 63, 64, 149):
            sent = batch.drop_columns(["packet_light_curve"]).slice(i, 1).to_pylist()[0]  # archived as light_curve
            assert full_alert(store, 10**15 + i, "ztf") == sent

    def test_single_columns_of_a_whole_alert_can_be_asked_for(self, store: Store) -> None:
        batch = store_batch(20)
        add(store, batch)
        names = ["cutout_template", "light_curve", "feature_archived", "pass_rising", "packet"]
        row = full_alert(store, 10**15 + 9, "ztf", names)
        assert list(row) == names
        assert row == {name: batch[name][9].as_py() for name in names}

    def test_what_is_not_there_is_not_found(self, store: Store) -> None:
        with pytest.raises(NotFound):
            full_alert(store, 1, "ztf")
        add(store, store_batch(2))
        for alert_id, survey, columns in ((1, "ztf", None), (10**15, "rubin", None), (10**15, "ztf", ["no_such"])):
            with pytest.raises(NotFound):
                full_alert(store, alert_id, survey, columns)
        with pytest.raises(NotFound):
            store.alerts.provenance(1, "ztf")

    def test_each_alert_knows_the_versions_that_made_its_values(self, store: Store) -> None:
        add(store, store_batch(2, version="1"))
        add(store, store_batch(2, start=2, version="2"))
        made = [store.alerts.provenance(10**15 + i, "ztf")["rise_rate"] for i in (0, 2)]
        assert made == ["synthetic@1", "synthetic@2"]
        assert "mjd" not in store.alerts.provenance(10**15, "ztf")

    def test_a_reader_sees_commits_made_after_it_opened(self, store: Store) -> None:
        with self.open(store.url, "read") as reader:
            assert alert_rows(reader) == []
            add(store, store_batch(3))
            assert alert_rows(reader) == alert_rows(store)
            assert len(alert_rows(reader, topic="rising")) == 1
            assert reader.alerts.exists("ztf", np.array([10**15])).tolist() == [True]
