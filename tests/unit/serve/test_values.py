"""Rows as JSON values, tables in other formats, cursors, and near names."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from redpoll.errors import BadQuery, NotFound
from redpoll.serve.api import cursor, formats
from redpoll.serve.portal.search import find_object, suggestions
from redpoll.serve.values import plain, shortest, to_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_any_row_is_strict_json_without_unsafe_integers(value: object) -> None:
    def refuse(token: str) -> None:
        raise AssertionError(token)

    def check(item: object) -> None:
        if isinstance(item, list | dict):
            for inner in item.values() if isinstance(item, dict) else item:
                check(inner)
        assert not isinstance(item, int) or abs(item) < 2**53

    check(json.loads(to_json(plain(value)), parse_constant=refuse))


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_shortest_is_the_same_float32(value: float) -> None:
    assert np.float32(shortest(value)) == np.float32(value)


def test_times_keep_all_their_digits() -> None:
    assert plain({"mjd": 59000.12890625, "mag": 18.299999237060547}) == {"mjd": 59000.12890625, "mag": 18.3}


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**63) + 1, 2**63 - 1), st.text())
def test_a_cursor_comes_back_whole(key: float, alert_id: int, query: str) -> None:
    assert cursor.decode(cursor.encode((key, alert_id), query), query) == (key, alert_id)


@given(st.text(max_size=60))
def test_no_text_breaks_the_cursor(text: str) -> None:
    with pytest.raises(BadQuery):
        cursor.decode(text, "query")


@given(st.text(max_size=60))
def test_no_accept_header_breaks_the_choice(accept: str) -> None:
    try:
        assert formats.choose(None, accept) in formats.MEDIA_TYPES.values()
    except BadQuery:
        assert accept.strip()


def test_columns_unknown_to_the_data_model_get_a_type() -> None:
    rows = [{"alert_id": 2**60, "score": None, "topics": ["a", "b"]}, {"alert_id": 7, "score": 0.5, "topics": []}]
    table = formats.table_of(rows)
    assert table["alert_id"].to_pylist() == [2**60, 7]
    body, _ = formats.encode(rows, "csv")
    assert body.decode().splitlines() == ['"alert_id","score","topics"', '1152921504606846976,,"a b"', '7,0.5,""']


class Reader:
    """Knows one object and one alert."""

    def object(self, object_id: str) -> dict[str, object]:
        if object_id != "ZTF20aaelulu":
            raise NotFound(object_id)
        return {"object_id": object_id}

    def get_alert(self, alert_id: int, survey: str, columns: list[str]) -> dict[str, object]:
        if (alert_id, survey) != (7, "rubin"):
            raise NotFound(str(alert_id))
        return {"object_id": "9876"}

    def latest(self, *, limit: int) -> list[dict[str, object]]:
        return [{"object_id": "ZTF20aaelulu"}, {"object_id": "ZTF18abcdefg"}]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ZTF20aaelulu", ("ZTF20aaelulu", None)),
        ("ztf20AAELULU", ("ZTF20aaelulu", None)),
        ("7", ("9876", 7)),
        ("8", (None, None)),
    ],
)
def test_objects_are_found_by_any_of_their_names(text: str, found: tuple[str | None, int | None]) -> None:
    assert find_object(Reader(), text) == found


def test_near_names_are_suggested() -> None:
    assert suggestions(Reader(), "ZTF20aaelulx") == ["ZTF20aaelulu"]
    assert suggestions(Reader(), "x") == []


def test_infinity_is_null() -> None:
    assert plain(math.inf) is None
