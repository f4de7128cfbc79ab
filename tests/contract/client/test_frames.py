"""Answers as tables of pandas, polars and astropy, and as previews: exact identifiers, units, nulls."""

from __future__ import annotations

import html
import re
import sys
from typing import Any

import numpy as np
import polars
import pyarrow as pa
import pytest
from astropy import units as u
from astropy.table import QTable

from redpoll.client import Client, QueryResult
from redpoll.schema.column import Column

IDS = [2**53 + 1, None, -(2**63), 2**63 - 1]


@pytest.fixture
def result() -> QueryResult:
    """Four rows with nulls, NaN, exact integers and nasty text."""
    columns = {
        "alert_id": (Column("int64", doc="Identifier."), IDS),
        "mjd": (Column("float64", "d", "Time."), [58849.123456789, float("nan"), None, 1.0]),
        "mag": (Column("float32", "mag"), [18.3, None, float("nan"), 1.0]),
        "rate": (Column("float32", "mag/day"), [0.5, None, 1.0, 2.0]),
        "odd": (Column("float64", "no such unit"), [1.0, 2.0, 3.0, 4.0]),
        "is_real": (Column("bool"), [True, None, False, True]),
        "name": (Column("string"), ["<b>&amp;", None, "two\nlines\x1b[2J", ""]),
        "topics": (Column(pa.list_(pa.string())), [["a"], [], None, ["b", "c"]]),
    }
    schema = pa.schema([column.field(name) for name, (column, _) in columns.items()])
    return QueryResult.of_table(pa.table([pa.array(v, c.arrow_type) for c, v in columns.values()], schema=schema))


def test_pandas_keeps_integers_with_nulls_exact(result: QueryResult) -> None:
    frame = result.to_pandas()
    assert [None if value is frame["alert_id"].dtype.na_value else value for value in frame["alert_id"]] == IDS
    assert str(frame["alert_id"].dtype) == "int64[pyarrow]"
    assert frame["mag"].isna().sum() >= 1
    assert pa.Table.from_pandas(frame, preserve_index=False)["topics"].to_pylist() == [["a"], [], None, ["b", "c"]]


def test_astropy_has_units_descriptions_and_masks(result: QueryResult) -> None:
    table = result.to_astropy()
    assert table["alert_id"].dtype == np.int64
    assert table["alert_id"].tolist() == IDS
    assert table["alert_id"].description == "Identifier."
    assert (table["mjd"].unit, table["rate"].unit) == (u.d, u.mag / u.d)
    assert table["mjd"].mask.tolist() == [False, False, True, False]
    assert np.isnan(table["mjd"].data.data[1])
    assert table["is_real"].tolist() == [True, None, False, True]
    assert table["name"].tolist() == ["<b>&amp;", None, "two\nlines\x1b[2J", ""]
    assert QTable(table[["mjd", "rate"]])["rate"][0] == 0.5 * u.mag / u.d
    assert len(table) == 4


def test_polars_and_others_read_the_c_stream(result: QueryResult) -> None:
    table = pa.table(result)
    assert table["alert_id"].to_pylist() == IDS
    assert table.schema.field("mjd").metadata[b"unit"] == b"d"


def test_polars_keeps_integers_exact(result: QueryResult) -> None:
    assert result.to_polars()["alert_id"].to_list() == polars.DataFrame(result)["alert_id"].to_list() == IDS


@pytest.mark.parametrize(("package", "method"), [("pandas", "to_pandas"), ("polars", "to_polars")])
def test_a_missing_package_is_named(
    result: QueryResult, package: str, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=f"{method} needs the package {package}: install it"):
        getattr(result, method)()


def test_a_preview_for_a_terminal_has_no_control_characters(result: QueryResult) -> None:
    lines = repr(result).splitlines()
    assert len(lines) == 5
    assert str(2**63 - 1) in lines[-1]
    assert "\x1b" not in repr(result)
    assert "two\\nlines\\x1b[2J" in repr(result)


def test_a_preview_for_a_notebook_is_escaped(result: QueryResult) -> None:
    text = result._repr_html_()
    assert "<b>" not in text
    assert "<b>&amp;" in html.unescape(text)
    assert 'title="Time. [d]"' in text
    assert len(re.findall("<tr>", text)) == 5


def test_a_preview_reads_a_few_rows_of_a_few_columns(client: Client) -> None:
    text = repr(client.alerts(columns="all"))
    assert "more rows follow" in text
    assert "more columns: see .schema.names" in text
    assert len(text.splitlines()) == 8


def test_a_preview_stops_reading_early() -> None:
    schema, asked = pa.schema([("n", pa.int64())]), []

    def read(columns: Any, most: int | None) -> Any:
        asked.append(most)
        return schema, iter([pa.record_batch({"n": list(range(most or 0))}, schema)])

    repr(QueryResult(read, "n"))
    assert asked == [0, 6]
