"""Keeping the summary of each object as alerts come: exact, whatever the order and size of the batches."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from redpoll.errors import StoreError
from redpoll.schema.bands import BANDS
from redpoll.store.columns import aggregate_columns, filled, table_columns, values
from redpoll.store.columns import register as register_columns

_LATER = "(?{mjd}, ?{alert}) > (last_mjd, _last_alert)"
_MAX_FLOAT = 1.7976931348623157e308
_FIXED = ("ra", "dec", "hpx29", "first_mjd", "last_mjd", "_last_alert", "n_alerts", "n_detections")


KEY_BITS = 24
"""The key of an alert is that of its object, shifted by this, plus a running number."""
MAX_ALERTS_PER_OBJECT = (1 << KEY_BITS) - 1
"""Of an object: their running numbers are smaller than this, which is the number of its packed history."""
OF_OBJECT = f"a._id BETWEEN (o._id << {KEY_BITS}) AND (o._id << {KEY_BITS}) + {(1 << KEY_BITS) - 1}"
"""SQL condition: alert `a` is one of object `o`; a range of keys."""


def update_objects(connection: sqlite3.Connection, survey: int, batch: pa.RecordBatch) -> NDArray[np.int64]:
    """Fold new alerts into their objects; returns a new key for each alert, next to those of its object.

    The summary depends on the set of alerts only: the last alert is the greatest (mjd, alert_id), the last
    magnitude in a band the one of the greatest mjd (of two at once, the brighter), counts add up.
    """
    names, index = _distinct(batch["object_id"])
    known = _known_objects(connection, survey, names)
    new = [name not in known for name in names]
    (last,) = connection.execute("SELECT ifnull(max(_id), 0) FROM objects").fetchone()
    fresh = (name for name, is_new in zip(names, new, strict=True) if is_new)
    known |= {name: (last + 1 + i, 0) for i, name in enumerate(fresh)}
    keys, counts = np.array([known[name] for name in names], np.int64).reshape(-1, 2).T
    best = _aggregates(connection, batch.schema)
    summaries = _summaries(batch, index, len(names), best)
    rows = list(zip(keys.tolist(), *summaries, strict=True))
    titles = [*_FIXED, *(f"last_{fact}_{band}" for band in BANDS for fact in ("mjd", "mag"))]
    titles += [f'"{how}_{name}"' for name, how in best]
    inserted = [(survey, name, *row) for name, row, is_new in zip(names, rows, new, strict=True) if is_new]
    holes = ",".join("?" * (len(titles) + 3))
    sql = f"INSERT INTO objects (_survey, object_id, _id, {', '.join(titles)}) VALUES ({holes})"
    connection.executemany(sql, inserted)
    updated = [row for row, is_new in zip(rows, new, strict=True) if not is_new]
    connection.executemany(_update_sql(best), updated)
    numbers = counts[index] + _nth(index)
    if (numbers >= MAX_ALERTS_PER_OBJECT).any():
        raise StoreError(
            f"an object has more than {MAX_ALERTS_PER_OBJECT} alerts: {names[int(index[numbers.argmax()])]}"
        )
    return np.asarray((keys[index] << KEY_BITS) + numbers, np.int64)


def _distinct(column: pa.Array) -> tuple[list[str], NDArray[np.int64]]:
    encoded = column.cast(pa.string()).dictionary_encode()
    return encoded.dictionary.to_pylist(), encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)


def _nth(index: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many elements of the same value come before each.

    >>> _nth(np.array([5, 3, 5, 5])).tolist()
    [0, 0, 1, 2]
    """
    order = np.argsort(index, kind="stable")
    first = np.searchsorted(index[order], index[order])
    result = np.empty(len(index), np.int64)
    result[order] = np.arange(len(index)) - first
    return result


def _known_objects(connection: sqlite3.Connection, survey: int, names: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Object -> its key and number of alerts, for those that the index has."""
    sql = "SELECT object_id, _id, n_alerts FROM objects WHERE _survey = ?"
    sql += " AND object_id IN (SELECT value FROM json_each(?))"
    return {name: (key, n) for name, key, n in connection.execute(sql, (survey, json.dumps(names)))}


def _summaries(
    batch: pa.RecordBatch, index: NDArray[np.int64], n: int, best: Sequence[tuple[str, str]]
) -> list[list[Any]]:
    """One list per column of `_FIXED`, the bands and the best values; one element per object."""
    mjd, alert = filled(batch["mjd"], np.nan), filled(batch["alert_id"], 0)
    order = np.lexsort((alert, mjd, index))
    last = order[np.flatnonzero(np.diff(index[order], append=-1))]  # of each object, in the order of its number
    first_mjd = _optional(batch, "first_mjd", len(mjd))
    first = _extreme(np.fmin(first_mjd, mjd), index, n, "min")
    detections = _extreme(_optional(batch, "n_detections", len(mjd)), index, n, "max")
    fixed = [values(batch[name].take(pa.array(last))) for name in ("ra", "dec", "hpx29")]
    fixed += [first.tolist(), mjd[last].tolist(), alert[last].tolist(), np.bincount(index, minlength=n).tolist()]
    fixed.append(_whole(detections))
    scores: list[list[Any]] = []
    for name, how in best:
        score = _extreme(_optional(batch, name, len(mjd)), index, n, how)
        scores.append(_whole(score) if pa.types.is_integer(batch[name].type) else score.tolist())
    return [*fixed, *_bands(batch, mjd, index, n), *scores]


def _whole(column: NDArray[np.float64]) -> list[int | None]:
    return [None if np.isnan(value) else int(value) for value in column.tolist()]


def _bands(batch: pa.RecordBatch, mjd: NDArray[np.float64], index: NDArray[np.int64], n: int) -> list[list[float]]:
    """Time and magnitude of the last alert of each object in each band, NaN where there is none."""
    mag = _optional(batch, "mag", len(mjd))
    band = batch["band"] if "band" in batch.schema.names else pa.nulls(len(mjd), pa.string())
    band = band.cast(pa.string()) if pa.types.is_dictionary(band.type) else band
    columns = []
    for name in BANDS:
        there = np.flatnonzero(filled(pc.equal(band, name), False).astype(bool) & np.isfinite(mag))
        order = there[np.lexsort((-mag[there], mjd[there], index[there]))]
        last = order[np.flatnonzero(np.diff(index[order], append=-1))]
        for source in (mjd, mag):
            column = np.full(n, np.nan)
            column[index[last]] = source[last]
            columns.append(column.tolist())
    return columns


def _optional(batch: pa.RecordBatch, name: str, n: int) -> NDArray[np.float64]:
    present = name in batch.schema.names
    return filled(batch[name].cast(pa.float64()), np.nan) if present else np.full(n, np.nan)


def _extreme(column: NDArray[np.float64], index: NDArray[np.int64], n: int, how: str) -> NDArray[np.float64]:
    """Largest or smallest known value per object; NaN if none is known."""
    ufunc, start = (np.fmax, -np.inf) if how == "max" else (np.fmin, np.inf)
    result = np.full(n, np.nan)
    known = np.isfinite(column)
    result[index[known]] = start
    ufunc.at(result, index[known], column[known])
    return result


def _update_sql(best: Sequence[tuple[str, str]]) -> str:
    """UPDATE whose parameters are _id, `_FIXED`, the bands and the best values, in this order."""
    place = {name: i + 2 for i, name in enumerate(_FIXED)}
    later = _LATER.format(mjd=place["last_mjd"], alert=place["_last_alert"])
    of_last = ("ra", "dec", "hpx29", "last_mjd", "_last_alert")
    sets = [f"{name} = CASE WHEN {later} THEN ?{place[name]} ELSE {name} END" for name in of_last]
    sets += [f"first_mjd = min(first_mjd, ?{place['first_mjd']})", f"n_alerts = n_alerts + ?{place['n_alerts']}"]
    sets.append(_known("max", "n_detections", place["n_detections"]))
    at = len(_FIXED) + 2
    for i, band in enumerate(BANDS):
        sets += _last_of_band(band, at + 2 * i)
    sets += [_known(how, f'"{how}_{name}"', at + 2 * len(BANDS) + i) for i, (name, how) in enumerate(best)]
    return f"UPDATE objects SET {', '.join(sets)} WHERE _id = ?1"


def _known(how: str, name: str, place: int) -> str:
    return f"{name} = ifnull({how}({name}, ?{place}), ifnull({name}, ?{place}))"


def _last_of_band(band: str, place: int) -> list[str]:
    mjd, mag = f"last_mjd_{band}", f"last_mag_{band}"
    newer = f"?{place} > {mjd} OR {mjd} IS NULL OR (?{place} = {mjd} AND ?{place + 1} < {mag})"
    newer = f"?{place} IS NOT NULL AND ({newer})"
    return [f"{name} = CASE WHEN {newer} THEN ?{place + i} ELSE {name} END" for i, name in enumerate((mjd, mag))]


def recompute_aggregates(connection: sqlite3.Connection, objects: Sequence[int] | None, names: Sequence[str]) -> None:
    """Set the aggregates of some columns from all alerts of the objects with these keys; None: of all objects.

    The result is that of folding the same alerts: unknown and infinite values do not count.
    """
    present = table_columns(connection, "objects")
    sets = [_aggregate(how, name) for name in names for how in ("max", "min") if f"{how}_{name}" in present]
    if not sets:
        return
    sql = f"UPDATE objects AS o SET {', '.join(sets)}"
    if objects is None:
        connection.execute(sql)
    else:
        connection.execute(f"{sql} WHERE _id IN (SELECT value FROM json_each(?))", (json.dumps(list(objects)),))


def register(connection: sqlite3.Connection, schema: pa.Schema) -> None:
    """Record columns of the archive, see `columns.register`; an aggregate that is new counts all stored alerts."""
    alerts, objects = (set(table_columns(connection, table)) for table in ("alerts", "objects"))
    register_columns(connection, schema)
    fresh = [name for name, how in aggregate_columns(schema) if f"{how}_{name}" not in objects and name in alerts]
    recompute_aggregates(connection, None, fresh)


def _aggregates(connection: sqlite3.Connection, schema: pa.Schema) -> list[tuple[str, str]]:
    """(name, "max" or "min") of the numeric columns of which the table of objects has an aggregate."""
    present = set(table_columns(connection, "objects"))
    numeric = [f.name for f in schema if pa.types.is_floating(f.type) or pa.types.is_integer(f.type)]
    return [(name, how) for name in numeric for how in ("max", "min") if f"{how}_{name}" in present]


def _aggregate(how: str, name: str) -> str:
    number = f"""CASE typeof(a."{name}") WHEN 'integer' THEN CAST(CAST(a."{name}" AS REAL) AS INTEGER)
        WHEN 'real' THEN CASE WHEN a."{name}" BETWEEN -{_MAX_FLOAT!r} AND {_MAX_FLOAT!r} THEN a."{name}" END END"""
    return f'"{how}_{name}" = (SELECT {how}({number}) FROM alerts a WHERE {OF_OBJECT})'
