"""What the store knows of each object: reading by the batch, and adding what an alert brings.

An object's points lie packed in one row of `histories`; what each later alert added lies in a small row of its own,
next to the others of the object, until there are `MOST_NEWS`: then they are packed together. An alert therefore writes
its new points, not the whole history, and it does so in the transaction that makes the alert itself count.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from redpoll.astro.time import NIGHT_OFFSET, night_start
from redpoll.schema.light_curve import LightCurves
from redpoll.schema.merging import news
from redpoll.schema.table import packet_light_curves
from redpoll.store.history_blobs import check, level_of, pack, unpack
from redpoll.store.history_bounds import bounded, compacted, sorted_by_time

MOST_NEWS = 12
"""Rows of news of an object before they are packed together with its history."""
MOST_NEWS_BYTES = 40_000
_OBJECTS = """WITH wanted AS MATERIALIZED (SELECT j.key AS n, o._id AS id FROM json_each(?) j CROSS JOIN objects o
    ON o.object_id = j.value AND o._survey = (SELECT _id FROM surveys WHERE name = ?))"""
_KEYS = "WITH wanted AS MATERIALIZED (SELECT key AS n, value AS id FROM json_each(?))"
_BLOBS = """ SELECT n, data FROM wanted CROSS JOIN histories h ON h._object = id
    UNION ALL SELECT n, data FROM wanted CROSS JOIN history_news w ON w._object = id"""
_FULL = f"""SELECT _object FROM history_news WHERE _object IN (SELECT value FROM json_each(?)) GROUP BY _object
    HAVING count(*) >= {MOST_NEWS} OR (count(*) > 1 AND sum(length(data)) > {MOST_NEWS_BYTES})"""
Execute = Callable[[str, Sequence[Any]], list[Any]]


class HistoryReader(Protocol):
    """What is stored of objects, to be joined to a packet's own light curve."""

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
    """The port HistoryReader on the embedded store; `execute` runs a query and returns all rows."""

    def __init__(self, execute: Execute) -> None:
        self._execute = execute

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
        places: dict[str, list[int]] = {}
        for row, name in enumerate(object_ids):
            places.setdefault(name, []).append(row)
        names = list(places)
        found = self._execute(_OBJECTS + _BLOBS, (json.dumps(names), survey))
        if pending:
            found += [(n, blob) for n, name in enumerate(names) for blob in pending.get(name, ())]
        rows = [places[names[n]] for n, _ in found]
        limits = np.full(len(object_ids), np.inf) if before is None else np.asarray(before, np.float64)
        return _merged([data for _, data in found], rows, limits, lambda i: f"{survey} {names[found[i][0]]}")


def read_keys(connection: sqlite3.Connection, keys: Sequence[int], before: NDArray[np.float64]) -> LightCurves:
    """Stored points of objects by their keys in the index, see `HistoryReader`."""
    places: dict[int, list[int]] = {}
    for row, key in enumerate(keys):
        places.setdefault(int(key), []).append(row)
    wanted = list(places)
    found = connection.execute(_KEYS + _BLOBS, (json.dumps(wanted),)).fetchall()
    rows = [places[wanted[n]] for n, _ in found]
    return _merged([data for _, data in found], rows, before, lambda i: f"object {wanted[found[i][0]]}")


def add(
    connection: sqlite3.Connection, keys: Sequence[int], alert_ids: Sequence[int], blobs: Sequence[bytes | None]
) -> None:
    """Add what alerts bring (see `packed_news`) to the history of their objects, inside the open transaction.

    Nothing is added for an alert that brings nothing, null or empty. One that was added before is left as it is.
    """
    rows = [(int(k), int(a), blob) for k, a, blob in zip(keys, alert_ids, blobs, strict=True) if blob]
    connection.executemany("INSERT OR IGNORE INTO history_news VALUES (?, ?, ?)", rows)
    touched = json.dumps(sorted({key for key, _, _ in rows}))
    full = [key for (key,) in connection.execute(_FULL, (touched,))]
    if full:
        _pack_together(connection, full)


def packed_news(stored: LightCurves, packets: LightCurves, mjd: NDArray[np.float64]) -> list[bytes]:
    """For each alert at these times, what its packet adds to what is stored, as `add` takes it; b"" if nothing."""
    fresh = packets.kept(news(stored, packets))
    fresh = bounded(fresh, np.zeros(len(fresh.mjd)))
    sizes = np.diff(fresh.offsets)
    blobs = pack(fresh, np.repeat(mjd, sizes))
    return [blob if n else b"" for blob, n in zip(blobs, sizes.tolist(), strict=True)]


def add_archived(connection: sqlite3.Connection, survey: str, alerts: pa.Table) -> None:
    """Add what archived alerts of a survey brought to the histories of their objects, which are in the index already.

    Packets of one night do not see each other: with the nights in order, the histories are those that the runs left.
    `alerts` has ``object_id``, ``alert_id``, ``night``, ``mjd`` and the packets' light curves.
    """
    nights = np.asarray(alerts["night"].combine_chunks().fill_null(0))
    for night in np.unique(nights).tolist():
        some = alerts.take(pa.array(np.flatnonzero(nights == night)))
        keys = _keys_of(connection, survey, some["object_id"].to_pylist())
        mjd = np.asarray(some["mjd"].combine_chunks().to_numpy(zero_copy_only=False))
        before = np.fmin(night_start(np.full(len(mjd), night), NIGHT_OFFSET[survey]), mjd)
        packets = LightCurves.from_arrow(pc.fill_null(packet_light_curves(some).combine_chunks(), []))
        blobs = packed_news(read_keys(connection, keys, before), packets, mjd)
        add(connection, keys, some["alert_id"].to_pylist(), blobs)


def _keys_of(connection: sqlite3.Connection, survey: str, object_ids: Sequence[str]) -> list[int]:
    found = dict(connection.execute(f"{_OBJECTS} SELECT n, id FROM wanted", (json.dumps(list(object_ids)), survey)))
    return [found[n] for n in range(len(object_ids))]


def _merged(
    blobs: Sequence[bytes], rows: Sequence[Sequence[int]], before: NDArray[np.float64], what: Callable[[int], str]
) -> LightCurves:
    """The points of each row, of all blobs that belong to it."""
    for i, blob in enumerate(blobs):
        check(blob, what(i))
    row = np.array([r for of_blob in rows for r in of_blob], np.int64)
    blob_of = np.repeat(np.arange(len(blobs)), [len(of_blob) for of_blob in rows])
    order = np.argsort(row, kind="stable")
    curves, known = unpack(blobs, row[order], blob_of[order].astype(np.int64), before)
    return bounded(*sorted_by_time(curves, known))


def _pack_together(connection: sqlite3.Connection, keys: Sequence[int]) -> None:
    """Rewrite the histories of objects with their news in them."""
    wanted = json.dumps(list(keys))
    found = connection.execute(_KEYS + _BLOBS, (wanted,)).fetchall()
    row = np.array([n for n, _ in found], np.int64)
    order = np.argsort(row, kind="stable")
    for n, data in found:
        check(data, f"object {keys[n]}")
    levels = np.zeros(len(keys), np.int64)
    np.maximum.at(levels, row, [level_of(data) for _, data in found])
    curves, known = unpack([data for _, data in found], row[order], order, np.full(len(keys), np.inf))
    curves, known, levels = compacted(*sorted_by_time(curves, known), levels)
    blobs = pack(curves, known, levels.tolist())
    connection.executemany("INSERT OR REPLACE INTO histories VALUES (?, ?)", zip(keys, blobs, strict=True))
    connection.executemany("DELETE FROM history_news WHERE _object = ?", ((key,) for key in keys))
