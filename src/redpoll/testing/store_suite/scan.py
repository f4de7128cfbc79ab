"""Scans: any columns of any selection, in order, page by page, in record batches."""

from __future__ import annotations

import json
import math
from functools import partial
from typing import Any

import pyarrow as pa
import pytest

from redpoll.astro.sky import separation_arcsec
from redpoll.errors import ExpressionError, UnknownColumn, UsageError
from redpoll.expression import parse_expression
from redpoll.schema.column import Column
from redpoll.schema.table_rows import table_rows
from redpoll.store import Cone, Selection, Store
from redpoll.testing.store_batches import store_batch
from redpoll.testing.store_rows import Row, alert_pages, alert_rows
from redpoll.testing.store_suite.cases import NEWEST, StoreCases, add

EVERYWHERE = Cone(0.0, 90.0, 648_000.0)
SELECTIONS: dict[str, dict[str, Any]] = {
    "all": {},
    "night": {"night": 20200102},
    "topic": {"topic": "rising"},
    "class": {"class_": "sn"},
    "class, topic and night": {"class_": "real", "topic": "rising", "night": 20200103},
    "objects": {"object_ids": ["ZTFmade0003", "ZTFmade0011", "nobody"]},
    "objects and night": {"object_ids": ["ZTFmade0003", "ZTFmade0011"], "night": 20200101},
    "survey": {"survey": "rubin"},
    "cone": {"cone": EVERYWHERE, "topic": "rising"},
    "cone and objects": {"cone": Cone(0.0, 0.0, 324_000.0), "object_ids": ["ZTFmade0003", "ZTFmade0004"]},
    "alerts": {"alert_ids": [10**15 + 3, 10**15 + 75, 10**15 + 9, 10**15 + 3, 7]},
    "alerts of a survey and night": {"alert_ids": list(range(10**15, 10**15 + 50)), "survey": "ztf", "night": 20200102},
    "alerts and class": {"alert_ids": list(range(10**15, 10**15 + 50)), "class_": "sn", "topic": "rising"},
    "alerts, objects and cone": {
        "alert_ids": list(range(10**15, 10**15 + 90)),
        "object_ids": ["ZTFmade0003", "ZTFmade0004"],
        "cone": EVERYWHERE,
    },
    "no alerts": {"alert_ids": []},
    "ranges": {"ranges": [(0, 1 << 59), (3 << 59, 5 << 59)]},
    "ranges and cone": {"ranges": [(0, 1 << 60)], "cone": Cone(45.0, 30.0, 200_000.0)},
    "no ranges": {"ranges": []},
    "indexed expression": {"where": "mag < 19 and band == 'g' and is_edge"},
    "archived expression": {"where": "feature_archived > 20 and mag < 19.5 and not pass_bright"},
    "everything": {"where": "feature_archived < 60 or n_synthetic in (1, 2)", "class_": "real", "cone": EVERYWHERE},
}
ORDERS = ["newest", "oldest", "hpx29"]


class ScanCases(StoreCases):
    """Scans."""

    @pytest.fixture
    def filled(self, store: Store) -> Store:
        """A store with alerts of two surveys and three nights, part of them compacted."""
        add(store, store_batch(70, nights=(0, 1, 2)))
        store.maintenance.compact(rows_per_pixel=20)
        add(store, store_batch(30, start=70, nights=(0, 1, 2), version="2"))
        add(store, store_batch(30, survey="rubin", nights=(1,)))
        return store

    @pytest.mark.parametrize("selection", SELECTIONS.values(), ids=list(SELECTIONS))
    def test_a_scan_is_what_a_filter_in_memory_gives(self, filled: Store, selection: dict[str, Any]) -> None:
        selected = [row for row in self._all(filled) if self._is_selected(row, selection)]
        orders: list[Any] = [*ORDERS, *(["separation"] if "cone" in selection else [])]
        for order_by in orders:
            by = partial(self._key, order_by=order_by, selection=selection)
            expected = sorted(selected, key=by, reverse=order_by == "newest")
            rows = alert_rows(filled, ["survey", "alert_id"], order_by=order_by, **selection)
            assert rows == [{name: row[name] for name in ("survey", "alert_id")} for row in expected], order_by
            pages = alert_pages(filled, 17, order_by=order_by, **selection)
            assert [row["alert_id"] for row in pages] == [row["alert_id"] for row in expected], order_by

    def _all(self, store: Store) -> list[Row]:
        names = [*store.alerts.scan().schema.names, "feature_archived", "pass_bright"]
        return alert_rows(store, names)

    def _is_selected(self, row: Row, selection: dict[str, Any]) -> bool:
        chosen = Selection(**selection)
        tests = [
            chosen.night in (None, row["night"]),
            chosen.survey in (None, row["survey"]),
            chosen.topic is None or chosen.topic in row["topics"],
            chosen.object_ids is None or row["object_id"] in chosen.object_ids,
            chosen.alert_ids is None or row["alert_id"] in chosen.alert_ids,
            chosen.ranges is None or any(start <= row["hpx29"] < stop for start, stop in chosen.ranges),
            chosen.cone is None or self._distance(row, chosen.cone) <= chosen.cone.radius_arcsec,
        ]
        if chosen.class_ is not None:
            names = {"sn": {"sn", "sn_ia"}, "real": {"sn", "sn_ia", "agn", "rr_lyrae_ab"}}[chosen.class_]
            tests.append(bool(names & {found["name"] for found in row["classes"]}))
        if chosen.where is not None:
            expression = parse_expression(chosen.where)
            batch = pa.RecordBatch.from_pylist([{name: row[name] for name in expression.columns}])
            tests.append(expression.passes(batch)[0].as_py())
        return all(tests)

    def _distance(self, row: Row, cone: Cone) -> float:
        return float(separation_arcsec(cone.ra, cone.dec, row["ra"], row["dec"]))

    def _key(self, row: Row, order_by: str, selection: dict[str, Any]) -> Any:
        if order_by == "separation":
            return self._distance(row, selection["cone"]), row["alert_id"], row["survey"] == "rubin"
        first = row["hpx29"] if order_by == "hpx29" else row["mjd"]
        return first, row["alert_id"], row["survey"] == "rubin"

    def test_any_columns_come_with_their_types_and_meanings(self, filled: Store) -> None:
        names = ["alert_id", "light_curve", "cutout_science", "packet", "rise_rate", "feature_archived", "pass_rising"]
        scan = filled.alerts.scan(names, Selection(survey="ztf"), order_by="oldest")
        table = scan.to_table()
        full = store_batch(100, nights=(0, 1, 2))
        expected = sorted(full.to_pylist(), key=NEWEST)
        assert table.schema.equals(scan.schema, check_metadata=True)
        for name in names:
            assert table[name].to_pylist() == [row[name] for row in expected], name
        assert table.schema.field("rise_rate").metadata[b"unit"] == b"mag/day"
        assert table.schema.field("rise_rate").metadata[b"by"] == b"synthetic@1"  # by the newest segment

    @pytest.mark.parametrize("selection", SELECTIONS.values(), ids=list(SELECTIONS))
    def test_rows_are_those_of_the_table(self, filled: Store, selection: dict[str, Any]) -> None:
        for columns in (None, ["classes", "light_curve", "mag", "pass_rising", "object_id"]):
            rows = filled.alerts.scan(columns, Selection(**selection)).to_rows()
            assert rows == table_rows(filled.alerts.scan(columns, Selection(**selection)).to_table())

    def test_rows_are_those_of_the_table_when_a_column_changes_its_type(self, store: Store) -> None:
        for i, values in enumerate((pa.array([1, None]), pa.array([0.5, float("nan")]), pa.array([True, False]))):
            batch = store_batch(2, start=2 * i)
            add(store, batch.append_column(pa.field("score", values.type, metadata={"indexed": "1"}), values))
            rows = store.alerts.scan(["score", "alert_id"], order_by="oldest").to_rows()
            table = store.alerts.scan(["score", "alert_id"], order_by="oldest").to_table()
            assert rows == table_rows(table)
            assert [type(row["score"]) for row in rows] == [type(row["score"]) for row in table_rows(table)]

    def test_a_column_keeps_its_unit_meaning_and_label(self, store: Store) -> None:
        column = Column("float32", "mag", "Peak magnitude of the fit.", label="Peak magnitude")
        batch = store_batch(2)
        add(store, batch.append_column(column.field("peak", by="m@1"), pa.array([18.0, 19.0], pa.float32())))
        for field in (store.alerts.schema().field("peak"), store.alerts.scan(["peak"]).schema.field("peak")):
            assert [field.metadata[key] for key in (b"unit", b"label", b"by")] == [b"mag", b"Peak magnitude", b"m@1"]

    def test_the_schema_does_not_depend_on_the_rows(self, filled: Store) -> None:
        names = ["packet", "mag", "classes", "topics", "light_curve"]
        nothing = filled.alerts.scan(names, Selection(where="mag < 0")).to_table()
        assert nothing.num_rows == 0
        assert nothing.schema.equals(filled.alerts.scan(names, limit=3).to_table().schema, check_metadata=True)

    def test_a_column_that_an_alert_lacks_is_null(self, store: Store) -> None:
        add(store, store_batch(2))
        add(store, store_batch(2, start=2).drop_columns(["feature_archived", "light_curve"]))
        rows = alert_rows(store, ["feature_archived", "light_curve"], order_by="oldest")
        assert [row["feature_archived"] for row in rows] == [0.0, 0.5, None, None]
        assert [row["light_curve"] is None for row in rows] == [False, False, True, True]

    def test_packets_of_several_versions_share_one_type(self, store: Store) -> None:
        add(store, store_batch(1, packet={"a": pa.array([1]), "b": pa.array([0.5])}))
        add(store, store_batch(1, start=1, packet={"b": pa.array(["text"]), "c": pa.array([[1, 2]])}))
        rows = alert_rows(store, ["packet"], order_by="oldest")
        assert [row["packet"] for row in rows] == [
            {"a": 1, "b": "0.5", "c": None}, {"a": None, "b": "text", "c": [1, 2]},
        ]  # fmt: skip

    @pytest.mark.parametrize("order_by", ORDERS)
    def test_pages_are_stable_while_a_run_writes(self, store: Store, order_by: Any) -> None:
        add(store, store_batch(60, nights=(0, 1, 2)))
        there = [row["alert_id"] for row in alert_rows(store, order_by=order_by)]
        seen: list[int] = []
        after: str | None = None
        n = 60
        while True:
            scan = store.alerts.scan(["alert_id"], order_by=order_by, after=after, limit=9)
            seen += scan.to_table()["alert_id"].to_pylist()
            after = scan.after
            if after is None:
                break
            if n < 200:
                add(store, store_batch(20, start=n, nights=(0, 1, 2, 3)))
                n += 20
        assert [i for i in seen if i in set(there)] == there
        assert len(seen) == len(set(seen))

    def test_a_cone_gives_its_pages_from_near_to_far(self, filled: Store) -> None:
        whole = alert_rows(filled, cone=EVERYWHERE)
        distances = [row["separation_arcsec"] for row in whole]
        assert distances == sorted(distances)
        assert len(whole) == 130
        assert alert_pages(filled, 11, cone=EVERYWHERE) == whole

    def test_nothing_follows_the_last_page(self, filled: Store) -> None:
        for limit, follows in ((129, True), (130, False), (131, False), (None, False)):
            scan = filled.alerts.scan(["alert_id"], limit=limit)
            assert scan.to_table().num_rows == min(limit or 130, 130)
            assert (scan.after is not None) == follows

    @pytest.mark.parametrize(
        "token", ["", "AAAA", "%%%", "e30", "W10", "null", "x" * 5000, "\ud800", "WzEsMiwzLDRd", "\x00"]
    )
    def test_a_foreign_token_is_refused(self, filled: Store, token: str) -> None:
        with pytest.raises(UsageError, match="token"):
            filled.alerts.scan(after=token)

    def test_a_token_of_another_selection_or_order_is_refused(self, filled: Store) -> None:
        first = filled.alerts.scan(limit=2)
        first.to_table()
        others: list[tuple[Selection, Any]] = [(Selection(night=20200101), None), (Selection(), "oldest")]
        for selection, order_by in others:
            with pytest.raises(UsageError, match="token"):
                filled.alerts.scan(None, selection, order_by=order_by, after=first.after)

    @pytest.mark.parametrize("key", [math.inf, math.nan, 1e400, "x", None, True, [1]])
    def test_a_token_with_a_strange_key_is_refused(self, filled: Store, key: Any) -> None:
        import base64

        first = filled.alerts.scan(limit=2)
        first.to_table()
        parts = json.loads(base64.urlsafe_b64decode(str(first.after) + "=="))
        forged = base64.urlsafe_b64encode(json.dumps([key, *parts[1:]]).encode()).decode()
        with pytest.raises(UsageError, match="token"):
            filled.alerts.scan(after=forged)

    @pytest.mark.parametrize(
        "where",
        [
            "", "mag <", "no_such < 1", "mag", "packet == 1", "mag < 'x'", "mag < 1; drop table alerts", "(" * 2000,
            "abs(" * 60 + "mag" + ")" * 60 + " < 1 and", "mag < 18 -- ", "1 " + "or 1 " * 400, "mag == " + "9" * 40,
        ],
    )  # fmt: skip
    def test_a_hostile_expression_is_refused(self, filled: Store, where: str) -> None:
        with pytest.raises(ExpressionError):
            filled.alerts.scan(None, Selection(where=where))

    def test_a_deep_expression_is_answered(self, filled: Store) -> None:
        where = "abs(" * 60 + "mag" + ")" * 60 + " < 19"
        assert alert_rows(filled, where=where) == alert_rows(filled, where="mag < 19") != []

    def test_names_are_values_not_sql(self, filled: Store) -> None:
        hostile = "x' OR 1=1; DROP TABLE alerts; --"
        for selection in ({"topic": hostile}, {"class_": hostile}, {"object_ids": [hostile]}, {"survey": hostile}):
            assert alert_rows(filled, **selection) == []
        assert alert_rows(filled, where='object_id == "x\' OR 1=1"') == []

    @pytest.mark.parametrize("ranges", [[(-1, 5)], [(5, 1)], [(0, 1 << 63)], [(0,)], [("a", "b")], 5 * [(0.5, None)]])
    def test_impossible_ranges_are_refused(self, ranges: Any) -> None:
        with pytest.raises(UsageError):
            Selection(ranges=ranges)

    @pytest.mark.parametrize("alert_ids", [["1"], [1.5], [None], [1 << 63], range(100_001), 3])
    def test_impossible_identifiers_are_refused(self, alert_ids: Any) -> None:
        with pytest.raises(UsageError):
            Selection(alert_ids=alert_ids)

    def test_unknown_columns_and_orders_are_refused(self, filled: Store) -> None:
        with pytest.raises(UnknownColumn, match="rise_rate"):
            filled.alerts.scan(["rise_rat"])
        with pytest.raises(UsageError, match="cone"):
            filled.alerts.scan(["separation_arcsec"])
        with pytest.raises(UsageError, match="cone"):
            filled.alerts.scan(order_by="separation")
        with pytest.raises(UsageError, match="newest"):
            filled.alerts.scan(order_by="mag")  # type: ignore[arg-type]
        with pytest.raises(UsageError, match="rows"):
            filled.alerts.scan(limit=-1)
