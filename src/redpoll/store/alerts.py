"""The port Alerts on the embedded store: index and archive, read beside a running writer."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.errors import NotFound, UsageError
from redpoll.store.alert_scan import ScanPlan
from redpoll.store.insert import exists
from redpoll.store.layout import Layout
from redpoll.store.makers import MAKERS_SQL, newest_makers
from redpoll.store.page import shape_of
from redpoll.store.pool import Names, ReadPool
from redpoll.store.revised_values import read_alert
from redpoll.store.rows import find_locations, no_alert, while_moving
from redpoll.store.scan import Scan, decode_token
from redpoll.store.selection import SEPARATION, Order, Selection, order_of
from redpoll.store.stored_columns import ColumnReader, StoredColumns

_ONE = "a.alert_id = ? AND a._survey = (SELECT _id FROM surveys WHERE name = ?)"
_EVERYTHING = Selection()


class EmbeddedAlerts:
    """The port Alerts on the embedded store."""

    def __init__(self, pool: ReadPool, names: Names, layout: Layout) -> None:
        self._pool, self._names, self._layout = pool, names, layout
        self._columns = ColumnReader()

    def exists(self, survey: str, alert_ids: NDArray[Any]) -> NDArray[np.bool_]:
        """Whether each alert is stored already."""
        with self._pool.lease() as connection:
            return exists(connection, survey, alert_ids)

    def scan(
        self,
        columns: Sequence[str] | None = None,
        selection: Selection = _EVERYTHING,
        *,
        order_by: Order | None = None,
        after: str | None = None,
        limit: int | None = None,
    ) -> Scan:
        """Any columns of the selected alerts as record batches; see `ports.Alerts.scan`."""
        if limit is not None and limit < 0:
            raise UsageError(f"a scan returns at least 0 rows, not {limit}")
        order = order_of(selection, order_by)
        key = None if after is None else decode_token(after, selection, order)
        with self._pool.lease() as connection:
            stored, names = self._columns.read(connection), self._names.of(connection)
            shape = shape_of(self._names_of(columns, selection, stored), stored)
            plan = ScanPlan(self._pool, names, self._layout, stored, selection, order)
            pages = plan.pages(shape, key, limit)
            if plan.is_short(shape, limit):  # in the same read transaction
                pages = itertools.chain(list(itertools.islice(pages, 1)), pages)
        return Scan(shape.schema, pages, selection, order)

    def get(self, alert_id: int, survey: str, columns: Sequence[str] | None = None) -> pa.Table:
        """One alert from the archive as a table of one row; NotFound if there is no such alert or column."""
        stored = self._stored()
        for name in columns or ():
            if name not in stored.declared:
                raise NotFound(f"no column '{name}' in {self._layout.root}")

        def read() -> tuple[pa.Table, dict[str, str]]:
            with self._pool.lease():
                found = find_locations(self._pool, self._layout, _ONE, (alert_id, survey))
                makers = self.provenance(alert_id, survey)
            return read_alert(found[0], columns), makers

        table, makers = while_moving(read)
        found = dict(zip(table.column_names, table.columns, strict=True))
        names = [*found] if columns is None else list(columns)
        arrays = {name: found.get(name) for name in names}
        fields = [_field(stored, name, arrays[name], makers.get(name, "")) for name in names]
        values = [pa.nulls(1, f.type) if arrays[f.name] is None else arrays[f.name] for f in fields]
        return pa.table(values, schema=pa.schema(fields))

    def provenance(self, alert_id: int, survey: str) -> dict[str, str]:
        """Column -> module@version for the values added to this alert; NotFound if there is no such alert."""
        sql = f"SELECT {MAKERS_SQL} FROM alerts a JOIN segments p ON p._id = a._segment"
        found = self._pool.execute(f"{sql} WHERE {_ONE}", (alert_id, survey))
        return newest_makers(found[0]) if found else no_alert(self._layout, alert_id, survey)

    def schema(self) -> pa.Schema:
        """Every stored column with type, unit, UCD, doc, maker, and whether it is indexed and aggregated."""
        return self._stored().schema

    def _stored(self) -> StoredColumns:
        with self._pool.lease() as connection:
            return self._columns.read(connection)

    def _names_of(self, columns: Sequence[str] | None, selection: Selection, stored: StoredColumns) -> tuple[str, ...]:
        if columns is None:
            return stored.defaults if selection.cone is None else (*stored.defaults, SEPARATION)
        names = tuple(dict.fromkeys(columns))
        if SEPARATION in names and selection.cone is None:
            raise UsageError(f"the column '{SEPARATION}' needs a cone")
        return names


def _field(stored: StoredColumns, name: str, values: pa.ChunkedArray | None, maker: str) -> pa.Field:
    """The stored field with the type that this alert has, and the maker of its value."""
    field = stored.field(name)
    kind = field.type if values is None else values.type
    return field.with_type(kind).with_metadata({**(field.metadata or {}), b"by": maker.encode()})
