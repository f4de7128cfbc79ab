"""Watchlists in ``app.sqlite``: named lists of positions, each with a radius."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from redpoll.errors import NotFound, UsageError
from redpoll.store.app import columns, texts
from redpoll.store.app.connection import AppConnections, now

_MAX_RADIUS = 3600.0
_RANGES = {"ra": (0.0, 360.0), "dec": (-90.0, 90.0), "radius_arcsec": (0.0, _MAX_RADIUS)}


class WatchlistTable:
    """The port Watchlists on the embedded store."""

    def __init__(self, connections: AppConnections) -> None:
        self._connections = connections

    def save(self, name: str, positions: pa.Table, *, by: str) -> None:
        """Store a list in place of one of the same name.

        Parameters
        ----------
        name
            Name of the list.
        positions
            Columns ra and dec in degrees (ICRS), radius_arcsec up to 3600, and label, which may be left out.
        by
            Who saves it; the first to save a list owns it.

        Raises
        ------
        UsageError
            If a column is missing, or a value is null or out of range; the message names the row.
        """
        texts.name(name, "watchlist"), texts.name(by, "by")
        rows = _rows(positions)
        with self._connections.transaction() as connection:
            sql = """INSERT INTO watchlists (name, owner, changed) VALUES (?, ?, ?)
                ON CONFLICT (name) DO UPDATE SET changed = excluded.changed RETURNING watchlist_id"""
            (number,) = connection.execute(sql, (name, by, now())).fetchone()
            connection.execute("DELETE FROM watchlist_positions WHERE watchlist_id = ?", (number,))
            sql = "INSERT INTO watchlist_positions VALUES (?, ?, ?, ?, ?, ?)"
            connection.executemany(sql, ((number, i, *row) for i, row in enumerate(rows)))

    def read(self, name: str) -> pa.Table:
        """The positions of a list in their order; NotFound if there is none."""
        sql = "SELECT label, ra, dec, radius_arcsec FROM watchlist_positions WHERE watchlist_id = ? ORDER BY row"
        rows = self._connections.rows(sql, (self._number(name),))
        return columns.table(columns.POSITIONS, rows)

    def table(self) -> pa.Table:
        """Name, owner, time of the last change and number of positions of each list, by name."""
        sql = """SELECT name, owner, changed,
            (SELECT count(*) FROM watchlist_positions p WHERE p.watchlist_id = w.watchlist_id)
            FROM watchlists w ORDER BY name"""
        return columns.table(columns.WATCHLISTS, self._connections.rows(sql))

    def remove(self, name: str) -> None:
        """Remove a list; NotFound if there is none."""
        number = self._number(name)
        with self._connections.transaction() as connection:
            connection.execute("DELETE FROM watchlists WHERE watchlist_id = ?", (number,))

    def _number(self, name: str) -> int:
        found = self._connections.rows("SELECT watchlist_id FROM watchlists WHERE name = ?", (name,))
        if not found:
            raise NotFound(f"no watchlist {name!r}")
        return int(found[0][0])


def _rows(positions: pa.Table) -> list[tuple[Any, ...]]:
    missing = [name for name in _RANGES if name not in positions.column_names]
    if missing:
        raise UsageError(f"a watchlist needs the columns {', '.join(_RANGES)}; missing: {', '.join(missing)}")
    numbers = [_in_range(positions, name) for name in _RANGES]
    labels = [""] * positions.num_rows
    if "label" in positions.column_names:
        labels = ["" if label is None else str(label) for label in positions["label"].to_pylist()]
    labels = [texts.text(label, f"label of row {i}", longest=300, empty=True) for i, label in enumerate(labels)]
    return list(zip(labels, *numbers, strict=True))


def _in_range(positions: pa.Table, name: str) -> list[float]:
    try:
        values = positions[name].cast(pa.float64()).to_numpy().astype(np.float64)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise UsageError(f"{name} of a watchlist: expected numbers: {error}") from error
    low, high = _RANGES[name]
    good = (values >= low) & (values <= high) & ((name != "radius_arcsec") | (values > 0))
    if not good.all():
        row = int(np.flatnonzero(~good)[0])
        raise UsageError(f"row {row} of a watchlist: {name} is {values[row]}, expected {low:g} to {high:g}")
    return [float(value) for value in values]
