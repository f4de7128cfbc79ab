"""The answer to a scan: record batches, and the token of the page that follows."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from redpoll.errors import UsageError
from redpoll.schema.table_rows import Row
from redpoll.store.page import Key, Page
from redpoll.store.selection import Order, Selection

_WRONG = "the page token does not belong to this query: take it from the page before, with the same selection and order"


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
            yield page.batch()

    def to_table(self) -> pa.Table:
        """All remaining rows."""
        return pa.Table.from_batches(list(self), schema=self.schema)

    def to_rows(self) -> list[Row]:
        """All remaining rows as dicts, null and NaN as None: those of `table_rows`, without a detour by Arrow."""
        return [row for page in self._full_pages() for row in page.to_rows()]

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
