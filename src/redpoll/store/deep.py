"""Comparing an index with a second one made from the archive: every column of every row that the archive determines."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import islice, zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa

from redpoll.errors import StoreError
from redpoll.store import database
from redpoll.store.archive_loading import Archived, Load
from redpoll.store.classes import read_classes
from redpoll.store.columns import table_columns
from redpoll.store.history_blobs import check
from redpoll.store.layout import Layout
from redpoll.store.objects import KEY_BITS, MAX_ALERTS_PER_OBJECT
from redpoll.store.records import Progress
from redpoll.store.types import read_type

_MAX_DIFFERENCES = 20  # differences named in each table
_SURVEY = "(SELECT name FROM surveys s WHERE s._id = {})"
_ALERT = """(SELECT ra.alert_id || ' ' || rs.name FROM alerts ra JOIN surveys rs ON rs._id = ra._survey
    WHERE ra._id = alert)"""
_NAMED = {
    "_survey": _SURVEY.format("_survey"),
    "survey": _SURVEY.format("survey"),
    "_segment": "(SELECT p.name FROM segments p WHERE p._id = _segment)",
    "_topics": "named_topics(_topics)",
    "_classes": "named_classes(_classes)",
    "provenance": "(SELECT mapping FROM provenance m WHERE m._id = provenance)",
    "topic": "(SELECT t.name FROM topics t WHERE t._id = topic)",
    "class": "(SELECT c.name FROM classes c WHERE c._id = class)",
    "alert": _ALERT,
    "segment": "(SELECT p.name FROM segments p WHERE p._id = segment)",
    "type": "named_type(type)",
}
"""Expressions in place of columns that hold numbers of rows, or a type whose fields have the order of their arrival:
both differ between two indexes of the same alerts."""
COMPARED = {
    "alerts": "alert_id, _survey",
    "objects": "object_id, _survey",
    "alert_topics": "topic, night, mjd, alert_id, alert",
    "alert_classes": "class, night, mjd, alert_id, alert",
    "segments": "name",
    "revisions": "name",
    "revised": "alert, revision",
    "pixels": "survey, start",
    "generations": "survey",
    "columns": "name",
    "surveys": "name",
}
"""Tables that the archive determines, each with the columns that order it."""
NAMES = ("topics", "classes", "classifiers", "provenance")
"""Tables of names, compared where they are used."""
NOT_IN_ARCHIVE = ("runs", "ledger", "rejected", "positions", "revision_jobs")
"""Tables that only the index holds."""
ORDERED = ("histories",)
"""Packed measurements: their bytes depend on the order of the runs; that each object has them, and the checksum in each
of them, is verified."""
_HISTORY_OF = f"""EXISTS (SELECT 1 FROM histories h
    WHERE h._id BETWEEN o._id << {KEY_BITS} AND (o._id << {KEY_BITS}) + {MAX_ALERTS_PER_OBJECT})"""
_OBJECTS = "objects o JOIN surveys s ON s._id = o._survey"
_NOT_COMPARED = {"_id", "run", "mixed"}  # a rebuild from the catalogue finds values of one type


def differences(connection: sqlite3.Connection, layout: Layout, *, progress: Progress) -> list[str]:
    """Differences between an index and one rebuilt from the archive; read in the open transaction of the connection."""
    with TemporaryDirectory(prefix="redpoll-check-") as folder:
        fresh = Path(folder) / "index.sqlite"
        with closing(database.create(fresh)) as rebuilt:
            rebuilt.execute("PRAGMA synchronous = OFF")
            with database.transaction(rebuilt, fresh):
                load = Load(rebuilt, layout, progress, writes=False)
                load.archive(Archived.named(connection, layout))
            found = [f"{name} cannot be read" for name in (*load.missing, *load.damaged)]
            for i, table in enumerate(COMPARED):
                progress("comparing", i, len(COMPARED))
                found += _compare(connection, rebuilt, table)
            progress("comparing", len(COMPARED), len(COMPARED))
            found += islice(_lost_histories(connection, rebuilt), _MAX_DIFFERENCES)
        found += _damaged_histories(connection)
    return found


def _lost_histories(connection: sqlite3.Connection, rebuilt: sqlite3.Connection) -> Iterator[str]:
    """Objects that have measurements in the rebuilt index, but not in the other, whose objects are the same."""
    asked = f"SELECT {_HISTORY_OF} FROM {_OBJECTS} WHERE s.name = ? AND o.object_id = ?"
    for survey, name in rebuilt.execute(f"SELECT s.name, o.object_id FROM {_OBJECTS} WHERE {_HISTORY_OF}"):
        if connection.execute(asked, (survey, name)).fetchone() == (0,):
            yield f"the stored history of {survey} {name} is gone: `redpoll store rebuild` makes it anew"


def _damaged_histories(connection: sqlite3.Connection) -> Iterator[str]:
    for key, blob in connection.execute("SELECT _id, data FROM histories"):
        try:
            check(blob, f"object {key >> KEY_BITS}")
        except StoreError as error:
            yield str(error)


def _compare(index: sqlite3.Connection, rebuilt: sqlite3.Connection, table: str) -> Iterator[str]:
    names, others = (set(table_columns(c, table)) - _NOT_COMPARED for c in (index, rebuilt))
    if names != others:
        yield f"{table} has columns that the archive does not give: {', '.join(sorted(names ^ others))}"
        return
    compared, n = sorted(names), 0
    for here, there in zip_longest(_rows(index, table, compared), _rows(rebuilt, table, compared)):
        if here == there:
            continue
        yield f"{table}: {_shown(compared, here, there)}"
        n += 1
        if n == _MAX_DIFFERENCES or here is None or there is None:
            yield f"{table}: more rows may differ"
            return


def _rows(connection: sqlite3.Connection, table: str, names: list[str]) -> Iterator[tuple[Any, ...]]:
    topics, classes, classifiers = (
        dict(connection.execute(f"SELECT _id, name FROM {kind}")) for kind in ("topics", "classes", "classifiers")
    )
    connection.create_function("named_topics", 1, lambda text: _topics(text, topics))
    connection.create_function("named_classes", 1, lambda blob: _classes(blob, classes, classifiers))
    connection.create_function("named_type", 1, lambda blob: _type(read_type(blob)))
    selected = ", ".join(_NAMED.get(name, f'"{name}"') for name in names)
    order = ", ".join(_NAMED.get(name, name) for name in COMPARED[table].split(", "))
    yield from connection.execute(f"SELECT {selected} FROM {table} ORDER BY {order}")


def _topics(text: str | None, names: dict[int, str]) -> str | None:
    return ",".join(sorted(names.get(int(n), n) for n in text.split(","))) if text else None


def _classes(blob: bytes | None, classes: dict[int, str], classifiers: dict[int, str]) -> str | None:
    if blob is None:
        return None
    return repr([(classes.get(name), classifiers.get(by), p) for name, by, p in read_classes(blob)])


def _type(kind: pa.DataType) -> str:
    """The type as text, with the fields of each struct in the order of their names."""
    if pa.types.is_struct(kind):
        return f"struct<{', '.join(sorted(f'{field.name}: {_type(field.type)}' for field in kind))}>"
    return f"list<{_type(kind.value_type)}>" if pa.types.is_list(kind) else str(kind)


def _shown(names: list[str], here: tuple[Any, ...] | None, there: tuple[Any, ...] | None) -> str:
    """The first columns that differ, or the row that only one index has."""
    if here is None or there is None:
        return f"{'the archive' if here is None else 'the index'} has more rows"
    pairs = [(name, a, b) for name, a, b in zip(names, here, there, strict=False) if a != b][:3]
    return "; ".join(f"{name} is {a!r:.60} in the index, {b!r:.60} in the archive" for name, a, b in pairs)
