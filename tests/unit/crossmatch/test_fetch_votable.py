"""A VOTable is read as astropy reads it, however its bytes arrive; spoilt bytes are an error, not a crash."""

from __future__ import annotations

import io

import numpy as np
import pytest
from astropy.io.votable import from_table, parse_single_table
from astropy.table import MaskedColumn, Table
from hypothesis import given
from hypothesis import strategies as st

from redpoll.catalogs.errors import CatalogError
from redpoll.catalogs.fetch.votable import TableReader, Truncated


def document(values: list[tuple[float, int, str]]) -> bytes:
    x, n, word = zip(*values, strict=True)
    numbers = MaskedColumn(n, mask=[i % 3 == 0 for i in range(len(n))], dtype=np.int32)
    table = Table({"x": np.array(x), "n": numbers, "word": np.array(word, "U20")})
    out = io.BytesIO()
    from_table(table).to_xml(out, tabledata_format="tabledata")
    return out.getvalue()


def read(data: bytes, step: int) -> TableReader:
    reader = TableReader("here")
    for i in range(0, len(data), step):
        reader.feed(data[i : i + step])
    reader.finish()
    return reader


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=20)
ROWS = st.lists(st.tuples(st.floats(-1e9, 1e9), st.integers(-(2**30), 2**30), WORDS), min_size=1, max_size=20)


@given(ROWS, st.integers(1, 200))
def test_rows_are_those_astropy_reads(values, step):
    data = document(values)
    reader = read(data, step)
    expected = parse_single_table(io.BytesIO(data)).to_table()
    assert reader.names == ["x", "n", "word"]
    cells = [reader.cells[i::3] for i in range(3)]
    assert [float(cell) for cell in cells[0]] == list(expected["x"])
    assert [None if cell is None else int(cell) for cell in cells[1]] == expected["n"].tolist()
    assert cells[2] == [str(word).strip() or None for word in expected["word"]]


@given(st.data())
def test_spoilt_bytes_are_a_clear_error_or_a_whole_table(data):
    whole = document([(1.5, 2, "a"), (2.5, 3, "b<&>")])
    place = data.draw(st.integers(0, len(whole) - 1))
    spoilt = whole[:place] + data.draw(st.binary(max_size=8)) + whole[place + data.draw(st.integers(0, 9)) :]
    try:
        reader = read(spoilt, 64)
    except CatalogError:
        return
    assert len(reader.cells) == reader.n_rows * len(reader.names)


@given(st.integers(1, 400))
def test_a_table_that_breaks_off_is_never_taken_for_whole(n):
    whole = document([(1.5, 2, "a"), (2.5, 3, "b")])
    with pytest.raises(CatalogError, match=r"response ends after|not a VOTable"):
        read(whole[: -n - len(b"\n")], 100)


def status(value: str, text: str = "") -> bytes:
    info = f'<INFO name="QUERY_STATUS" value="{value}">{text}</INFO>'
    return f"<VOTABLE><RESOURCE><TABLE><FIELD name='x'/></TABLE>{info}</RESOURCE></VOTABLE>".encode()


def test_the_status_of_the_query_is_heeded():
    assert read(status("OK"), 10).n_rows == 0
    with pytest.raises(Truncated, match="truncated at 0 rows"):
        read(status("OVERFLOW"), 10)
    with pytest.raises(CatalogError, match="refuses the query: no such column 'y'"):
        read(status("ERROR", "no such column 'y'"), 10)
