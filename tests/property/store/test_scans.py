"""Scans: whatever the index answers equals the evaluation in memory; tokens come back; cells join up."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from redpoll.astro.sky import hpx29, separation_arcsec
from redpoll.errors import ExpressionError, UsageError
from redpoll.expression import parse_expression
from redpoll.expression.parser import MAX_NODES
from redpoll.schema.column import Column
from redpoll.store import Cone, Selection, Store, open_store
from redpoll.store.rings import in_ranges, intersected, ring_cells, without
from redpoll.store.scan import decode_token, encode_token
from redpoll.testing.store_batches import store_batch
from redpoll.testing.store_suite import add

NAN, INF = math.nan, math.inf
BIG = 2**53
VALUES: dict[str, tuple[Column, list[Any]]] = {
    "x": (Column("float64"), [0.0, -0.0, 0.5, 1.0, -1.0, 2.5, 1e308, 1e-320, NAN, None, INF, -INF, float(BIG), 3.0]),
    "y": (Column("float32"), [0.1, 0.5, NAN, None, 2.5, -0.0, INF, 1.0, 3.0, -2.0, 0.25, 0.3, 7.0, 1e-30]),
    "n": (Column("int32"), [0, 1, 2, -1, None, 3, 2, 1, 0, 7, -7, None, 2**31 - 1, -(2**31)]),
    "big": (
        Column("int64"),
        [BIG, BIG + 1, BIG + 2, -BIG - 1, None, 2**63 - 1, -(2**63), 0, 1, 2, 2**62, 2**62 + 1, 5, 6],
    ),
    "s": (Column("string"), ["a", "b", "", None, "A", "é", "a' OR 1=1", "ab", "z", None, "g", "r", "i", '"']),
    "flag": (Column("bool"), [True, False, None] * 4 + [True, None]),
}
N = 14
WHERES = [
    "x > 0",
    "not x > 0",
    "x is null",
    "x / n > 1",
    "1 / x > 0",
    "x - x == 0",
    "x in (-0.0)",
    "x in (0, 2.5)",
    "n in (0.5, 2.5)",
    "n in (1, 2)",
    "n in (1, 2.0)",
    f"big == {BIG + 1}",
    f"big == {BIG + 1}.0",
    f"big > {BIG}",
    f"big in ({BIG + 1}, 5)",
    f"max(big, {BIG + 1}) == {BIG + 1}",
    f"min(big, {BIG + 1}) == {BIG + 1}",
    "max(big, n) > 1",
    "min(n, big) == big",
    "abs(big) > 9e18",
    "y == 0.1",
    "y == 0.5",
    "y < x",
    "n < big",
    "x == n",
    "flag",
    "not flag",
    "flag == true",
    "flag is null",
    "s == 'a'",
    "s < 'b'",
    "s in ('A', 'é')",
    "s is null",
    "s == 'a'' OR 1=1'",
    "log10(x) is null",
    "sqrt(x) >= 0",
    "x between y and n",
    "0 < x <= 2.5 and n >= 0",
    "x > 0 or n is null",
    "not (flag or x > 0)",
    "-x < n",
    "x * 1e308 > 0",
    "big / 2 > 0",
    "-big > 0",
    "big + n == big",
    "min(x, y) < 1",
    "max(x, 1) is null",
]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The same values in indexed columns and, under another name, in archived ones."""
    batch = store_batch(N, points=1, cutout_bytes=1)
    for prefix, indexed in (("", True), ("archived_", False)):
        for name, (column, values) in VALUES.items():
            made = Column(column.dtype, indexed=indexed).field(prefix + name, by="m@1")
            batch = batch.append_column(made, pa.array(values, made.type))
    with open_store(tmp_path_factory.mktemp("values") / "store", mode="write") as store:
        store.runs.start("test")
        add(store, batch)
        yield store


def chosen(store: Store, where: str) -> list[int]:
    table = store.alerts.scan(["alert_id"], Selection(where=where), order_by="oldest").to_table()
    return [alert_id - 10**15 for alert_id in table["alert_id"].to_pylist()]


def in_memory(where: str) -> list[int]:
    batch = pa.record_batch({name: pa.array(v, column.arrow_type) for name, (column, v) in VALUES.items()})
    return np.flatnonzero(parse_expression(where).passes(batch).to_numpy(zero_copy_only=False)).tolist()


def in_archive(where: str) -> str:
    """The same condition on the archived columns."""
    import re

    strings = re.split(r"('(?:[^']|'')*')", where)
    names = re.compile(r"\b(" + "|".join(VALUES) + r")\b")
    return "".join(part if part.startswith("'") else names.sub(r"archived_\1", part) for part in strings)


@pytest.mark.parametrize("where", WHERES)
def test_index_archive_and_memory_choose_the_same_alerts(filled: Store, where: str) -> None:
    assert chosen(filled, where) == chosen(filled, in_archive(where)) == in_memory(where)


PARTS = st.lists(st.sampled_from(WHERES), min_size=1, max_size=3)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(PARTS, PARTS, st.sampled_from(["and", "or"]))
def test_mixed_conditions_choose_the_same_alerts(
    filled: Store, indexed: list[str], archived: list[str], joint: str
) -> None:
    where = f" {joint} ".join(f"({part})" for part in [*indexed, *map(in_archive, archived)])
    in_parts = [set(in_memory(part)) for part in [*indexed, *archived]]
    expected = set.intersection(*in_parts) if joint == "and" else set.union(*in_parts)
    assert set(chosen(filled, where)) == expected


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("n in (0.5, 2.5)", []),
        ("n in (2.0, 2.5)", [2, 6]),
        (f"max(big, 0) == {BIG + 1}", [1]),
        (f"min(big, {2**62}) == {BIG + 1}", [1]),
        (f"big == {BIG}", [0]),
    ],
)
def test_integers_are_compared_exactly(filled: Store, where: str, expected: list[int]) -> None:
    """Against a list made by hand: the evaluation in memory shares the planner."""
    assert chosen(filled, where) == chosen(filled, in_archive(where)) == expected


def test_planning_is_linear_and_the_number_of_parts_bounded() -> None:
    batch = pa.record_batch({"mag": pa.array([18.0])})
    assert parse_expression("abs(" * 60 + "mag" + ")" * 60 + " > 0").passes(batch).to_pylist() == [True]
    assert parse_expression(" or ".join(["mag>0"] * 200)).passes(batch).to_pylist() == [True]
    with pytest.raises(ExpressionError, match=f"more than {MAX_NODES}"):
        parse_expression("a" + "<a" * 999)


KEYS = st.tuples(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(2**63) + 1, 2**63 - 1),
    st.integers(0, 2**62),
)


@given(KEYS, st.text(max_size=20))
def test_a_token_gives_its_key_back(key: tuple[float, int, int], topic: str) -> None:
    selection = Selection(topic=topic)
    if abs(key[0]) < 2**63:
        assert decode_token(encode_token(key, selection, "newest"), selection, "newest") == key


@given(st.text(max_size=80))
@example("W10")
@example("bnVsbA")
def test_no_text_is_taken_for_a_token(text: str) -> None:
    with pytest.raises(UsageError, match="token"):
        decode_token(text, Selection(), "newest")


POSITIONS = st.tuples(st.floats(0, 359.999), st.floats(-90, 90))


@settings(deadline=None)
@given(POSITIONS, st.floats(1e-3, 648_000), st.lists(st.floats(0, 1), min_size=1, max_size=3), st.integers(0, 2**32))
def test_rings_cover_a_cone_once_they_are_joined(
    centre: tuple[float, float], radius: float, cuts: list[float], seed: int
) -> None:
    cone = Cone(*centre, radius)
    rng = np.random.default_rng(seed)
    dec = np.clip(centre[1] + rng.normal(0, radius / 3600, 200), -90, 90)
    ra = (centre[0] + rng.normal(0, radius / 3600, 200) / np.maximum(np.cos(np.radians(dec)), 1e-6)) % 360
    distance, cells = separation_arcsec(*centre, ra, dec), hpx29(ra, dec)
    for inner, outer in pairwise(sorted({0.0, *(cut * radius for cut in cuts), radius})):
        ring = ring_cells(cone.ranges(), cone, inner, outer)
        inside = (inner <= distance) & (distance <= outer)
        assert in_ranges(cells[inside], ring).all()


RANGES = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9)), min_size=1, max_size=6)


@given(RANGES, RANGES)
def test_ranges_are_sets_of_cells(a: list[tuple[int, int]], b: list[tuple[int, int]]) -> None:
    first, second = (
        np.array(Selection(ranges=[(start, start + n) for start, n in pairs]).ranges, np.int64).reshape(-1, 2)
        for pairs in (a, b)
    )

    def members(ranges: Any) -> set[int]:
        return {cell for start, stop in ranges.tolist() for cell in range(start, stop)}

    assert members(intersected(first, second)) == members(first) & members(second)
    assert members(without(first, second)) == members(first) - members(second)
