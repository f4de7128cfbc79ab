"""Rows as JSON values, tables in other formats, cursors, and near names."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from redpoll.errors import BadQuery
from redpoll.formats.values import plain, shortest, to_json
from redpoll.serve.api import formats
from redpoll.serve.portal.search import find_object, suggestions
from redpoll.store import Store, open_store
from redpoll.testing.store_batches import store_batch
from redpoll.testing.store_suite import add

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


@given(st.text(max_size=60))
def test_no_accept_header_breaks_the_choice(accept: str) -> None:
    try:
        assert formats.choose(None, accept) in formats.MEDIA_TYPES.values()
    except BadQuery:
        assert accept.strip()


def test_lists_and_64_bit_integers_are_kept_in_csv() -> None:
    table = pa.table({"alert_id": [2**60, 7], "score": pa.array([None, 0.5]), "topics": [["a", "b"], []]})
    body, _ = formats.encode(table, "csv")
    assert body.decode().splitlines() == ['"alert_id","score","topics"', '1152921504606846976,,"a b"', '7,0.5,""']


def test_votable_is_offered_by_name_and_by_type() -> None:
    assert formats.choose(None, "application/x-votable+xml") == "votable"
    body, media_type = formats.encode(pa.table({"alert_id": [2**60]}), "votable")
    assert media_type == "application/x-votable+xml"
    assert b"<TD>1152921504606846976</TD>" in body


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store with one alert of each of two objects."""
    batch = store_batch(2, objects=2)
    names = pa.array(["ZTF20aaelulu", "ZTF18abcdefg"])
    at = batch.schema.get_field_index("object_id")
    with open_store(tmp_path_factory.mktemp("named") / "store", mode="write") as store:
        store.runs.start("test")
        add(store, batch.set_column(at, batch.schema.field("object_id"), names))
        yield store


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ZTF20aaelulu", ("ZTF20aaelulu", None)),
        ("ztf20AAELULU", ("ZTF20aaelulu", None)),
        (str(10**15), ("ZTF20aaelulu", 10**15)),
        ("8", (None, None)),
    ],
)
def test_objects_are_found_by_any_of_their_names(
    reader: Store, text: str, found: tuple[str | None, int | None]
) -> None:
    assert find_object(reader, text) == found


def test_near_names_are_suggested(reader: Store) -> None:
    assert suggestions(reader, "ZTF20aaelulx") == ["ZTF20aaelulu"]
    assert suggestions(reader, "x") == []


def test_infinity_is_null() -> None:
    assert plain(math.inf) is None
