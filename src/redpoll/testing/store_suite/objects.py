"""Questions about objects."""

from __future__ import annotations

import pyarrow as pa
import pytest

from redpoll.errors import NotFound
from redpoll.schema.table_rows import table_rows
from redpoll.store import Store
from redpoll.testing.store_batches import store_batch
from redpoll.testing.store_rows import alert_rows, object_row
from redpoll.testing.store_suite.cases import StoreCases, add


class ObjectCases(StoreCases):
    """Questions about objects."""

    def test_an_object_sums_up_its_alerts(self, store: Store) -> None:
        add(store, store_batch(40, objects=20, nights=(0, 3)))
        add(store, store_batch(40, start=40, objects=20, nights=(0, 3)))
        row = object_row(store, "ZTFmade0005")
        alerts = alert_rows(store, object_ids=["ZTFmade0005"])
        newest = alerts[0]
        assert (row["n_alerts"], row["last_mjd"], row["ra"], row["dec"]) == (
            4,
            *(newest[k] for k in ("mjd", "ra", "dec")),
        )
        assert row["first_mjd"] == min(a["first_mjd"] for a in alerts)
        assert row["n_detections"] == max(a["n_detections"] for a in alerts)
        assert row["max_p_synthetic"] == max(a["p_synthetic"] for a in alerts)
        assert row["min_n_synthetic"] == min(a["n_synthetic"] for a in alerts)
        assert (row["last_mjd_r"], row["last_mag_r"]) == (newest["mjd"], newest["mag"])
        assert row["last_mag_u"] is None

    def test_rows_and_tables_of_an_object_agree(self, store: Store) -> None:
        add(store, store_batch(40, objects=20))
        for answer in (store.objects.get("ZTFmade0005"), store.objects.classifications("ZTFmade0005")):
            table = answer.to_table()
            assert table.schema.equals(answer.schema, check_metadata=True)
            assert answer.to_rows() == table_rows(table) != []

    def test_many_objects_are_read_at_once_in_the_order_asked_for(self, store: Store) -> None:
        add(store, store_batch(2100, objects=2100, points=1, cutout_bytes=1))
        names = [f"ZTFmade{i:04d}" for i in [7, 2099, 7, *range(2000), 3]]
        rows = store.objects.get_all(names).to_rows()
        assert [row["object_id"] for row in rows] == names
        for i in (0, 1, 1500):
            assert rows[i] == object_row(store, names[i])
        assert store.objects.get_all([]).to_rows() == []
        assert store.objects.get_all([]).schema.equals(store.objects.get("ZTFmade0007").schema, check_metadata=True)

    @pytest.mark.parametrize("unknown", ["nobody", "ZTFmade0001 ", "ZTFmade0001\0", "%", "", "' OR 1=1 --"])
    def test_an_unknown_object_among_many_is_named(self, store: Store, unknown: str) -> None:
        add(store, store_batch(20))
        with pytest.raises(NotFound) as raised:
            store.objects.get_all(["ZTFmade0001", unknown, "no other"])
        assert f"no object '{unknown}'" in str(raised.value)

    def test_an_object_of_two_surveys_is_that_of_the_newest_alert(self, store: Store) -> None:
        names = pa.array(["same"])
        for night, survey in ((1, "rubin"), (0, "ztf")):
            batch = store_batch(1, start=night, survey=survey, nights=(night,) * 2)
            at = batch.schema.get_field_index("object_id")
            add(store, batch.set_column(at, batch.schema.field(at), names.cast(batch.schema.field(at).type)))
        assert [object_row(store, "same")["survey"], store.objects.get_all(["same"]).to_rows()[0]["survey"]] == [
            "rubin", "rubin",
        ]  # fmt: skip

    def test_an_unknown_object_is_not_found(self, store: Store) -> None:
        for ask in (store.objects.get, store.objects.light_curve, store.objects.classifications):
            with pytest.raises(NotFound, match="nobody"):
                ask("nobody")

    def test_a_light_curve_has_each_point_once(self, store: Store) -> None:
        add(store, store_batch(40, objects=5, nights=(0, 1), points=8))
        add(store, store_batch(40, start=40, objects=5, nights=(2, 3), points=8))
        curve = store.objects.light_curve("ZTFmade0002")
        assert curve.column_names == ["mjd", "band", "flux", "flux_err", "kind"]
        points = curve.select(["mjd", "band", "kind"]).to_pylist()
        keys = [(round(p["mjd"], 5), p["band"], p["kind"] == "forced") for p in points]
        assert len(set(keys)) == len(keys)
        assert [p["mjd"] for p in points] == sorted(p["mjd"] for p in points)
        assert {a["mjd"] for a in alert_rows(store, object_ids=["ZTFmade0002"])} <= {p["mjd"] for p in points}

    def test_columns_of_an_object_have_units_and_meanings(self, store: Store) -> None:
        add(store, store_batch(2))
        schema = store.objects.get("ZTFmade0001").schema
        assert schema.field("last_mjd").metadata[b"unit"] == b"d"
        assert schema.field("max_p_synthetic").type == pa.float32()
        assert schema.field("max_p_synthetic").metadata[b"by"] == b"synthetic@1"
        assert schema.field("hpx29").type == pa.int64()
        assert store.objects.classifications("ZTFmade0001").schema.field("first_mjd").metadata[b"unit"] == b"d"
