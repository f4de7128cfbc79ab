"""Keys of the selected alerts, in the order of a scan, a bounded number at a time.

A source walks a b-tree in the order asked for, or collects the keys of a narrow selection and sorts them. Each chunk
begins after the key of the one before, so no read transaction stays open between two chunks, and rows that a run adds
meanwhile neither move nor repeat others.
"""

from __future__ import annotations

import itertools
import json
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll.astro.sky import ORDER, separation_arcsec
from redpoll.store.index_rows import SelectList
from redpoll.store.objects import OF_OBJECT
from redpoll.store.page import Key
from redpoll.store.pool import ReadPool
from redpoll.store.rings import ring_cells
from redpoll.store.selection import Cone, Order

MAX_COLLECTED = 50_000
"""Keys that are collected and sorted in memory; a selection with more is walked."""
_MAX_CHUNK = 20_000
_FIRST = {"newest": "a.mjd", "oldest": "a.mjd", "hpx29": "a.hpx29"}
N_KEY = 3
_MAX_WIDE = 4096
_MAX_RING = 20_000
_WIDE_ARCSEC = 60.0
KeyRow = tuple[Any, ...]
"""A `Key`; if the source was given a SELECT list, it is followed by an SQL row that ends with the selected columns."""


@dataclass(frozen=True)
class Conditions:
    """SQL conditions on an alert ``a``, all of which must hold, and their parameters."""

    sql: tuple[str, ...] = ()
    values: tuple[Any, ...] = ()

    def __and__(self, other: Conditions) -> Conditions:
        return Conditions((*self.sql, *other.sql), (*self.values, *other.values))

    @property
    def text(self) -> str:
        """The conditions joined by AND."""
        return " AND ".join(f"({part})" for part in self.sql) or "1"


@dataclass(frozen=True)
class Group:
    """Alerts of a topic, or of any of some classes: a table sorted by time within each of its ``numbers``."""

    table: str
    column: str
    numbers: tuple[int, ...]
    night: int | None

    def condition(self) -> Conditions:
        """That an alert is one of the group."""
        same = " AND ".join(f"g.{name} = a.{name}" for name in ("night", "mjd", "alert_id"))
        numbers = ", ".join(map(str, self.numbers)) or "NULL"
        sql = f"SELECT 1 FROM {self.table} g WHERE g.{self.column} IN ({numbers}) AND {same} AND g.alert = a._id"
        return Conditions((f"EXISTS ({sql})",))

    def chunk(
        self, pool: ReadPool, after: Key | None, n: int, *, newest: bool, select: SelectList | None = None
    ) -> list[KeyRow]:
        """The next `n` keys by time, each alert once: the ranges of all numbers, merged while they are read."""
        if not self.numbers:
            return []
        where = "" if self.night is None else " AND g.night = ?1"
        where += "" if after is None else f" AND (g.mjd, g.alert_id, g.alert) {'<' if newest else '>'} (?2, ?3, ?4)"
        down = " DESC" if newest else ""
        values = (self.night, *(after or (None,) * N_KEY), n)
        columns, join = "", ""
        if select is not None:
            columns, join = f", {select.sql}", f"CROSS JOIN alerts a ON a._id = g.alert {select.join}"
        if len(self.numbers) == 1:
            source = f"{self.table} g {join} WHERE g.{self.column} = {self.numbers[0]}{where}"
            order = f"ORDER BY g.mjd{down}, g.alert_id{down}, g.alert{down} LIMIT ?5"
            found = pool.execute(f"SELECT g.mjd, g.alert_id, g.alert{columns} FROM {source} {order}", values)
        else:
            one = f"SELECT mjd, alert_id, alert FROM {self.table} g WHERE g.{self.column} = "
            source = " UNION ".join([f"{one}{number}{where}" for number in self.numbers])
            source = f"({source} ORDER BY mjd{down}, alert_id{down}, alert{down} LIMIT ?5) g {join}"
            found = sorted(
                pool.execute(f"SELECT g.mjd, g.alert_id, g.alert{columns} FROM {source}", values), reverse=newest
            )
        return found if select is None else _with_rows(found)


def walk(
    pool: ReadPool, where: Conditions, order: Order, after: Key | None, n: int, select: SelectList | None = None
) -> Iterator[list[KeyRow]]:
    """Keys along the b-tree of the order; ``n`` of them first, then larger chunks."""
    limit = _MAX_CHUNK if select is None else _MAX_WIDE
    columns, join = ("", "") if select is None else (f", {select.sql}", select.join)
    down = order == "newest"
    key = (_FIRST[order], "a.alert_id", "a._id")
    by = ", ".join([f"{name}{' DESC' if down else ''}" for name in key])
    while True:
        more = where & _beyond(key, after, down)
        sql = f"SELECT {', '.join(key)}{columns} FROM alerts a {join} WHERE {more.text} ORDER BY {by} LIMIT ?"
        found = pool.execute(sql, (*more.values, n))
        if found:
            yield found if select is None else _with_rows(found)
        if len(found) < n:
            return
        after, n = found[-1][:N_KEY], min(2 * n, limit)


def walk_group(
    pool: ReadPool,
    group: Group,
    where: Conditions,
    order: Order,
    after: Key | None,
    n: int,
    select: SelectList | None = None,
) -> Iterator[list[KeyRow]]:
    """Keys of the alerts of a topic or class by time, those that fulfil `where`.

    The selected columns are read with them if there is no other condition.
    """
    select = None if where.sql else select
    limit = _MAX_CHUNK if select is None else _MAX_WIDE
    while True:
        found = group.chunk(pool, after, n, newest=order == "newest", select=select)
        kept = found if not where.sql else _fulfilling(pool, where, found)
        if kept:
            yield kept
        if len(found) < n:
            return
        after, n = found[-1][:N_KEY], min(2 * n, limit)


def walk_cells(
    pool: ReadPool, cells: NDArray[np.int64], where: Conditions, after: Key | None, n: int
) -> Iterator[list[Key]]:
    """Keys along the sky within ranges of cells."""
    if after is not None:
        cells = cells[cells[:, 1] > after[0]]
    for start, stop in cells.tolist():
        inside = where & Conditions(("a.hpx29 >= ? AND a.hpx29 < ?",), (start, stop))
        yield from walk(pool, inside, "hpx29", after, n)


def collect_objects(
    pool: ReadPool, object_ids: Sequence[str], where: Conditions, order: Order, n: int, select: SelectList | None = None
) -> list[KeyRow]:
    """Keys of the alerts of some objects, sorted; with the selected columns if there are not many more than `n`."""
    source, values = f"objects o CROSS JOIN alerts a ON {OF_OBJECT} WHERE o.object_id = ?", tuple(object_ids)
    if len(object_ids) != 1:
        source = f"json_each(?) j CROSS JOIN {source.replace('= ?', '= j.value')}"
        values = (json.dumps(list(object_ids)),)
    key, rest = f"{_FIRST[order]}, a.alert_id, a._id", f"FROM {source} AND {where.text} LIMIT ?"
    if select is not None:
        found = pool.execute(f"SELECT {key}, {select.sql} {rest}", (*values, *where.values, 2 * n))
        if len(found) < 2 * n:
            return _with_rows(sorted(found, reverse=order == "newest"))
    found = pool.execute(f"SELECT {key} {rest}", (*values, *where.values, -1))
    return sorted(found, reverse=order == "newest")


def collect_alerts(pool: ReadPool, alert_ids: Sequence[int], where: Conditions, order: Order) -> list[Key]:
    """Keys of the alerts with some identifiers, sorted."""
    source = "json_each(?) j CROSS JOIN alerts a ON a.alert_id = j.value"
    sql = f"SELECT {_FIRST[order]}, a.alert_id, a._id FROM {source} WHERE {where.text}"
    found = pool.execute(sql, (json.dumps(list(alert_ids)), *where.values))
    return sorted(found, reverse=order == "newest")


def collect_cells(
    pool: ReadPool, cells: NDArray[np.int64], where: Conditions, order: Order, limit: int = MAX_COLLECTED
) -> list[Key] | None:
    """Keys of the alerts within ranges of cells, sorted; None if there are more than `limit`."""
    source, values = _from_cells(cells)
    sql = f"SELECT {_FIRST[order]}, a.alert_id, a._id FROM {source} WHERE {where.text} LIMIT ?"
    found = pool.execute(sql, (*values, *where.values, limit + 1))
    return None if len(found) > limit else sorted(found, reverse=order == "newest")


def walk_rings(
    pool: ReadPool,
    cone: Cone,
    cells: NDArray[np.int64],
    where: Conditions,
    after: Key | None,
    n: int,
    select: SelectList | None = None,
) -> Iterator[list[KeyRow]]:
    """Keys of the alerts within a cone by separation, ring by ring: each page reads its own rings only.

    A ring has at most `_MAX_RING` candidates, or is narrower than a cell of order 29 can resolve. The selected
    columns are read with the keys.
    """
    if cone.radius_arcsec <= _WIDE_ARCSEC:
        found = _in_cells(pool, cone, cells, where, select, 2 * n)
        if len(found) < 2 * n:
            yield [row for row in found if row[0] <= cone.radius_arcsec and (after is None or row[:N_KEY] > after)]
            return
    inner, width = 0.0 if after is None else float(after[0]), cone.radius_arcsec
    while True:
        outer = min(inner + width, cone.radius_arcsec)
        limit = _MAX_RING if width > _NARROWEST else -1
        distance, numbers = _candidates(pool, cone, ring_cells(cells, cone, inner, outer), where, limit)
        if len(numbers) == limit:
            width /= 2
            continue
        first, end = np.searchsorted(distance, (inner - _CELL_ARCSEC, outer + _CELL_ARCSEC))
        for found in _by_separation(pool, cone, distance[first:end], numbers[first:end], n, select):
            kept = [row for row in found if inner <= row[0] <= outer and (after is None or row[:N_KEY] > after)]
            if kept:
                yield kept
                after = kept[-1][:N_KEY]
        if outer >= cone.radius_arcsec:
            return
        inner, width = outer, 2 * width


def after_key(keys: list[KeyRow], after: Key | None, order: Order) -> list[KeyRow]:
    """The sorted keys that follow `after`."""
    if after is None:
        return keys
    return [key for key in keys if (key[:N_KEY] < after if order == "newest" else key[:N_KEY] > after)]


_CELL_ARCSEC = 1e-3  # a cell of order 29 is 0.4 mas wide
_NARROWEST = _CELL_ARCSEC
_MAX_VALUES = 512


def _from_cells(cells: NDArray[np.int64]) -> tuple[str, tuple[Any, ...]]:
    """FROM clause of the alerts ``a`` in ranges of cells, and its parameters.

    Few ranges are padded with empty ones to a power of two, so that there are few statements to prepare.
    """
    if len(cells) > _MAX_VALUES:
        source, start, stop = "json_each(?)", "json_extract(r.value, '$[0]')", "json_extract(r.value, '$[1]')"
        values: tuple[Any, ...] = (json.dumps(cells.tolist()),)
    else:
        n = 1 << max(len(cells) - 1, 0).bit_length()
        source, start, stop = f"(VALUES {', '.join(['(?, ?)'] * n)})", "r.column1", "r.column2"
        values = (*cells.ravel().tolist(), *[0] * 2 * (n - len(cells)))
    return f"{source} r CROSS JOIN alerts a ON a.hpx29 >= {start} AND a.hpx29 < {stop}", values


def _beyond(key: Sequence[str], after: Key | None, down: bool) -> Conditions:
    if after is None:
        return Conditions()
    return Conditions((f"({', '.join(key)}) {'<' if down else '>'} (?, ?, ?)",), after)


def _fulfilling(pool: ReadPool, where: Conditions, keys: list[Key]) -> list[Key]:
    sql = f"SELECT a._id FROM json_each(?) j CROSS JOIN alerts a ON a._id = j.value WHERE {where.text}"
    found = {row[0] for row in pool.execute(sql, (json.dumps([key[2] for key in keys]), *where.values))}
    return [key for key in keys if key[2] in found]


def _in_cells(
    pool: ReadPool, cone: Cone, cells: NDArray[np.int64], where: Conditions, select: SelectList | None, limit: int
) -> list[KeyRow]:
    """Keys of the alerts in some cells by separation, at most so many of them."""
    columns, join = ("", "") if select is None else (f", {select.sql}", select.join)
    source, values = _from_cells(cells)
    sql = f"SELECT a.ra, a.dec, a.alert_id, a._id{columns} FROM {source} {join} WHERE {where.text} LIMIT ?"
    return _sorted(cone, pool.execute(sql, (*values, *where.values, limit)), select)


def _candidates(
    pool: ReadPool, cone: Cone, cells: NDArray[np.int64], where: Conditions, limit: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Separation of the cell of each alert in some cells, and the alert's number, sorted; at most so many of them."""
    from redpoll.astro.healpix import centres  # brings numba, which few commands need

    source, values = _from_cells(cells)
    sql = f"SELECT a.hpx29, a._id FROM {source} WHERE {where.text} LIMIT ?"  # without conditions, the b-tree alone
    found = pool.execute(sql, (*values, *where.values, limit))
    hpx, numbers = np.fromiter(itertools.chain.from_iterable(found), np.int64, 2 * len(found)).reshape(-1, 2).T
    distance = separation_arcsec(cone.ra, cone.dec, *centres(hpx, ORDER))
    order = np.argsort(distance)
    return distance[order], numbers[order]


def _by_separation(
    pool: ReadPool,
    cone: Cone,
    distance: NDArray[np.float64],
    numbers: NDArray[np.int64],
    n: int,
    select: SelectList | None,
) -> Iterator[list[KeyRow]]:
    """Keys of the candidates by separation, some `n` at a time."""
    columns, join = ("", "") if select is None else (f", {select.sql}", select.join)
    sql = f"SELECT a.ra, a.dec, a.alert_id, a._id{columns} FROM json_each(?) k CROSS JOIN alerts a ON a._id = k.value"
    waiting: list[KeyRow] = []
    start = 0
    while start < len(numbers):
        # besides `n` candidates, those that may be as near as the last of them
        stop = int(np.searchsorted(distance, distance[start:][:n][-1] + 2 * _CELL_ARCSEC, side="right"))
        some = json.dumps(numbers[start:stop].tolist())
        found = _sorted(cone, pool.execute(f"{sql} {join}", (some,)), select)
        found = sorted(waiting + found) if waiting else found
        bound = distance[stop:][:1] - _CELL_ARCSEC  # nearer than any alert that is not yet read
        n_safe = bisect_left(found, (float(bound[0]),)) if len(bound) else len(found)
        yield found[:n_safe]
        start, waiting = stop, found[n_safe:]


def _sorted(cone: Cone, found: list[Any], select: SelectList | None) -> list[KeyRow]:
    """Keys by separation of rows that begin with right ascension, declination and identifiers."""
    if not found:
        return []
    ra, dec = ([row[i] for row in found] for i in (0, 1))
    distance = separation_arcsec(cone.ra, cone.dec, ra, dec).tolist()
    if select is None:
        return sorted([(d, row[2], row[3]) for d, row in zip(distance, found, strict=True)])
    return sorted([(d, row[2], row[3], row) for d, row in zip(distance, found, strict=True)])


def _with_rows(found: list[Any]) -> list[KeyRow]:
    """Rows that begin with a key, each behind its key."""
    return [(row[0], row[1], row[2], row) for row in found]
