"""Positions of packets: the same texts come back, and damage is an error."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redpoll.errors import StoreError
from redpoll.store.positions import packed, unpacked

texts = st.text(st.characters(), max_size=40)  # lone surrogates too: names of files are any bytes


@given(st.lists(st.tuples(texts, texts), max_size=30))
def test_positions_come_back(positions: list[tuple[str, str]]) -> None:
    assert unpacked(packed(positions)) == positions


def test_of_a_long_text_the_end_is_kept() -> None:
    assert unpacked(packed([("/" * 400 + "night.tar", "x" * 400 + "1")])) == [
        ("/" * 291 + "night.tar", "x" * 299 + "1")
    ]


@settings(max_examples=200)
@given(st.binary(max_size=60), st.integers(0, 10**6), st.integers(0, 7))
def test_damaged_bytes_are_an_error_or_the_same(junk: bytes, where: int, bit: int) -> None:
    positions = [("a.avro", f"record {i}") for i in range(20)]
    data = bytearray(packed(positions))
    data[where % len(data)] ^= 1 << bit
    for damaged in (junk, bytes(data)):
        try:
            assert unpacked(damaged) == positions
        except StoreError:
            continue


def test_a_list_cut_short_is_an_error() -> None:
    with pytest.raises(StoreError, match="damaged"):
        unpacked(packed([("a", "1")])[:-3])
