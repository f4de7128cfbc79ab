"""Stored light curves of objects: reads by the batch, and adds the new points of alerts.

What each alert added lies in a small row of its own, next to the others of the object, until there are `MAX_NEWS`:
then they are packed together in one row. An alert therefore writes its new points, not the whole history, and it does
so in the transaction that makes the alert itself count.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from contextvars import copy_context
from functools import partial
from itertools import pairwise
from typing import Any, Protocol, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from redpoll.astro.time import NIGHT_OFFSET, night_start
from redpoll.schema.light_curve import LightCurves, concatenated
from redpoll.schema.merging import news
from redpoll.schema.table import packet_light_curves
from redpoll.store.history_blobs import Blobs, level_of, pack, unpack
from redpoll.store.history_bounds import bounded, compacted, in_time_order, sorted_by_time
from redpoll.store.history_reading import merged
from redpoll.store.objects import KEY_BITS, MAX_ALERTS_PER_OBJECT

MAX_NEWS = 12
"""Rows of news of an object before they are packed together with its history."""
MAX_NEWS_BYTES = 40_000
_PACKED = MAX_ALERTS_PER_OBJECT
"""The number, in the key of a row, of what was packed together; those of news are as in the keys of their alerts."""
_OBJECTS = """WITH wanted AS MATERIALIZED (SELECT j.key AS n, o._id AS id FROM json_each(?) j CROSS JOIN objects o
    ON o.object_id = j.value AND o._survey = (SELECT _id FROM surveys WHERE name = ?) ORDER BY id)"""
_KEYS = "WITH wanted AS MATERIALIZED (SELECT key AS n, value AS id FROM json_each(?))"
_BLOBS = f""" SELECT n, data FROM wanted
    CROSS JOIN histories h ON h._id BETWEEN id << {KEY_BITS} AND (id << {KEY_BITS}) + {_PACKED}"""
_OF_NAME = f"""SELECT h.data FROM objects o
    LEFT JOIN histories h ON h._id BETWEEN o._id << {KEY_BITS} AND (o._id << {KEY_BITS}) + {_PACKED}
    WHERE o.object_id = ?"""
_FULL = f"""{_KEYS} SELECT id FROM wanted
    CROSS JOIN histories h ON h._id BETWEEN id << {KEY_BITS} AND (id << {KEY_BITS}) + {_PACKED - 1}
    GROUP BY id HAVING count(*) >= ? OR (count(*) > 1 AND sum(length(data)) > ?)"""
_AT_ONCE = 128
"""Objects whose histories are read at once: their bytes stay in the processor's cache."""
_FIRST = 32
"""Objects of the first query, whose time shows whether the disk has to be read."""
DISK_THREADS = 8
"""Queries at the same time where it has."""
_SLOW = 100e-6
"""Seconds an object from which on a query is taken to wait for the disk."""
Execute = Callable[[str, Sequence[Any]], list[Any]]
_T = TypeVar("_T")


class HistoryReader(Protocol):
    """Reads the stored light curves of objects, to be joined to those of packets."""

    def read(
        self,
        survey: str,
        object_ids: Sequence[str],
        before: NDArray[np.float64] | None = None,
        pending: Mapping[str, Sequence[bytes]] | None = None,
    ) -> LightCurves:
        """Stored points of each object that were measured and known before a time [MJD TAI], sorted by time.

        One point per exposure and band, at most 2,000 an object; an unknown object has an empty light curve. `pending`
        has news of objects (see `packed_news`) that are not stored yet and count as if they were.
        """


class Histories:
    """The port HistoryReader on the embedded store.

    `execute` runs a query and returns all rows. Where the index has to be read from the disk, as the time of the first
    query shows, `from_disk` is called in its place, by `DISK_THREADS` threads at the same time: the disk fetches for
    all of them at once.
    """

    def __init__(self, execute: Execute, from_disk: Execute | None = None) -> None:
        self._execute, self._from_disk = execute, from_disk

    def read(
        self,
        survey: str,
        object_ids: Sequence[str],
        before: NDArray[np.float64] | None = None,
        pending: Mapping[str, Sequence[bytes]] | None = None,
    ) -> LightCurves:
        """Stored points of each object that were measured and known before a time, see `HistoryReader`.

        Raises
        ------
        StoreError
            If the history of an object is damaged.
        """
        limits = np.full(len(object_ids), np.inf) if before is None else np.asarray(before, np.float64)
        cuts = [0, *range(_FIRST, len(object_ids), _AT_ONCE), len(object_ids)]
        slices = [slice(first, stop) for first, stop in pairwise(cuts)]
        chunks = [_distinct(object_ids[some]) for some in slices]
        parts = []
        with closing(self._rows(survey, [names for names, _ in chunks])) as rows:
            for some, (names, row_of), found in zip(slices, chunks, rows, strict=True):
                blobs, bounds = _blobs(survey, names, found, pending or {})
                parts.append(merged(blobs, bounds, row_of, limits[some]))
        return concatenated(parts)

    def _rows(self, survey: str, chunks: Sequence[Sequence[str]]) -> Generator[list[Any], None, None]:
        """What is stored of each chunk of objects."""

        def ask(execute: Execute, names: Sequence[str]) -> list[Any]:
            return execute(_OBJECTS + _BLOBS, (json.dumps(names), survey))

        start = time.perf_counter()
        first = ask(self._execute, chunks[0])
        is_slow = time.perf_counter() - start > _SLOW * len(chunks[0])
        yield first
        if is_slow and self._from_disk is not None and len(chunks) > 2:
            yield from _in_threads(DISK_THREADS, partial(ask, self._from_disk), chunks[1:])
        else:
            yield from map(partial(ask, self._execute), chunks[1:])


def _in_threads(n: int, work: Callable[[Any], _T], items: Sequence[Any]) -> Iterator[_T]:
    """Results of a function for all items, in order; it is called in this context by `n` threads at a time."""
    with ThreadPoolExecutor(n) as pool:
        try:
            yield from pool.map(lambda context, item: context.run(work, item), [copy_context() for _ in items], items)
        finally:
            pool.shutdown(cancel_futures=True)


def _blobs(
    survey: str, names: Sequence[str], found: list[Any], pending: Mapping[str, Sequence[bytes]]
) -> tuple[Blobs, NDArray[np.int64]]:
    found += [(n, blob) for n, name in enumerate(names) for blob in pending.get(name, ())]
    return _whole(found, len(names), lambda n: f"{survey} {names[n]}")


def read_keys(connection: sqlite3.Connection, keys: Sequence[int], before: NDArray[np.float64]) -> LightCurves:
    """Stored points of objects by their keys in the index, see `HistoryReader`."""
    wanted, row_of = _distinct(keys)
    found = connection.execute(_KEYS + _BLOBS, (json.dumps(wanted),)).fetchall()
    blobs, bounds = _whole(found, len(wanted), lambda n: f"object {wanted[n]}")
    return merged(blobs, bounds, row_of, before)


def read_name(execute: Execute, name: str) -> LightCurves | None:
    """All stored points of the object of this name, of whichever survey, as `HistoryReader.read` has them.

    None if there is no such object. StoreError if its history is damaged.
    """
    found = execute(_OF_NAME, (name,))
    blobs = Blobs.of([data for (data,) in found if data is not None], lambda _: name)
    bounds = np.array([0, len(blobs.sizes)])
    return merged(blobs, bounds, np.zeros(1, np.int64), np.array([np.inf])) if found else None


def add(connection: sqlite3.Connection, keys: Sequence[int], blobs: Sequence[bytes | None]) -> None:
    """Add what alerts bring (see `packed_news`) to the history of their objects, inside the open transaction.

    `keys` are those of the alerts in the index. Nothing is added for an alert that brings nothing, null or empty.
    """
    rows = [(key, blob) for key, blob in zip(keys, blobs, strict=True) if blob]
    connection.executemany("INSERT INTO histories VALUES (?, ?)", rows)
    touched = json.dumps(sorted({key >> KEY_BITS for key, _ in rows}))
    full = [key for (key,) in connection.execute(_FULL, (touched, MAX_NEWS, MAX_NEWS_BYTES))]
    if full:
        _pack_together(connection, full)


def packed_news(stored: LightCurves, packets: LightCurves, mjd: NDArray[np.float64]) -> list[bytes]:
    """For each alert at these times, what its packet adds to what is stored, as `add` takes it; b"" if nothing."""
    fresh = packets.kept(news(stored, packets))
    fresh = bounded(in_time_order(fresh), np.zeros(len(fresh.mjd)))  # the triggering detection was the last
    sizes = np.diff(fresh.offsets)
    blobs = pack(fresh, np.repeat(mjd, sizes))
    return [blob if n else b"" for blob, n in zip(blobs, sizes.tolist(), strict=True)]


def add_archived(connection: sqlite3.Connection, survey: str, alerts: pa.Table) -> None:
    """Add what archived alerts of a survey brought to the histories of their objects, which are in the index already.

    Packets of one night do not see each other: with the nights in order, the histories are those that the runs left.
    `alerts` has ``alert_id``, ``night``, ``mjd`` and the packets' light curves.
    """
    nights = np.asarray(alerts["night"].combine_chunks().fill_null(0))
    for night in np.unique(nights).tolist():
        some = alerts.take(pa.array(np.flatnonzero(nights == night)))
        keys = _alert_keys(connection, survey, some["alert_id"].to_pylist())
        mjd = np.asarray(some["mjd"].combine_chunks().to_numpy(zero_copy_only=False))
        before = np.fmin(night_start(np.full(len(mjd), night), NIGHT_OFFSET[survey]), mjd)
        packets = LightCurves.from_arrow(pc.fill_null(packet_light_curves(some).combine_chunks(), []))
        stored = read_keys(connection, [key >> KEY_BITS for key in keys], before)
        add(connection, keys, packed_news(stored, packets, mjd))


def _alert_keys(connection: sqlite3.Connection, survey: str, alert_ids: Sequence[int]) -> list[int]:
    sql = """SELECT j.key, a._id FROM json_each(?) j CROSS JOIN alerts a
        ON a.alert_id = j.value AND a._survey = (SELECT _id FROM surveys WHERE name = ?)"""
    found = dict(connection.execute(sql, (json.dumps(list(alert_ids)), survey)))
    return [found[n] for n in range(len(alert_ids))]


def _distinct(values: Sequence[Any]) -> tuple[list[Any], NDArray[np.int64]]:
    """The different values, sorted, and the place of each value among them."""
    distinct = sorted(set(values))
    place = {value: i for i, value in enumerate(distinct)}
    return distinct, np.fromiter(map(place.__getitem__, values), np.int64, len(values))


def _whole(found: Sequence[Any], n: int, what: Callable[[int], str]) -> tuple[Blobs, NDArray[np.int64]]:
    """The blobs of `n` objects, object after object, and where those of each begin."""
    of_object = np.fromiter((row[0] for row in found), np.int64, len(found))
    order = np.argsort(of_object, kind="stable")
    blobs = Blobs.of([found[i][1] for i in order.tolist()], lambda i: what(int(of_object[order[i]])))
    return blobs, np.searchsorted(of_object[order], np.arange(n + 1))


def _pack_together(connection: sqlite3.Connection, keys: Sequence[int]) -> None:
    """Put all rows of objects into one each."""
    found = connection.execute(_KEYS + _BLOBS, (json.dumps(list(keys)),)).fetchall()
    blobs, bounds = _whole(found, len(keys), lambda n: f"object {keys[n]}")
    levels = np.zeros(len(keys), np.int64)
    np.maximum.at(levels, [n for n, _ in found], [level_of(data) for _, data in found])
    curves, known, levels = compacted(*sorted_by_time(*unpack(blobs, bounds)), levels)
    packed = pack(curves, known, levels.tolist())
    first = [key << KEY_BITS for key in keys]
    sql = f"DELETE FROM histories WHERE _id BETWEEN ?1 AND ?1 + {_PACKED}"
    connection.executemany(sql, ((key,) for key in first))
    rows = ((key + _PACKED, blob) for key, blob in zip(first, packed, strict=True))
    connection.executemany("INSERT INTO histories VALUES (?, ?)", rows)
