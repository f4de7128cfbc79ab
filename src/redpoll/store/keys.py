"""Keys of the selected alerts, in the order of a scan, a bounded number at a time.

A source walks a b-tree in the order asked for, or collects the keys of a narrow selection and sorts them. Each chunk
begins after the key of the one before, so no read transaction stays open between two chunks, and rows that a run adds
meanwhile neither move nor repeat others.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll.astro.sky import separation_arcsec
from redpoll.store.objects import KEY_BITS
from redpoll.store.pool import ReadPool
from redpoll.store.rings import ring_cells
from redpoll.store.scan import Key
from redpoll.store.selection import Cone, Order

MAX_COLLECTED = 50_000
"""Keys that are collected and sorted in memory; a selection with more is walked."""
_MAX_CHUNK = 20_000
_FIRST = {"newest": "a.mjd", "oldest": "a.mjd", "hpx29": "a.hpx29"}
N_KEY = 3
_MAX_WIDE = 4096
_WIDE_ARCSEC = 60.0
KeyRow = tuple[Any, ...]
"""A `Key`, followed by the columns of the alert if the source was given a SELECT list."""


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

    def chunk(self, pool: ReadPool, after: Key | None, n: int, *, newest: bool) -> list[Key]:
        """The next `n` keys by time, each alert once: the ranges of all numbers, merged while they are read."""
        if not self.numbers:
            return []
        where = "" if self.night is None else " AND night = ?1"
        where += "" if after is None else f" AND (mjd, alert_id, alert) {'<' if newest else '>'} (?2, ?3, ?4)"
        sql = " UNION ".join(
            f"SELECT mjd, alert_id, alert FROM {self.table} WHERE {self.column} = {number}{where}"
            for number in self.numbers
        )
        order = ", ".join(f"{name}{' DESC' if newest else ''}" for name in ("mjd", "alert_id", "alert"))
        return pool.execute(f"{sql} ORDER BY {order} LIMIT ?5", (self.night, *(after or (None,) * N_KEY), n))


def walk(
    pool: ReadPool, where: Conditions, order: Order, after: Key | None, n: int, select: str = ""
) -> Iterator[list[KeyRow]]:
    """Keys along the b-tree of the order; ``n`` of them first, then larger chunks."""
    most = _MAX_WIDE if select else _MAX_CHUNK
    first, down = _FIRST[order], order == "newest"
    key = (first, "a.alert_id", "a._id")
    by = ", ".join(f"{name}{' DESC' if down else ''}" for name in key)
    while True:
        more = where & _beyond(key, after, down)
        sql = f"SELECT {', '.join(key)}{select} FROM alerts a WHERE {more.text} ORDER BY {by} LIMIT ?"
        found = pool.execute(sql, (*more.values, n))
        if found:
            yield found
        if len(found) < n:
            return
        after, n = found[-1][:N_KEY], min(2 * n, most)


def walk_group(
    pool: ReadPool, group: Group, where: Conditions, order: Order, after: Key | None, n: int
) -> Iterator[list[Key]]:
    """Keys of the alerts of a topic or class by time, those that fulfil `where`."""
    while True:
        found = group.chunk(pool, after, n, newest=order == "newest")
        kept = found if not where.sql else _fulfilling(pool, where, found)
        if kept:
            yield kept
        if len(found) < n:
            return
        after, n = found[-1], min(2 * n, _MAX_CHUNK)


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
    pool: ReadPool, object_ids: Sequence[str], where: Conditions, order: Order, n: int, select: str = ""
) -> list[KeyRow]:
    """Keys of the alerts of some objects, sorted; with the selected columns if there are not many more than `n`."""
    source = f"json_each(?) j CROSS JOIN objects o ON o.object_id = j.value CROSS JOIN alerts a ON {_OF_OBJECT}"
    values = (json.dumps(list(object_ids)), *where.values)
    sql = f"SELECT {_FIRST[order]}, a.alert_id, a._id{{}} FROM {source} WHERE {where.text} LIMIT ?"
    found = pool.execute(sql.format(select), (*values, 2 * n if select else -1))
    if select and len(found) == 2 * n:
        found = pool.execute(sql.format(""), (*values, -1))
    return sorted(found, reverse=order == "newest")


def collect_alerts(pool: ReadPool, alert_ids: Sequence[int], where: Conditions, order: Order) -> list[Key]:
    """Keys of the alerts with some identifiers, sorted."""
    source = "json_each(?) j CROSS JOIN alerts a ON a.alert_id = j.value"
    sql = f"SELECT {_FIRST[order]}, a.alert_id, a._id FROM {source} WHERE {where.text}"
    found = pool.execute(sql, (json.dumps(list(alert_ids)), *where.values))
    return sorted(found, reverse=order == "newest")


def collect_cells(
    pool: ReadPool, cells: NDArray[np.int64], where: Conditions, order: Order, most: int = MAX_COLLECTED
) -> list[Key] | None:
    """Keys of the alerts within ranges of cells, sorted; None if there are more than `most`."""
    sql = f"SELECT {_FIRST[order]}, a.alert_id, a._id FROM {_IN_CELLS} WHERE {where.text} LIMIT ?"
    found = pool.execute(sql, (json.dumps(cells.tolist()), *where.values, most + 1))
    return None if len(found) > most else sorted(found, reverse=order == "newest")


def walk_rings(
    pool: ReadPool,
    cone: Cone,
    cells: NDArray[np.int64],
    where: Conditions,
    after: Key | None,
    n: int,
    select: str = "",
) -> Iterator[list[KeyRow]]:
    """Keys of the alerts within a cone by separation, ring by ring: each page reads its own rings only.

    A ring has at most `MAX_COLLECTED` candidates, or is narrower than a cell of order 29 can resolve. The selected
    columns are read with the keys of a small cone of few alerts.
    """
    if select and cone.radius_arcsec <= _WIDE_ARCSEC:
        found = _by_separation(pool, cone, cells, where, 2 * n, select)
        if found is not None:
            yield [row for row in found if row[0] <= cone.radius_arcsec and (after is None or row[:N_KEY] > after)]
            return
    inner = 0.0 if after is None else float(after[0])
    width = cone.radius_arcsec
    while True:
        outer = min(inner + width, cone.radius_arcsec)
        ring = ring_cells(cells, cone, inner, outer)
        most = max(2 * n, 1000) if width > _NARROWEST else None
        found = _by_separation(pool, cone, ring, where, most)
        if found is None:
            width /= 2
            continue
        kept = [key for key in found if inner <= key[0] <= outer and (after is None or key > after)]
        if kept:
            yield kept
            after = kept[-1]
        if outer >= cone.radius_arcsec:
            return
        inner, width = outer, 2 * width


def after_key(keys: list[KeyRow], after: Key | None, order: Order) -> list[KeyRow]:
    """The sorted keys that follow `after`."""
    if after is None:
        return keys
    return [key for key in keys if (key[:N_KEY] < after if order == "newest" else key[:N_KEY] > after)]


_NARROWEST = 1e-3  # arcsec; a cell of order 29 is 0.4 mas wide
_OF_OBJECT = f"a._id BETWEEN (o._id << {KEY_BITS}) AND (o._id << {KEY_BITS}) + {(1 << KEY_BITS) - 1}"
_IN_CELLS = (
    "json_each(?) j CROSS JOIN alerts a"
    " ON a.hpx29 >= json_extract(j.value, '$[0]') AND a.hpx29 < json_extract(j.value, '$[1]')"
)


def _beyond(key: Sequence[str], after: Key | None, down: bool) -> Conditions:
    if after is None:
        return Conditions()
    return Conditions((f"({', '.join(key)}) {'<' if down else '>'} (?, ?, ?)",), after)


def _fulfilling(pool: ReadPool, where: Conditions, keys: list[Key]) -> list[Key]:
    sql = f"SELECT a._id FROM json_each(?) j CROSS JOIN alerts a ON a._id = j.value WHERE {where.text}"
    found = {row[0] for row in pool.execute(sql, (json.dumps([key[2] for key in keys]), *where.values))}
    return [key for key in keys if key[2] in found]


def _by_separation(
    pool: ReadPool,
    cone: Cone,
    cells: NDArray[np.int64],
    where: Conditions,
    most: int | None,
    select: str = "",
) -> list[KeyRow] | None:
    sql = f"SELECT a.ra, a.dec, a.alert_id, a._id{select} FROM {_IN_CELLS} WHERE {where.text} LIMIT ?"
    found = pool.execute(sql, (json.dumps(cells.tolist()), *where.values, -1 if most is None else most + 1))
    if most is not None and len(found) > most:
        return None
    if not found:
        return []
    ra, dec = np.array([row[:2] for row in found]).T
    distance = separation_arcsec(cone.ra, cone.dec, ra, dec).tolist()
    return sorted((d, *row[2:]) for d, row in zip(distance, found, strict=True))
