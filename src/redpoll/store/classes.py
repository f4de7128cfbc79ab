"""The classes of each alert in the index: a record of all with the alert, and a table sorted by class.

``alerts._classes`` holds one record (class, classifier, probability) of eight bytes for each classification. The
classifications of an object are computed from those of its alerts, which are neighbours in the index. The table
``alert_classes`` has a row for each alert and class, so that the newest alerts of a class and a night are one range;
the ranges of a class and its subclasses are merged while they are read.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from redpoll.errors import StoreError
from redpoll.schema.classifications import CLASSES
from redpoll.schema.taxonomy import taxonomy
from redpoll.store.columns import filled, is_classes

CLASS_RECORD = np.dtype([("name", "<u2"), ("by", "<u2"), ("probability", "<f4")])
"""One classification: keys in the tables ``classes`` and ``classifiers``; NaN where there is no probability."""
_CHUNK = 20_000


def insert_alert_classes(
    connection: sqlite3.Connection, batch: pa.RecordBatch, keys: NDArray[np.int64]
) -> list[bytes | None]:
    """Insert one row per alert and class; returns the classes of each alert as the blob `_classes` holds."""
    if not any(is_classes(field) for field in batch.schema):
        return [None] * batch.num_rows
    column = batch[CLASSES]
    classes, owner = _records(connection, column), np.repeat(np.arange(batch.num_rows), _lengths(column))
    pairs = np.unique(np.stack([classes["name"].astype(np.int64), owner]), axis=1)
    facts = [filled(batch[name], 0)[pairs[1]].tolist() for name in ("night", "mjd", "alert_id")]
    rows = zip(pairs[0].tolist(), *facts, keys[pairs[1]].tolist(), strict=True)
    connection.executemany("INSERT INTO alert_classes VALUES (?, ?, ?, ?, ?)", rows)
    return _blobs(classes, _lengths(column))


def read_classes(blob: bytes | None) -> list[tuple[int, int, float]]:
    """The classes in a blob: number of the class, number of the classifier, probability or NaN."""
    return list(np.frombuffer(blob or b"", CLASS_RECORD).tolist())


def history(found: Sequence[tuple[float, int, bytes]]) -> list[tuple[int, int, float, float, int, float, float]]:
    """Classifications of some alerts, given as (mjd, alert_id, blob), summed up.

    Returns one tuple for each class and classifier: both numbers, first and last mjd, the number of alerts, the
    maximum and the last probability. The last alert is the greatest (mjd, alert_id); NaN where there is no probability.
    """
    if not found:
        return []
    times, _, blobs = zip(*sorted(found), strict=True)
    data = b"".join(blobs)
    mjd = np.repeat(times, [len(blob) // CLASS_RECORD.itemsize for blob in blobs])
    key, probability = np.frombuffer(data, "<u4")[::2], np.frombuffer(data, "<f4")[1::2]
    order = np.argsort(key, kind="stable")  # the alerts of each class and classifier stay in time
    key, mjd, probability = key[order], mjd[order], probability[order]
    first = np.flatnonzero(np.concatenate(([True], key[1:] != key[:-1])))
    last = np.concatenate((first[1:], [len(key)])) - 1
    best = np.fmax.reduceat(probability, first)
    columns = key[first] & 0xFFFF, key[first] >> 16, mjd[first], mjd[last], last - first + 1, best, probability[last]
    return list(zip(*(column.tolist() for column in columns), strict=True))


def with_subclasses(name: str) -> tuple[str, ...]:
    """A class and all its subclasses; a class that the taxonomy no longer has stands for itself."""
    tree = taxonomy()
    return tree.descendants(name) if name in tree.classes else (name,)


def wrong_counts(connection: sqlite3.Connection) -> Iterator[tuple[str, int, int]]:
    """(class, alerts in its index, alerts classified as it) wherever the two differ."""
    names = dict(connection.execute("SELECT _id, name FROM classes"))
    indexed = dict(connection.execute("SELECT class, count(*) FROM alert_classes GROUP BY class"))
    counted = _counted(connection)
    for number in sorted(indexed.keys() | counted.keys()):
        if indexed.get(number, 0) != counted.get(number, 0):
            yield names.get(number, f"number {number}"), indexed.get(number, 0), counted.get(number, 0)


def _counted(connection: sqlite3.Connection) -> dict[int, int]:
    """Number of alerts of each class, from the alerts themselves."""
    counts = np.zeros(1 << 16, np.int64)
    cursor = connection.execute("SELECT _classes FROM alerts WHERE _classes IS NOT NULL")
    while blobs := [row[0] for row in cursor.fetchmany(_CHUNK)]:
        names = np.frombuffer(b"".join(blobs), CLASS_RECORD)["name"].astype(np.int64)
        owner = np.repeat(np.arange(len(blobs)), [len(blob) // CLASS_RECORD.itemsize for blob in blobs])
        counts += np.bincount(np.unique(owner << 16 | names) & 0xFFFF, minlength=1 << 16)
    return {int(n): int(counts[n]) for n in np.flatnonzero(counts)}


def _records(connection: sqlite3.Connection, column: pa.ListArray) -> NDArray[Any]:
    """All classes of a column, in order."""
    flat = column.flatten()
    classes = np.empty(len(flat), CLASS_RECORD)
    for field, table in (("name", "classes"), ("by", "classifiers")):
        encoded = flat.field(field).cast(pa.string()).dictionary_encode()
        numbers = [_number(connection, table, word) for word in encoded.dictionary.to_pylist()]
        classes[field] = np.array(numbers, np.uint16)[encoded.indices.to_numpy(zero_copy_only=False)]
    classes["probability"] = flat.field("probability").to_numpy(zero_copy_only=False)
    return classes


def _number(connection: sqlite3.Connection, table: str, word: str) -> int:
    """Number of a class or classifier; given on first sight."""
    connection.execute(f"INSERT OR IGNORE INTO {table} (name) VALUES (?)", (word,))
    number = int(connection.execute(f"SELECT _id FROM {table} WHERE name = ?", (word,)).fetchone()[0])
    if number >= 1 << 16:
        raise StoreError(f"more than {1 << 16} {table} in one store, the last of them '{word}'")
    return number


def _lengths(column: pa.ListArray) -> NDArray[np.int64]:
    return filled(pc.list_value_length(column), 0).astype(np.int64)


def _blobs(classes: NDArray[Any], lengths: NDArray[np.int64]) -> list[bytes | None]:
    data = classes.tobytes()
    ends = np.cumsum(lengths) * CLASS_RECORD.itemsize
    bounds = zip((ends - lengths * CLASS_RECORD.itemsize).tolist(), ends.tolist(), strict=True)
    return [data[start:stop] or None for start, stop in bounds]
