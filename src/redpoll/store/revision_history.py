"""What revisions did to one alert: each value before and after, with its maker, newest first."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from redpoll.schema.column import Column
from redpoll.schema.table_rows import column_values
from redpoll.store.layout import REPLACED, VALUES, Layout
from redpoll.store.pool import ReadPool
from redpoll.store.revision_files import REVISION_KEYS
from redpoll.store.rows import read_rows, while_moving

_HISTORY_COLUMNS = {
    "column": Column("string", doc="Column with a new value."),
    "value_before": Column("string", doc="Value before as JSON; null if there was none."),
    "value_after": Column("string", doc="New value as JSON; null if it is unknown."),
    "by_before": Column("string", doc="Maker of the value before, module@version; null if there was none."),
    "by_after": Column("string", doc="Maker of the new value, module@version; null if there is none."),
    "revised": Column("string", doc="When the new value was committed, ISO 8601.", ucd="time.epoch"),
    "job": Column("string", doc="Key of the reprocessing.", ucd="meta.id"),
}
HISTORY = pa.schema([column.field(name) for name, column in _HISTORY_COLUMNS.items()])
"""Columns of the history of an alert."""
_REVISIONS = """SELECT n.name, r.row, n.job, n.revised, m.mapping FROM revised r JOIN revisions n ON n._id = r.revision
    JOIN provenance m ON m._id = n.provenance WHERE r.alert = ? ORDER BY r.revision"""


def read_history(pool: ReadPool, layout: Layout, alert_id: int, survey: str) -> list[dict[str, Any]] | None:
    """Rows of the history of an alert; None if there is no such alert."""
    sql = """SELECT a._id, m.mapping FROM alerts a JOIN segments p ON p._id = a._segment
        JOIN provenance m ON m._id = p.provenance WHERE a.alert_id = ?
        AND a._survey = (SELECT _id FROM surveys WHERE name = ?)"""
    with pool.lease():
        found = pool.execute(sql, (alert_id, survey)) if abs(alert_id) < 2**63 else []
        revisions = pool.execute(_REVISIONS, (found[0][0],)) if found else []
    if not found:
        return None
    makers: dict[str, str] = json.loads(found[0][1])
    rows: list[dict[str, Any]] = []
    for name, row, job, revised, mapping in revisions:
        before, after = while_moving(partial(_values, layout.revisions / name, row))
        made = json.loads(mapping)
        for column in sorted(after, reverse=True):
            facts = {"column": column, "value_before": before.get(column), "value_after": after[column]}
            facts |= {"by_before": makers.get(column), "by_after": made.get(column)}
            rows.append(facts | {"revised": revised, "job": job})
        makers = {column: by for column, by in makers.items() if column not in after} | made
    return rows[::-1]


def _values(folder: Path, row: int) -> tuple[dict[str, str | None], dict[str, str | None]]:
    """Values before and after in one row of a revision, as JSON."""
    before, after = (read_rows(folder / file, np.array([row]), None) for file in (REPLACED, VALUES))
    return _texts(before), _texts(after)


def _texts(table: pa.Table) -> dict[str, str | None]:
    columns = {name: column_values(table[name])[0] for name in table.column_names if name not in REVISION_KEYS}
    return {name: None if value is None else json.dumps(value, default=str) for name, value in columns.items()}
