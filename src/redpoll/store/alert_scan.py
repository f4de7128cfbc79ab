"""A scan of the alerts: conditions that the index answers, the rest per batch in Arrow, then the columns asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.astro.sky import separation_arcsec
from redpoll.errors import StoreError
from redpoll.expression import Expression, parse_expression
from redpoll.store import keys as sources
from redpoll.store.classes import with_subclasses
from redpoll.store.index_rows import IndexRows, SelectList
from redpoll.store.keys import N_KEY, Conditions, Group, KeyRow
from redpoll.store.layout import Layout
from redpoll.store.objects import KEY_BITS
from redpoll.store.page import Key, Page, Shape, shape_of
from redpoll.store.pool import NameMaps, ReadPool
from redpoll.store.revised_values import read_columns
from redpoll.store.rings import in_ranges, intersected
from redpoll.store.rows import Location, while_moving
from redpoll.store.selection import Order, Selection
from redpoll.store.stored_columns import StoredColumns

_KEY_SQL = {
    "survey": "(SELECT name FROM surveys WHERE _id = a._survey)",
    "object_id": f"(SELECT object_id FROM objects WHERE _id = a._id >> {KEY_BITS})",
}
_FEW_ROWS = 1000
_MAX_SQL_DEPTH = 16
"""Deeper conditions are evaluated in Arrow: the parser of SQLite has a stack of 100 symbols."""


class ScanPlan:
    """How one scan is answered: the source of its keys, and what is checked and read for each batch of them."""

    def __init__(
        self, pool: ReadPool, names: NameMaps, layout: Layout, stored: StoredColumns, selection: Selection, order: Order
    ) -> None:
        self._pool, self._names, self._layout, self._rows = pool, names, layout, IndexRows(pool)
        self._stored, self._selection, self._order = stored, selection, order
        parts = _conditions(self._selection, stored)
        self._pushed = [part for part in parts if _is_for_index(part, stored)]
        self._residual = [part for part in parts if part not in self._pushed]
        self._cells = _cells(selection)
        self._groups = self._topic_and_class()
        self._where = self._conditions_of_index()

    def pages(self, shape: Shape, after: Key | None, limit: int | None) -> Iterator[Page]:
        """Pages of some columns, at most `limit` rows in all."""
        left = limit
        size = min([shape.batch_rows, *(self._shape(part).batch_rows for part in self._residual)])
        of_index = not shape.archived and not self._residual
        select = shape.index if of_index and shape.index.names else None
        feed = _Feed(self._keys(after, size if left is None else min(size, left + 1), select), size)
        while left != 0:
            with self._pool.lease() if of_index else nullcontext() as lent:  # never while the archive is read
                if lent is not None and lent.file.inode != self._names.inode:
                    raise self._rebuilt()
                page = self._page(feed, shape, left)
            if page is None:
                return
            left = None if left is None else left - page.n_rows
            yield page
            if page.last is None:
                return

    def is_short(self, shape: Shape, limit: int | None) -> bool:
        """Whether the first page is read fast: from the index alone, and of few rows."""
        is_narrow = self._selection.object_ids is not None or self._selection.cone is not None
        is_few = is_narrow or (limit is not None and limit <= _FEW_ROWS)
        return is_few and not shape.archived and not self._residual

    def _page(self, feed: _Feed, shape: Shape, left: int | None) -> Page | None:
        """The next batch of at most `left` rows, None at the end."""
        found = feed.take()
        if not found:
            return None
        kept = self._fulfilling(found)
        is_cut = left is not None and len(kept) > left
        kept = kept[:left]
        last = kept[-1] if len(kept) == left else found[-1]
        follows = is_cut or not feed.is_empty()
        return self._filled(kept, shape, last[:N_KEY] if follows else None)

    def _keys(self, after: Key | None, n: int, select: SelectList | None) -> Iterator[list[KeyRow]]:
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
            return sources.walk_group(pool, first, where, order, after, n, select)
        select = select if order in ("newest", "oldest") else None  # else SQLite sorts whole rows
        return sources.walk(pool, self._where & self._of_night() & self._of_groups(), order, after, n, select)

    def _keys_of_cells(self, cells: NDArray[np.int64], after: Key | None, n: int) -> Iterator[list[KeyRow]]:
        where = self._where & self._of_night() & self._of_groups()
        if self._order == "hpx29":
            return sources.walk_cells(self._pool, cells, where, after, n)
        collected = sources.collect_cells(self._pool, cells, where, self._order)
        if collected is not None:
            return iter([sources.after_key(collected, after, self._order)])
        return sources.walk(self._pool, where, self._order, after, n)

    def _topic_and_class(self) -> list[Group]:
        """The topic and the classes that are asked for, as tables sorted by time."""
        selection, groups = self._selection, []
        if selection.topic is not None:
            groups.append(self._group("topics", "alert_topics", "topic", [selection.topic]))
        if selection.class_ is not None:
            groups.append(self._group("classes", "alert_classes", "class", with_subclasses(selection.class_)))
        return groups

    def _group(self, names: str, table: str, column: str, members: Sequence[str]) -> Group:
        return Group(table, column, tuple(self._names.numbers(names, members)), self._selection.night)

    def _conditions_of_index(self) -> Conditions:
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
            shape = self._shape(part)
            passes = part.passes(self._filled(keys, shape, None).batch()).to_pylist()
            keys = [key for key, does_pass in zip(keys, passes, strict=True) if does_pass]
        return keys

    def _shape(self, part: Expression) -> Shape:
        return shape_of(tuple(part.columns), self._stored)

    def _filled(self, keys: list[KeyRow], shape: Shape, last: Key | None) -> Page:
        """The page of some alerts: columns from the index and, for these rows alone, from the archive."""
        numbers = [key[2] for key in keys]
        if keys and len(keys[0]) > N_KEY:
            rows, archived = [key[N_KEY] for key in keys], list[pa.Array]()
        else:
            rows, archived = while_moving(lambda: self._values(numbers, shape))
        return Page(
            shape,
            len(keys),
            last,
            rows,
            self._names,
            self._separations(keys, numbers) if shape.has_separation else (),
            archived,
        )

    def _values(self, numbers: list[int], shape: Shape) -> tuple[list[Any], list[pa.Array]]:
        """Rows of the index and archived columns of the alerts of these numbers, as of one moment."""
        if not shape.archived or not numbers:
            return self._of_index(numbers, shape.index), []
        with self._pool.lease():
            rows = self._of_index(numbers, shape.index)
            places = self._rows.locations(numbers, self._layout)
        return rows, self._of_archive(places, shape.archived, len(numbers))

    def _of_index(self, numbers: list[int], select: SelectList) -> list[Any]:
        """Rows of a SELECT list for the alerts of these numbers."""
        if not select.names or not numbers:
            return []
        with self._pool.lease() as connection:
            rows = self._rows.read(numbers, select)
            if connection.file.inode != self._names.inode or len(rows) != len(numbers):
                raise self._rebuilt()
        return rows

    def _of_archive(self, places: Sequence[Location], fields: Sequence[pa.Field], n: int) -> list[pa.Array]:
        if len(places) != n:
            raise self._rebuilt()
        arrays = read_columns(places, fields)
        return [arrays[field.name] for field in fields]

    def _separations(self, keys: list[KeyRow], numbers: list[int]) -> list[float]:
        if self._order == "separation":
            return [key[0] for key in keys]
        assert self._selection.cone is not None
        return self._rows.separations(numbers, self._selection.cone)

    def _rebuilt(self) -> StoreError:
        return StoreError(f"the index of {self._layout.root} was rebuilt during a scan; begin the scan anew")


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


def _cells(selection: Selection) -> NDArray[np.int64] | None:
    """Ranges of cells that hold every selected alert; None: the whole sky."""
    if selection.ranges is None or selection.cone is None:
        return selection.cells()
    return intersected(np.array(selection.ranges, np.int64).reshape(-1, 2), selection.cone.ranges())


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
