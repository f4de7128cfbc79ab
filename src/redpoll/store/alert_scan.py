"""A scan of the alerts: conditions that the index answers, the rest per batch in Arrow, then the columns asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.astro.sky import separation_arcsec
from redpoll.errors import StoreError
from redpoll.expression import Expression, parse_expression
from redpoll.schema.alert import CUTOUTS
from redpoll.store import keys as sources
from redpoll.store.archive import LIGHT_CURVE
from redpoll.store.classes import with_subclasses
from redpoll.store.column_chunks import ArrowChunk, Chunk
from redpoll.store.index_rows import IndexRows, SelectList
from redpoll.store.keys import N_KEY, Conditions, Group, KeyRow
from redpoll.store.layout import Layout
from redpoll.store.objects import KEY_BITS
from redpoll.store.pool import ReadPool
from redpoll.store.revised_values import read_columns
from redpoll.store.rings import in_ranges, intersected
from redpoll.store.rows import while_moving
from redpoll.store.scan import Key, Page, encode_token
from redpoll.store.selection import Order, Selection
from redpoll.store.stored_columns import StoredColumns

_KEY_SQL = {
    "survey": "(SELECT name FROM surveys WHERE _id = a._survey)",
    "object_id": f"(SELECT object_id FROM objects WHERE _id = a._id >> {KEY_BITS})",
}
_MAX_SQL_DEPTH = 16
"""Deeper conditions are evaluated in Arrow: the parser of SQLite has a stack of 100 symbols."""
_LARGE = frozenset([*CUTOUTS, LIGHT_CURVE])
_BATCH_ROWS = {"index": 4096, "archive": 1024, "large": 128}
"""Rows of a record batch: of indexed columns, with archived ones, with light curves, cutouts or nested columns."""


class ScanPlan:
    """How one scan is answered: the source of its keys, and what is checked and read for each batch of them."""

    def __init__(
        self,
        pool: ReadPool,
        rows: IndexRows,
        layout: Layout,
        stored: StoredColumns,
        selection: Selection,
        order: Order,
    ) -> None:
        self._pool, self._rows, self._layout = pool, rows, layout
        self._stored, self._selection, self._order = stored, selection, order
        parts = _conditions(selection, stored)
        self._pushed = [part for part in parts if _is_for_index(part, stored)]
        self._residual = [part for part in parts if part not in self._pushed]

    def pages(self, names: Sequence[str], after: Key | None, limit: int | None) -> Iterator[Page]:
        """Pages of the columns `names`, at most `limit` rows in all, with the token after each."""
        left = limit
        size = _batch_rows([*names, *(name for part in self._residual for name in part.columns)], self._stored)
        here = self._rows.select_list([name for name in names if self._stored.is_in_index(name)], self._stored)
        of_index = not self._residual and len(here.names) == len(names)
        select = f", {here.sql}" if of_index and here.sql else ""
        feed = _Feed(self._keys(after, size if left is None else min(size, left + 1), select), size)
        while left != 0:
            with self._pool.lease() if of_index else nullcontext():  # never while the archive is read
                page, left = self._page(feed, names, here, left)
            if page is None:
                return
            yield page
            if page.after is None:
                return

    def _page(
        self, feed: _Feed, names: Sequence[str], here: SelectList, left: int | None
    ) -> tuple[Page | None, int | None]:
        """The next batch, None at the end, and how many rows are still wanted."""
        found = feed.take()
        if not found:
            return None, left
        kept = self._fulfilling(found)
        is_cut = left is not None and len(kept) > left
        kept = kept[:left]
        left = None if left is None else left - len(kept)
        last = kept[-1] if left == 0 else found[-1]
        follows = is_cut or not feed.is_empty()
        token = encode_token(last[:N_KEY], self._selection, self._order) if follows else None
        chunks = self._chunks(kept, names, here) if kept else {}
        return Page([chunks[name] for name in names if kept], len(kept), token), left

    def _keys(self, after: Key | None, n: int, select: str) -> Iterator[list[KeyRow]]:
        """Keys of the alerts that fulfil every condition but the residual ones, in order, after a key.

        Sources that can do so return the selected columns with the keys.
        """
        selection, order, pool = self._selection, self._order, self._pool
        if order == "separation" and selection.cone is not None and self._cells is not None:
            where = self._where & self._of_groups() & self._of_objects()
            return sources.walk_rings(pool, selection.cone, self._cells, where, after, n, select)
        if selection.alert_ids is not None:
            where = self._where & self._of_groups() & self._of_objects()
            chosen = sources.collect_alerts(pool, selection.alert_ids, where, order)
            return self._inside(iter([sources.after_key(chosen, after, order)]))
        if selection.object_ids is not None:
            where = self._where & self._of_night() & self._of_groups()
            found = sources.collect_objects(pool, selection.object_ids, where, order, n, select)
            return self._inside(iter([sources.after_key(found, after, order)]))
        if self._cells is not None:
            return self._inside(self._keys_of_cells(self._cells, after, n))
        if self._groups and order in ("newest", "oldest"):
            first, *others = self._groups
            where = self._where & self._of_groups(others)
            return sources.walk_group(pool, first, where, order, after, n)
        select = select if order in ("newest", "oldest") else ""  # else SQLite sorts whole rows
        return sources.walk(pool, self._where & self._of_night() & self._of_groups(), order, after, n, select)

    def _keys_of_cells(self, cells: NDArray[np.int64], after: Key | None, n: int) -> Iterator[list[KeyRow]]:
        where = self._where & self._of_night() & self._of_groups()
        if self._order == "hpx29":
            return sources.walk_cells(self._pool, cells, where, after, n)
        collected = sources.collect_cells(self._pool, cells, where, self._order)
        if collected is not None:
            return iter([sources.after_key(collected, after, self._order)])
        return sources.walk(self._pool, where, self._order, after, n)

    @cached_property
    def _cells(self) -> NDArray[np.int64] | None:
        """Ranges of cells that hold every selected alert; None: the whole sky."""
        ranges, cone = self._selection.cells(), self._selection.cone
        if ranges is None or cone is None or self._selection.ranges is None:
            return ranges
        return intersected(ranges, cone.ranges())

    @cached_property
    def _groups(self) -> list[Group]:
        """The topic and the classes that are asked for, as tables sorted by time."""
        selection, groups = self._selection, []
        if selection.topic is not None:
            groups.append(self._group("topics", "alert_topics", "topic", [selection.topic]))
        if selection.class_ is not None:
            groups.append(self._group("classes", "alert_classes", "class", with_subclasses(selection.class_)))
        return groups

    def _group(self, names: str, table: str, column: str, members: Sequence[str]) -> Group:
        sql = f"SELECT _id FROM {names} WHERE name IN (SELECT value FROM json_each(?))"
        numbers = tuple(row[0] for row in self._pool.execute(sql, (json.dumps(list(members)),)))
        return Group(table, column, numbers, self._selection.night)

    @cached_property
    def _where(self) -> Conditions:
        """Conditions of the expression that the index can answer, and of the survey."""
        found = [part.to_sql(self._stored.declared, quote=_quoted) for part in self._pushed]
        where = Conditions(tuple(sql for sql, _ in found), tuple(value for _, values in found for value in values))
        if self._selection.survey is not None:
            same = "a._survey = (SELECT _id FROM surveys WHERE name = ?)"
            where &= Conditions((same,), (self._selection.survey,))
        if self._selection.alert_ids is not None:
            one_of = "a.alert_id IN (SELECT value FROM json_each(?))"
            where &= Conditions((one_of,), (json.dumps(self._selection.alert_ids),))
        return where

    def _of_night(self) -> Conditions:
        night = self._selection.night
        return Conditions() if night is None else Conditions(("a.night = ?",), (night,))

    def _of_groups(self, groups: Sequence[Group] | None = None) -> Conditions:
        """That an alert is of the topic and of the class; the night is a condition of its own."""
        where = Conditions()
        for group in self._groups if groups is None else groups:
            where &= group.condition()
        return where

    def _of_objects(self) -> Conditions:
        if self._selection.object_ids is None:
            return self._of_night()
        names = json.dumps(self._selection.object_ids)
        sql = "SELECT o._id FROM objects o WHERE o.object_id IN (SELECT value FROM json_each(?))"
        return self._of_night() & Conditions((f"a._id >> {KEY_BITS} IN ({sql})",), (names,))

    def _inside(self, chunks: Iterator[list[KeyRow]]) -> Iterator[list[KeyRow]]:
        """The keys of the chunks whose alerts are within the cells and the cone."""
        cells, cone = self._cells, self._selection.cone
        for keys in chunks:
            if cells is None or not keys:
                yield keys
                continue
            sql = (
                "SELECT a.hpx29, a.ra, a.dec FROM json_each(?) k CROSS JOIN alerts a ON a._id = k.value ORDER BY k.key"
            )
            found = self._pool.execute(sql, (json.dumps([key[2] for key in keys]),))
            hpx, ra, dec = zip(*found, strict=True)
            keep = in_ranges(np.array(hpx, np.int64), cells)
            if cone is not None:
                keep &= separation_arcsec(cone.ra, cone.dec, np.array(ra), np.array(dec)) <= cone.radius_arcsec
            yield [key for key, is_inside in zip(keys, keep.tolist(), strict=True) if is_inside]

    def _fulfilling(self, keys: list[KeyRow]) -> list[KeyRow]:
        """The keys of the alerts that fulfil the residual conditions, which read the archive."""
        for part in self._residual:
            if not keys:
                break
            schema = self._stored.schema_of(part.columns)
            here = self._rows.select_list(
                [name for name in part.columns if self._stored.is_in_index(name)], self._stored
            )
            chunks = self._chunks(keys, part.columns, here)
            arrays = [chunks[name].array() for name in part.columns]
            passes = part.passes(pa.RecordBatch.from_arrays(arrays, schema=schema)).to_pylist()
            keys = [key for key, does_pass in zip(keys, passes, strict=True) if does_pass]
        return keys

    def _chunks(self, keys: list[KeyRow], names: Sequence[str], here: SelectList) -> dict[str, Chunk]:
        """Columns of some alerts, from the index and, for these rows alone, from the archive."""
        cone = self._selection.cone
        if len(keys[0]) > N_KEY:
            return here.chunks(keys, N_KEY, cone)
        fields = [self._stored.field(name) for name in names if name not in here.names]
        rows, arrays = while_moving(lambda: self._read([key[2] for key in keys], here, fields))
        chunks = here.chunks(rows, 0, cone) if here.sql else {}
        if (here.sql and len(rows) != len(keys)) or any(len(array) != len(keys) for array in arrays.values()):
            raise StoreError(f"the index of {self._layout.root} was rebuilt during a scan; begin the scan anew")
        return chunks | {name: ArrowChunk(array) for name, array in arrays.items()}

    def _read(
        self, numbers: list[int], here: SelectList, fields: Sequence[pa.Field]
    ) -> tuple[list[Any], dict[str, pa.Array]]:
        """Rows of the index and archived columns of some alerts, as of one moment."""
        with self._pool.lease():
            rows = self._rows.read(numbers, here) if here.sql else []
            places = self._rows.locations(numbers, self._layout) if fields else []
        return rows, read_columns(places, fields) if fields else {}


class _Feed:
    """Keys in lists of at most `size`, from chunks of any length; nothing is read before it is needed."""

    def __init__(self, chunks: Iterator[list[KeyRow]], size: int) -> None:
        self._chunks, self._size = chunks, size
        self._keys: list[KeyRow] = []

    def take(self) -> list[KeyRow]:
        """The next keys; none at the end."""
        if self.is_empty():
            return []
        taken, self._keys = self._keys[: self._size], self._keys[self._size :]
        return taken

    def is_empty(self) -> bool:
        """Whether no key is left."""
        while not self._keys:
            chunk = next(self._chunks, None)
            if chunk is None:
                return True
            self._keys = chunk
        return False


def _conditions(selection: Selection, stored: StoredColumns) -> list[Expression]:
    """The conditions that `where` joins by ``and``; ExpressionError if they do not fit the columns."""
    if selection.where is None:
        return []
    expression = parse_expression(selection.where)
    expression.check(stored.declared)
    return list(expression.conditions())


def _is_for_index(part: Expression, stored: StoredColumns) -> bool:
    return part.depth <= _MAX_SQL_DEPTH and all(name in stored.indexed for name in part.columns)


def _quoted(name: str) -> str:
    return _KEY_SQL.get(name, f'a."{name}"')


def _batch_rows(names: Sequence[str], stored: StoredColumns) -> int:
    archived = [name for name in names if not stored.is_in_index(name)]
    if any(name in _LARGE or pa.types.is_nested(stored.field(name).type) for name in archived):
        return _BATCH_ROWS["large"]
    return _BATCH_ROWS["archive" if archived else "index"]
