"""The answer to a scan: record batches, and the token of the page that follows."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from redpoll.errors import UsageError
from redpoll.schema.table_rows import Row, column_values
from redpoll.store.index_rows import SelectList
from redpoll.store.pool import NameMaps
from redpoll.store.selection import Order, Selection

Key = tuple[float | int, int, int]
"""Position of an alert in its order: mjd, hpx29 or separation; alert_id; the store's own number of the alert."""
_WRONG = "the page token does not belong to this query: take it from the page before, with the same selection and order"


@dataclass(frozen=True)
class Page:
    """Some rows of a scan, converted when asked for.

    Parameters
    ----------
    n_rows
        Number of rows; without any, there are no columns either.
    last
        Key of the last row if rows follow, else None.
    select, rows, first, names
        Columns of the index: rows of the SELECT list, which begins at position `first` of each, and the names of the
        index that the rows come from.
    others
        Columns from elsewhere: Arrow from the archive, and separations.
    """

    n_rows: int
    last: Key | None
    select: SelectList
    rows: Sequence[Sequence[Any]] = ()
    first: int = 0
    names: NameMaps | None = None
    others: Mapping[str, pa.Array] = field(default_factory=dict)

    def batch(self, schema: pa.Schema) -> pa.RecordBatch:
        """The rows as a record batch."""
        arrays = dict(self.others)
        if self.names is not None and self.rows:
            values = self.select.arrow(self.rows, self.first, self.names)
            arrays |= zip(self.select.names, values, strict=True)
        return pa.RecordBatch.from_arrays([arrays[name] for name in schema.names], schema=schema)

    def to_rows(self, titles: Sequence[str]) -> list[Row]:
        """The rows as dicts."""
        columns: list[Sequence[Any]] = []
        if self.names is not None and self.rows:
            columns = self.select.python(self.rows, self.first, self.names)
        if self.others:
            by_name = dict(zip(self.select.names, columns, strict=True))
            by_name |= {name: column_values(array) for name, array in self.others.items()}
            columns = [by_name[name] for name in titles]
        return [dict(zip(titles, row, strict=True)) for row in zip(*columns, strict=True)]


class Scan:
    """Rows of a scan as record batches of one schema, or as dicts; can be read once."""

    def __init__(self, schema: pa.Schema, pages: Iterator[Page], selection: Selection, order: Order) -> None:
        self.schema = schema
        self._pages, self._selection, self._order = pages, selection, order
        self._last: Key | None = None

    @property
    def after(self) -> str | None:
        """Once all rows are read, the token with which the next scan of the same selection and order goes on.

        None if nothing follows. It stays valid while a run writes: no row that was there is skipped or repeated.
        """
        return None if self._last is None else encode_token(self._last, self._selection, self._order)

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        for page in self._full_pages():
            yield page.batch(self.schema)

    def to_table(self) -> pa.Table:
        """All remaining rows."""
        return pa.Table.from_batches(list(self), schema=self.schema)

    def to_rows(self) -> list[Row]:
        """All remaining rows as dicts, null and NaN as None: those of `table_rows`, without a detour by Arrow."""
        names = self.schema.names
        return [row for page in self._full_pages() for row in page.to_rows(names)]

    def reader(self) -> pa.RecordBatchReader:
        """The remaining rows as Arrow's reader, which IPC, Parquet and Flight writers take."""
        return pa.RecordBatchReader.from_batches(self.schema, iter(self))

    def _full_pages(self) -> Iterator[Page]:
        for page in self._pages:
            self._last = page.last
            if page.n_rows:
                yield page


def encode_token(key: Key, selection: Selection, order: Order) -> str:
    """Token of the rows after `key`, bound to the selection and the order."""
    text = json.dumps([key[0], str(key[1]), str(key[2]), _digest(selection, order)], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def decode_token(token: str, selection: Selection, order: Order) -> Key:
    """The key in a token; UsageError if it is none, or one of another selection or order."""
    try:
        first, alert_id, number, digest = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        key = _number(first, order), int(alert_id), int(number)
    except (binascii.Error, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise UsageError(_WRONG) from error
    if digest != _digest(selection, order) or not math.isfinite(key[0]) or max(map(abs, key)) >= 2**63:
        raise UsageError(_WRONG)
    return key


def _number(value: Any, order: Order) -> float | int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("the key is no number")
    return int(value) if order == "hpx29" else float(value)


def _digest(selection: Selection, order: Order) -> str:
    return hashlib.sha256(repr((selection, order)).encode("utf-8", "replace")).hexdigest()[:16]
