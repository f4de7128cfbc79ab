"""Filters in one line."""

from __future__ import annotations

import sqlite3

import pyarrow as pa
import pytest

from redpoll import Column
from redpoll.errors import ExpressionError, PluginError, SchemaError
from redpoll.expression import parse_expression
from redpoll.plugin.columns import Columns
from redpoll.plugin.expression_filter import expression_filter
from redpoll.plugin.graph import Graph
from redpoll.schema.alert import COLUMNS
from redpoll.schema.light_curve import BAND_TYPE

BATCH = pa.record_batch(
    {
        "mag": pa.array([17.0, 18.0, float("nan"), None], "float32"),
        "n": pa.array([1, 2**60 + 1, -3, None]),
        "band": pa.array(["g", "r", None, "i"], BAND_TYPE),
        "name": pa.array(["it's", 'say "hi"', "é", None]),
        "edge": [True, False, True, False],
    }
)


CASES = [
    ("mag < 18", "1000"),
    ("mag <= 18", "1100"),
    ("mag == 18", "0100"),
    ("mag != 18", "1000"),
    ("17 < mag <= 18 < 19", "0100"),
    ("mag between 17 and 18", "1100"),
    ("mag not between 17.5 and 18", "1000"),
    ("mag is null", "0011"),
    ("mag is not null", "1100"),
    ("edge", "1010"),
    ("not edge", "0101"),
    ("edge == false", "0101"),
    ("(mag < 18) == edge", "1100"),
    ("mag < 18 or edge", "1010"),
    ("not (mag < 18 and edge)", "0101"),
    ("not mag < 18 and n > 0", "0100"),
    ("edge or not edge and mag < 0", "1010"),
    ("band == 'g'", "1000"),
    ('band in ("g", "i")', "1001"),
    ("band not in ('g', 'i')", "0100"),
    ("not band in ('g', 'i')", "0100"),
    ("band < 'h'", "1000"),
    ("name == 'it''s'", "1000"),
    ('name == "say ""hi"""', "0100"),
    ("name == 'é'", "0010"),
    ("n == 1152921504606846977", "0100"),
    ("n == 1152921504606846976", "0000"),
    ("n in (1, -3)", "1010"),
    ("n in (1.0, 2.5)", "1000"),
    ("n / 2 == 0.5", "1000"),
    ("n / 0 is null", "1111"),
    ("n * 2 + 1 - 1 == -6", "0010"),
    ("-n == 3", "0010"),
    ("-(-n) == -3", "0010"),
    ("2 - 3 - 4 == -5", "1111"),
    ("8 / 4 / 2 == 1", "1111"),
    ("2 + 3 * 4 == 14", "1111"),
    ("(2 + 3) * 4 == 20", "1111"),
    ("abs(n) == 3", "0010"),
    ("sqrt(n) == 1", "1000"),
    ("sqrt(n) is null", "0011"),
    ("log10(n) == 0", "1000"),
    ("log10(n - 1) is null", "1011"),
    ("min(n, 2) == 2", "0100"),
    ("max(n, 2, 1) == 2", "1010"),
    ("max(mag, 17.5) == 17.5", "1000"),
    ("true", "1111"),
    ("false or 1 < 2", "1111"),
    ("1 in (1, 2)", "1111"),
    ("mag < 18 AND edge", "1000"),
    ("1e1 < mag\n and mag < 1.75e1", "1000"),
    ("n == 1152921504606846976.0", "0100"),
    ("n in (1152921504606846976.0, 0.5)", "0100"),
    ("mag * 0 * -1 in (0.0, 7.5)", "1100"),
    ("max(n, 0) == 1152921504606846976", "0000"),
    ("max(n, 0) == 1152921504606846977", "0100"),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_expression_chooses(text, expected) -> None:
    passed = parse_expression(text).passes(BATCH)
    assert "".join(str(int(p)) for p in passed.to_pylist()) == expected
    assert parse_expression(str(parse_expression(text))).passes(BATCH).equals(passed)


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_sql_chooses_the_same_rows(text, expected) -> None:
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE alerts (mag REAL, n INTEGER, band TEXT, name TEXT, edge INTEGER)")
    rows = [(*row.values(),) for row in BATCH.to_pylist()]
    database.executemany("INSERT INTO alerts VALUES (?, ?, ?, ?, ?)", rows)
    columns = {field.name: Column(field.type) for field in BATCH.schema}
    sql, params = parse_expression(text).to_sql(columns)
    found = {rowid for (rowid,) in database.execute(f"SELECT rowid FROM alerts WHERE {sql}", params)}
    assert "".join(str(int(i in found)) for i in range(1, 5)) == expected


def test_columns_are_named_once_in_order() -> None:
    assert parse_expression("b < a and abs(b) > c or a is null").columns == ("b", "a", "c")


def test_normalised_text() -> None:
    assert str(parse_expression("not(a<1 AND(b=='x'))or-(c)>.5")) == 'not (a < 1 and b == "x") or -c > 0.5'


def fail(text: str) -> str:
    with pytest.raises(ExpressionError) as caught:
        parse_expression(text).check()
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "what", "at"),
    [
        ("", "expected a column, number or string, the expression ends", 1),
        ("mag <", "the expression ends", 6),
        ("mag < 18 and", "the expression ends", 13),
        ("mag = 18", "unexpected '='; write == to compare", 5),
        ("mag < 18 && edge", "unexpected '&'; write 'and'", 10),
        ("!is_edge", "unexpected '!'; write 'not'", 1),
        ("mag.real < 3", "this is not a number", 4),
        ("mag < 1.2.3", "this is not a number", 7),
        ("mag < 18mag", "this is not a number", 7),
        ("band == 'g", "this quote is never closed", 9),
        ("mag < 18 19", "unexpected '19'", 10),
        ("(mag < 18", "expected ')', the expression ends", 10),
        ("mag < 18)", "unexpected ')'", 9),
        ("mag[0] < 3", "unexpected '['", 4),
        ("exec('x')", "there is no function 'exec'", 1),
        ("__import__('os')", "there is no function '__import__'", 1),
        ("abs(mag, 2) > 1", "abs takes 1 values, not 2", 1),
        ("min(mag) > 1", "min takes 2 to 16 values, not 1", 1),
        ("abs() > 1", "found ')'", 5),
        ("mag == null", "write 'is null'", 8),
        ("mag is 3", "expected 'null', found '3'", 8),
        ("mag not 3", "expected 'in' or 'between' after 'not'", 9),
        ("band in 'g'", "expected '(', found", 9),
        ("band in ()", "found ')'", 10),
        ("mag in (flux)", "a list holds numbers or strings only", 9),
        ("mag between 1", "expected 'and'", 14),
        ("alert_id == 9223372036854775808", "does not fit into 64 bits", 13),
        ("mag < 1e999", "too large", 7),
        ("object_id == '\0'", "no column can hold", 14),
        ("object_id == '\ud800'", "no column can hold", 14),
        ("mag < ٣", "this is not a number", 7),
        ("mag < ²", "this is not a number", 7),
        ("magg < 18", "there is no column 'magg' (near: mag", 1),
        ("mag + flux", "this is a number, not a yes or no", 5),
        ("18", "this is a number, not a yes or no", 1),
        ("'g'", "this is a string, not a yes or no", 1),
        ("mag < '18'", "cannot compare a number with a string", 5),
        ("is_edge < true", "only be compared by a single == or !=", 9),
        ("is_edge == true == true", "only be compared by a single == or !=", 9),
        ("is_edge == 1", "cannot compare a yes or no with a number", 9),
        ("mag and is_edge", "expected a condition, this is a number", 1),
        ("not mag", "expected a condition, this is a number", 5),
        ("mag + band > 1", "expected a number, this is a string", 7),
        ("-is_edge == 1", "expected a number, this is a yes or no", 2),
        ("abs(band) > 1", "expected a number, this is a string", 5),
        ("min(band, 'g') == 'g'", "expected a number, this is a string", 5),
        ("mag in ('g')", "a number is never in a list with a string", 9),
        ("band in ('g', 3)", "a string is never in a list with a number", 15),
        ("is_edge in (true)", "a yes or no is never in a list", 13),
        ("is_edge between false and true", "single == or !=", 9),
        ("light_curve is null", "'light_curve' is no number", 1),
        ("cutout_science == 'x'", "'cutout_science' is no number", 1),
    ],
)
def test_what_is_wrong_is_shown_with_its_place(text, what, at) -> None:
    message = fail(text)
    assert what in message
    assert f"at character {at}" in message
    line, caret = message.split("\n")[-2:]
    assert caret.index("^") == at - 1 + 2
    assert len(line) == len(text) + 2


def test_caret_stays_under_the_place_in_a_long_expression() -> None:
    text = "mag < 18 and " * 20 + "magg < 18 and " + " and ".join(["mag < 18"] * 20)
    line, caret = fail(text).split("\n")[-2:]
    assert line[caret.index("^") :].startswith("magg")
    assert len(line) < 150


def test_length_is_limited() -> None:
    assert parse_expression("mag < 1 or " * 180 + "mag < 2").passes(BATCH).to_pylist() == [False] * 4
    with pytest.raises(ExpressionError, match="2001 characters; at most 2000"):
        parse_expression("a" * 2001)


@pytest.mark.parametrize("opening", ["(", "not ", "- ", "abs("])
def test_nesting_is_limited(opening) -> None:
    with pytest.raises(ExpressionError, match="nested more than 64 deep"):
        parse_expression(opening * 300 + "mag")


def test_long_sums_are_limited_like_nesting() -> None:
    with pytest.raises(ExpressionError, match="nested more than 64 deep"):
        parse_expression("+".join(["mag"] * 400) + " > 0")


def test_long_chains_are_no_nesting() -> None:
    assert parse_expression("<".join(str(i) for i in range(200))).passes(BATCH).to_pylist() == [True] * 4


def test_the_number_of_parts_is_limited() -> None:
    with pytest.raises(ExpressionError, match="more than 1000"):
        parse_expression("<".join(["1+1"] * 400))


def test_conditions_are_the_parts_of_a_conjunction_and_name_their_position_in_it() -> None:
    first, second = parse_expression("mag < 18 and (n or nothing > 1)").conditions()
    first.check({"mag": Column("float32")})
    with pytest.raises(ExpressionError, match=r"'nothing' \(known: n\) at character 20\n  mag < 18 and \(n or"):
        second.check({"n": Column("bool")})


def test_deepest_expression_works_everywhere() -> None:
    text = "not " * 62 + "edge"
    assert parse_expression(text).passes(BATCH).to_pylist() == BATCH["edge"].to_pylist()
    assert parse_expression(text).to_sql({"edge": Column("bool")})[0].count("NOT") == 62


def test_expression_on_a_batch_without_its_column() -> None:
    with pytest.raises(SchemaError, match="no column 'ra'"):
        parse_expression("ra > 3").passes(BATCH)


def test_empty_batch_gives_an_empty_answer() -> None:
    for text in ("mag < 18", "true", "band in ('g', 'r')"):
        answer = parse_expression(text).passes(BATCH.slice(0, 0))
        assert answer.type == pa.bool_()
        assert len(answer) == 0


def test_unsigned_ids_beyond_int64_are_floats() -> None:
    batch = pa.record_batch({"id": pa.array([2**64 - 1, 1], "uint64")})
    assert parse_expression("id > 9e18").passes(batch).to_pylist() == [True, False]


def test_equality_is_of_meaning() -> None:
    assert parse_expression("mag<18") == parse_expression(" mag  <  18 ")
    assert parse_expression("mag < 18") != parse_expression("mag < 18.0")
    assert parse_expression("edge == true") != parse_expression("edge == 1")
    assert len({parse_expression("mag<18"), parse_expression("mag < 18")}) == 1


def test_sql_holds_no_constant_and_quotes_names() -> None:
    sql, params = parse_expression("band in ('g', \"r'; drop table x\") and mag < 18").to_sql()
    assert sql == '(("band" IN (?, ?)) AND ("mag" < ?))'
    assert params == ["g", "r'; drop table x", 18.0]


def test_sql_names_can_be_qualified() -> None:
    sql, _ = parse_expression("mag < 18").to_sql(quote=lambda name: f"a.{name}")
    assert sql == "(a.mag < ?)"


def test_filter_is_a_node_of_the_graph(sample_batch) -> None:
    bright = expression_filter("bright", "mag < 20 and is_positive")
    found = Graph.build([], [bright]).run(sample_batch)
    mags, positive = sample_batch["mag"].to_pylist(), sample_batch["is_positive"].to_pylist()
    expected = [m is not None and m < 20 and p for m, p in zip(mags, positive, strict=True)]
    assert found.batch["pass_bright"].to_pylist() == expected
    assert found.batch.schema.field("pass_bright").metadata[b"by"] == f"bright@{bright.version}".encode()


def test_version_follows_the_meaning() -> None:
    versions = [expression_filter("t", text).version for text in ("mag<18", "mag  < 18", "mag < 19")]
    assert versions[0] == versions[1] != versions[2]


def test_filter_agrees_with_its_compute(sample_batch) -> None:
    node = expression_filter("bright", "mag < 20")
    assert node.compute(Columns(sample_batch), {})["pass_bright"].equals(
        parse_expression("mag<20").passes(sample_batch)
    )


def test_topic_must_be_a_name() -> None:
    with pytest.raises(PluginError, match="cannot be a topic"):
        expression_filter("Bright ones", "mag < 18")


def test_every_indexed_column_can_be_used() -> None:
    for name, column in COLUMNS.items():
        if column.indexed:
            parse_expression(f"{name} is null").check()
