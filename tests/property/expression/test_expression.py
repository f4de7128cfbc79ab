"""Expressions of every shape: their text, Arrow and SQLite agree, and no text does harm."""

from __future__ import annotations

import math
import sqlite3

import pyarrow as pa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from redpoll import Column
from redpoll.errors import ExpressionError
from redpoll.expression import Expression, parse_expression
from redpoll.expression.syntax import (
    Arithmetic,
    Between,
    Call,
    Compare,
    In,
    IsNull,
    Literal,
    Logic,
    Name,
    Negate,
    Not,
)
from redpoll.schema.light_curve import BAND_TYPE

COLUMNS = {
    "f": Column("float64"),
    "mag": Column("float32"),
    "n": Column("int32"),
    "id": Column("int64"),
    "s": Column("string"),
    "band": Column(BAND_TYPE),
    "edge": Column("bool"),
}
SQL_TYPES = {
    "f": "REAL",
    "mag": "REAL",
    "n": "INTEGER",
    "id": "INTEGER",
    "s": "TEXT",
    "band": "TEXT",
    "edge": "INTEGER",
}

ORDERS = ["<", "<=", ">", ">=", "==", "!="]
SMALL = st.sampled_from([0, 1, -1, 2])
INTEGERS = SMALL | SMALL | st.integers(-(2**63) + 1, 2**63 - 1) | st.sampled_from([2**53, 2**53 + 1, -(2**62)])
ROUND = st.sampled_from([0.0, -0.0, 0.5, 1.0, -1.0, 2.0])
FLOATS = ROUND | ROUND | st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([1e308, 1e-320, 2.0**53])
STRANGE = st.sampled_from([math.nan, math.inf, -math.inf]) | st.none()
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=4) | st.sampled_from("gri")


def literals(values) -> st.SearchStrategy:
    return st.builds(Literal, values)


def names(*columns: str) -> st.SearchStrategy:
    return st.builds(Name, st.sampled_from(columns))


def _numbers(inner: st.SearchStrategy) -> st.SearchStrategy:
    return st.one_of(
        st.builds(Negate, inner.filter(lambda tree: not isinstance(tree, Literal))),
        st.builds(Arithmetic, st.sampled_from("+-*/"), inner, inner),
        st.builds(Call, st.sampled_from(["abs", "sqrt", "log10"]), st.tuples(inner)),
        st.builds(Call, st.sampled_from(["min", "max"]), st.lists(inner, min_size=2, max_size=3).map(tuple)),
    )


NUMBERS = st.recursive(literals(INTEGERS | FLOATS) | names("f", "mag", "n", "id"), _numbers, max_leaves=5)
STRINGS = literals(TEXTS) | names("s", "band")
FLAGS = literals(st.booleans()) | names("edge")


def chains(parts: st.SearchStrategy) -> st.SearchStrategy:
    joined = st.lists(st.tuples(st.sampled_from(ORDERS), parts), min_size=1, max_size=3)
    return st.builds(
        lambda first, rest: Compare(tuple(o for o, _ in rest), (first, *(p for _, p in rest))), parts, joined
    )


def _lists(values: st.SearchStrategy) -> st.SearchStrategy:
    return st.lists(literals(values), min_size=1, max_size=3).map(tuple)


LEAVES = st.one_of(
    FLAGS,
    chains(NUMBERS),
    chains(STRINGS),
    st.builds(Between, NUMBERS, NUMBERS, NUMBERS),
    st.builds(Between, STRINGS, STRINGS, STRINGS),
    st.builds(In, NUMBERS, _lists(INTEGERS | FLOATS)),
    st.builds(In, STRINGS, _lists(TEXTS)),
    st.builds(IsNull, NUMBERS | STRINGS),
)


def _conditions(inner: st.SearchStrategy) -> st.SearchStrategy:
    return st.one_of(
        st.builds(Not, inner),
        st.builds(IsNull, inner),
        st.builds(Logic, st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(lambda o, a, b: Compare((o,), (a, b)), st.sampled_from(["==", "!="]), inner, inner),
    )


CONDITIONS = st.recursive(LEAVES, _conditions, max_leaves=5)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "f": STRANGE | FLOATS,
            "mag": STRANGE | ROUND | st.floats(width=32),
            "n": st.none() | SMALL | st.integers(-(2**31), 2**31 - 1),
            "id": st.none() | INTEGERS,
            "s": st.none() | TEXTS,
            "band": st.none() | st.sampled_from("ugrizy"),
            "edge": st.booleans(),
        }
    ),
    max_size=5,
)


def batch_of(rows: list[dict]) -> pa.RecordBatch:
    schema = pa.schema([column.field(name) for name, column in COLUMNS.items()])
    return pa.RecordBatch.from_pylist(rows, schema=schema)


def chosen_by_sql(expression: Expression, batch: pa.RecordBatch) -> list[bool]:
    declared = ", ".join(f'"{name}" {kind}' for name, kind in SQL_TYPES.items())
    marks = ", ".join("?" * len(SQL_TYPES))
    sql, params = expression.to_sql(COLUMNS)
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute(f"CREATE TABLE alerts (row INTEGER PRIMARY KEY, {declared})")
        rows = [(i, *row.values()) for i, row in enumerate(batch.to_pylist())]
        connection.executemany(f"INSERT INTO alerts VALUES (?, {marks})", rows)
        passed = {row for (row,) in connection.execute(f"SELECT row FROM alerts WHERE {sql}", params)}
    finally:
        connection.close()
    return [i in passed for i in range(batch.num_rows)]


@given(CONDITIONS)
def test_text_of_a_tree_means_the_same_tree(tree) -> None:
    text = str(tree)
    if len(text) <= 2_000:
        expression = parse_expression(text)
        assert expression.root == tree
        assert str(expression) == text


def one(**values) -> list[dict]:
    return [dict.fromkeys(COLUMNS) | {"edge": False} | values]


@settings(max_examples=200)
@given(CONDITIONS, ROWS)
@example(parse_expression("not f > 0").root, one(f=math.nan))
@example(parse_expression("f is null").root, one(f=math.nan))
@example(parse_expression("1 / f > 0").root, one(f=0.0))
@example(parse_expression("n / 0 is null").root, one(n=1))
@example(parse_expression("f - f is null").root, one(f=math.inf))
@example(parse_expression("f in (-0.0)").root, one(f=0.0))
@example(parse_expression("0 in (-0.0)").root, one())
@example(parse_expression("id == 9007199254740993").root, one(id=2**53))
@example(parse_expression("id == 9007199254740993.0").root, one(id=2**53 + 1))
@example(parse_expression("log10(f) is null").root, one(f=0.0))
@example(parse_expression("sqrt(f) is null").root, one(f=-1.0))
@example(parse_expression("max(f, 1) is null").root, one())
@example(parse_expression("n / 2 == 0.5").root, one(n=1))
@example(parse_expression("abs(id) > 9e18").root, one(id=-(2**63)))
@example(parse_expression("mag == 0.1").root, one(mag=0.1))
def test_arrow_and_sqlite_choose_the_same_alerts(tree, rows) -> None:
    expression, batch = Expression(tree, str(tree)), batch_of(rows)
    assert expression.passes(batch).to_pylist() == chosen_by_sql(expression, batch)


@given(CONDITIONS, ROWS)
def test_negation_turns_yes_into_no_and_unknown_into_neither(tree, rows) -> None:
    batch = batch_of(rows)
    yes, no, unknown = (Expression(part, "").passes(batch).to_pylist() for part in (tree, Not(tree), IsNull(tree)))
    assert all(sum(answers) == 1 for answers in zip(yes, no, unknown, strict=True))


@given(CONDITIONS, ROWS, st.integers(0, 5))
def test_answers_do_not_depend_on_the_batch(tree, rows, cut) -> None:
    expression, batch = Expression(tree, ""), batch_of(rows)
    parts = [expression.passes(batch.slice(0, cut)), expression.passes(batch.slice(cut))]
    assert expression.passes(batch).to_pylist() == [answer for part in parts for answer in part.to_pylist()]


WORDS = st.sampled_from(
    [
        *ORDERS,
        *"+-*/(),'\"",
        "and",
        "or",
        "not",
        "in",
        "is",
        "null",
        "between",
        "true",
        "abs",
        "min",
        *COLUMNS,
        "1",
        "2.5",
    ]
)


@given(st.text(max_size=40) | st.lists(WORDS, max_size=12).map(" ".join))
@example("(" * 1_000)
@example("not " * 500)
@example("-" * 2_000)
@example("f" + "+f" * 900 + ">0")
@example("'" * 1_999)
def test_any_text_is_an_expression_or_an_expression_error(text) -> None:
    try:
        expression = parse_expression(text)
        expression.check(COLUMNS)
    except ExpressionError as error:
        assert str(error)
    else:
        assert len(expression.passes(batch_of([]))) == 0
