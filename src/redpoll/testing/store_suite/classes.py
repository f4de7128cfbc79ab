"""Classifications of alerts and objects."""

from __future__ import annotations

from operator import itemgetter

import pyarrow as pa
import pytest

from redpoll.errors import NotFound
from redpoll.schema.classifications import CLASSES_TYPE
from redpoll.schema.taxonomy import taxonomy
from redpoll.store import Store
from redpoll.testing.store_batches import store_batch
from redpoll.testing.store_rows import Row, alert_pages, alert_rows, classification_rows, full_alert
from redpoll.testing.store_suite.cases import StoreCases, add


class ClassCases(StoreCases):
    """Classifications of alerts and objects."""

    def test_rows_carry_every_classification(self, store: Store) -> None:
        batch = store_batch(12)
        add(store, batch)
        rows = sorted(alert_rows(store), key=itemgetter("alert_id"))
        assert [row["classes"] for row in rows] == batch["classes"].to_pylist()
        assert full_alert(store, 10**15 + 5, "ztf", ["classes"])["classes"] == rows[5]["classes"]

    def test_alerts_without_classification_have_no_classes(self, store: Store) -> None:
        add(store, store_batch(3).drop_columns(["classes"]))
        add(store, store_batch(3, start=3))
        assert [len(row["classes"]) for row in reversed(alert_rows(store))] == [0, 0, 0, 1, 1, 2]
        assert classification_rows(store, "ZTFmade0001") == []

    @pytest.mark.parametrize("night", [None, 20200102])
    @pytest.mark.parametrize("class_", ["sn_ia", "sn", "rr_lyrae", "extragalactic", "real", "tde"])
    def test_alerts_of_a_class_are_those_classified_as_it_or_a_subclass(
        self, store: Store, class_: str, night: int | None
    ) -> None:
        add(store, store_batch(100, nights=(0, 1, 2)))
        add(store, store_batch(50, start=100, survey="rubin", nights=(1,)))
        pages = alert_pages(store, 7, class_=class_, night=night)
        subclasses = set(taxonomy().descendants(class_))
        expected = [
            row for row in alert_rows(store, limit=1000) if subclasses & {one["name"] for one in row["classes"]}
        ]
        assert pages == [row for row in expected if night in (None, row["night"])]
        assert bool(pages) == (class_ != "tde")

    def test_an_unknown_class_has_no_alerts(self, store: Store) -> None:
        add(store, store_batch(5))
        assert alert_rows(store, class_="nothing") == []

    def test_a_class_that_the_taxonomy_lost_is_still_found(self, store: Store) -> None:
        assigned = pa.array([[{"name": "old_name", "probability": 0.5, "by": "m@1"}]], CLASSES_TYPE)
        batch = store_batch(1)
        add(store, batch.set_column(batch.schema.get_field_index("classes"), batch.schema.field("classes"), assigned))
        assert [row["classes"][0]["name"] for row in alert_rows(store, class_="old_name")] == ["old_name"]

    def test_a_topic_and_a_class_together_select_what_has_both(self, store: Store) -> None:
        add(store, store_batch(60, nights=(0, 1)))
        rows = alert_rows(store, class_="sn", topic="rising", night=20200102)
        both = [row for row in alert_rows(store, class_="sn") if "rising" in row["topics"] and row["night"] == 20200102]
        assert rows == both != []

    def test_the_classifications_of_an_object_are_summed_up(self, store: Store) -> None:
        add(store, store_batch(60, objects=5, nights=(2, 0, 1), version="2"))
        add(store, store_batch(60, start=60, objects=5, nights=(0, 4), version="1"))
        alerts = alert_rows(store, object_ids=["ZTFmade0003"])
        rows = classification_rows(store, "ZTFmade0003")
        assert rows == self._summed_up(alerts)
        assert {row["by"] for row in rows} == {"made_catalogue@2020", "synthetic@1", "synthetic@2"}

    def _summed_up(self, alerts: list[Row]) -> list[Row]:
        """The history of an object from its alerts, newest first, one classification at a time."""
        found: dict[tuple[str, str], Row] = {}
        for row in reversed(alerts):
            for one in row["classes"]:
                start = {"name": one["name"], "by": one["by"], "first_mjd": row["mjd"], "n_alerts": 0,
                         "max_probability": one["probability"]}  # fmt: skip
                summary = found.setdefault((one["name"], one["by"]), start)
                summary |= {"last_mjd": row["mjd"], "last_probability": one["probability"]}
                summary["n_alerts"] += 1
                if one["probability"] is not None:
                    summary["max_probability"] = max(summary["max_probability"], one["probability"])
        return [found[key] for key in sorted(found)]

    def test_the_history_of_an_unknown_object_is_not_found(self, store: Store) -> None:
        with pytest.raises(NotFound, match="nobody"):
            classification_rows(store, "nobody")
