"""Tables written batch by batch and read again: nothing is lost but what the format does not have."""

from __future__ import annotations

import csv as text_csv
import io
import json
import math
import warnings
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as parquet
import pytest
from astropy.io.votable import parse, validate
from hypothesis import given
from hypothesis import strategies as st

from redpoll.errors import UsageError
from redpoll.formats import check_schema, encode, open_writer
from redpoll.formats.sink import ByteSink
from redpoll.schema.classifications import CLASSES, CLASSES_COLUMN
from redpoll.schema.column import Column

COLUMNS = {
    "alert_id": Column("int64", doc="Identifier; never < null.", ucd="meta.id"),
    "ra": Column("float64", "deg", "Right ascension & more.", "pos.eq.ra"),
    "mag": Column("float32", "mag", 'A "magnitude".', "phot.mag"),
    "is_real": Column("bool"),
    "n_points": Column("int16"),
    "sso_name": Column("string", doc="Name\nof two lines."),
}
SCHEMA = pa.schema([column.field(name) for name, column in COLUMNS.items()])
NASTY = [
    "=1+1",
    "@SUM(A1)",
    'say "hi", twice',
    "two\nlines",
    "carriage\r\nreturn",
    " edges ",
    "<td>&amp;</td>",
    "Ω ☄",
    "-",
]
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "alert_id": st.none() | st.integers(-(2**63), 2**63 - 1),
            "ra": st.none() | st.floats(),
            "mag": st.none() | st.floats(width=32),
            "is_real": st.none() | st.booleans(),
            "n_points": st.none() | st.integers(-(2**15), 2**15 - 1),
            "sso_name": st.none() | st.sampled_from(NASTY) | st.text(max_size=20),
        }
    ),
    max_size=12,
)


def table_of(rows: list[dict[str, Any]], cut: int = 3) -> pa.Table:
    """A table in record batches of `cut` rows."""
    whole = pa.Table.from_pylist(rows, SCHEMA)
    return pa.Table.from_batches(whole.to_batches(max_chunksize=cut), SCHEMA)


def bits(table: pa.Table) -> list[list[Any]]:
    """Values with NaN as a word, and -0.0 apart from 0.0."""
    return [[repr(value) for value in column.to_pylist()] for column in table.columns]


@given(ROWS)
def test_parquet_holds_every_value_unit_and_meaning(rows: list[dict[str, Any]]) -> None:
    table = table_of(rows)
    back = parquet.read_table(pa.BufferReader(encode(table, "parquet")))
    assert bits(back) == bits(table)
    assert back.schema.equals(SCHEMA)
    assert back.schema.field("ra").metadata[b"unit"] == b"deg"


@pytest.mark.parametrize(("format", "opened"), [("arrow", pa.ipc.open_stream), ("arrow_file", pa.ipc.open_file)])
@given(ROWS)
def test_arrow_holds_every_value_unit_and_meaning(format: Any, opened: Any, rows: list[dict[str, Any]]) -> None:
    table = table_of(rows)
    back = opened(pa.py_buffer(encode(table, format))).read_all()
    assert bits(back) == bits(table)
    assert back.schema.equals(SCHEMA, check_metadata=True)


@given(ROWS)
def test_csv_holds_every_value(rows: list[dict[str, Any]]) -> None:
    table = table_of(rows)
    options = csv.ConvertOptions(
        column_types=SCHEMA, strings_can_be_null=True, quoted_strings_can_be_null=False, null_values=[""]
    )
    parsed = csv.ParseOptions(newlines_in_values=True)
    back = csv.read_csv(
        pa.BufferReader(encode(table, "csv")), convert_options=options, parse_options=parsed,
    )  # fmt: skip
    assert bits(back) == bits(table)


def test_a_formula_stays_quoted_text_in_csv() -> None:
    body = encode(pa.table({"name": NASTY}), "csv").decode()
    assert '"=1+1"' in body.splitlines()
    assert [row[0] for row in text_csv.reader(io.StringIO(body, newline=""))][1:] == NASTY


@given(ROWS)
def test_json_holds_identifiers_as_text_and_no_nan(rows: list[dict[str, Any]]) -> None:
    def refuse(token: str) -> None:
        raise AssertionError(token)

    back = json.loads(encode(table_of(rows), "json"), parse_constant=refuse)
    assert [row["sso_name"] for row in back] == [row["sso_name"] for row in rows]
    ids = [row["alert_id"] for row in rows]
    assert [row["alert_id"] for row in back] == [None if i is None else str(i) for i in ids]
    for name in ("ra", "mag"):
        want = [row[name] if row[name] is not None and math.isfinite(row[name]) else None for row in rows]
        assert [
            None if row[name] is None else np.float32(row[name]) if name == "mag" else row[name] for row in back
        ] == want


def test_json_of_no_rows_is_an_empty_list() -> None:
    assert json.loads(encode(table_of([]), "json")) == []


def test_json_holds_light_curves() -> None:
    points = [{"mjd": 58849.25, "flux": 0.1}, {"mjd": 58850.0, "flux": None}]
    kind = pa.list_(pa.struct([("mjd", pa.float64()), ("flux", pa.float32())]))
    back = json.loads(encode(pa.table({"light_curve": pa.array([points, None], kind)}), "json"))
    assert np.float32(back[0]["light_curve"][0]["flux"]) == np.float32(0.1)
    assert back[1] == {"light_curve": None}


XML = "{http://www.ivoa.net/xml/VOTable/v1.3}"
XML_TEXT = st.text(st.characters(blacklist_categories=["Cs", "Cc", "Cn"]), min_size=1, max_size=20).filter(str.strip)


@given(ROWS, XML_TEXT)
def test_votable_holds_every_value_that_xml_has(rows: list[dict[str, Any]], text: str) -> None:
    rows = [{**row, "sso_name": text} for row in rows]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read = parse(io.BytesIO(encode(table_of(rows), "votable")), verify="exception").get_first_table()
    for name in ("alert_id", "ra", "mag", "n_points", "is_real"):
        column = read.array[name]
        back = [
            None if m else repr(v)
            for m, v in zip(np.ma.getmaskarray(column).tolist(), column.data.tolist(), strict=True)
        ]
        want = [None if row[name] is None else repr(row[name]) for row in rows]
        nan = [i for i, value in enumerate(want) if value == "nan"]
        assert [v for i, v in enumerate(back) if i not in nan] == [v for i, v in enumerate(want) if i not in nan]
    assert [str(v).strip() for v in read.array["sso_name"].tolist()] == [text.strip() for _ in rows]
    cells = [row[-1].text for row in ElementTree.fromstring(encode(table_of(rows), "votable")).iter(f"{XML}TR")]
    assert cells == [text for _ in rows]


def test_votable_has_units_ucds_and_meanings_and_is_valid() -> None:
    body = encode(table_of([{"alert_id": 2**62, "ra": 10.5, "sso_name": "a\x00b\rc"}]), "votable")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert validate(io.BytesIO(body), output=io.StringIO()) is True
    table = parse(io.BytesIO(body), verify="exception").get_first_table()
    field = table.get_field_by_id("ra")
    assert (str(field.unit), field.ucd, field.description) == ("deg", "pos.eq.ra", "Right ascension & more.")
    assert table.array["sso_name"][0] == "a\ufffdb\rc"


@pytest.mark.parametrize("format", ["csv", "votable"])
def test_topics_and_classes_fit_into_a_cell_with_all_digits(format: Any) -> None:
    p = float(np.float32(0.123456789))
    classes = pa.array(
        [[{"name": "sn_ia", "probability": p, "by": "m@1"}, {"name": "sn", "probability": None, "by": "c@2"}]]
    )
    table = pa.table({"topics": [["a", "b"]], CLASSES: classes.cast(CLASSES_COLUMN.arrow_type)})
    body = encode(table, format).decode()
    assert "a b" in body
    assert "sn_ia:0.123456791:m@1 sn::c@2" in body


@pytest.mark.parametrize("format", ["csv", "votable", "json"])
@pytest.mark.parametrize("kind", [pa.binary(), pa.map_(pa.string(), pa.int64()), pa.list_(pa.binary())])
def test_what_a_format_cannot_hold_is_refused_with_those_that_can(format: Any, kind: pa.DataType) -> None:
    with pytest.raises(UsageError, match=r"cannot hold .* packet: use .*parquet or arrow"):
        check_schema(format, pa.schema([("alert_id", pa.int64()), ("packet", kind)]))


def test_many_refused_columns_are_not_all_listed() -> None:
    schema = pa.schema([(f"c{i}", pa.binary()) for i in range(40)])
    with pytest.raises(UsageError, match="c0, c1, c2, c3, c4 and 35 more"):
        check_schema("csv", schema)


def test_dictionaries_become_text_in_every_format() -> None:
    first, second = (pa.record_batch({"band": pa.array(x).dictionary_encode()}) for x in (["g", "r"], ["r", None]))
    table = pa.Table.from_batches([first, second])
    for format, read in (("arrow_file", pa.ipc.open_file), ("arrow", pa.ipc.open_stream)):
        back = read(pa.py_buffer(encode(table, format))).read_all()
        assert back["band"].to_pylist() == ["g", "r", "r", None]


def test_small_batches_share_a_row_group() -> None:
    file = io.BytesIO()
    writer = open_writer("parquet", file, SCHEMA)
    for _ in range(50):
        writer.write(pa.RecordBatch.from_pylist([{"alert_id": 1}] * 100, SCHEMA))
    writer.close()
    assert parquet.ParquetFile(file).num_row_groups == 1


class Pipe(io.RawIOBase):
    """A file that cannot seek."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.parts.append(bytes(data))
        return len(self.parts[-1])

    def tell(self) -> int:
        raise OSError("a pipe has no position")


@pytest.mark.parametrize("format", ["csv", "json", "votable", "parquet", "arrow", "arrow_file"])
def test_every_format_can_be_written_to_a_pipe(format: Any) -> None:
    table, pipe = table_of([{"alert_id": 1}, {"alert_id": 2}]), Pipe()
    writer = open_writer(format, pipe, table.schema)
    for batch in table.to_batches():
        writer.write(batch)
    writer.close()
    assert b"".join(pipe.parts) == encode(table, format)


def test_a_sink_counts_bytes_and_leaves_its_file_open() -> None:
    file = io.BytesIO()
    sink = ByteSink(file)
    sink.write(memoryview(np.zeros(3, np.int64)))
    sink.close()
    assert (sink.tell(), file.closed) == (24, False)


def test_a_failing_file_raises_its_own_error() -> None:
    class Full(io.BytesIO):
        def write(self, data: Any) -> int:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        encode_to(Full())


def encode_to(file: Any) -> None:
    writer = open_writer("parquet", file, SCHEMA)
    writer.write(pa.RecordBatch.from_pylist([{"alert_id": 1}], SCHEMA))
    writer.close()
