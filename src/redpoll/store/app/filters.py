"""Saved filters in ``app.sqlite``: expressions by topic, every version kept."""

from __future__ import annotations

import pyarrow as pa

from redpoll.errors import NotFound, UsageError
from redpoll.schema.names import COLUMN_NAME
from redpoll.store.app import columns, texts
from redpoll.store.app.connection import AppConnections, now

_SELECT = f"SELECT {', '.join(columns.FILTERS.names)} FROM filter_versions v JOIN filters USING (topic)"


class FilterTable:
    """The port SavedFilters on the embedded store."""

    def __init__(self, connections: AppConnections) -> None:
        self._connections = connections

    def save(self, topic: str, expression: str, *, by: str) -> int:
        """Add a version and make its topic active; returns the version. The first to save a topic owns it.

        The caller parses the expression before: the store keeps any text.

        Raises
        ------
        UsageError
            If the topic is not small letters, digits and underscores, or the expression is empty or too long.
        """
        if not isinstance(topic, str) or not COLUMN_NAME.fullmatch(topic):
            raise UsageError(f"topic {topic!r}: a topic is small letters, digits and underscores, at most 63")
        texts.text(expression, "expression", longest=10_000), texts.name(by, "by")
        with self._connections.transaction() as connection:
            sql = "INSERT INTO filters VALUES (?, ?, 1) ON CONFLICT (topic) DO UPDATE SET active = 1"
            connection.execute(sql, (topic, by))
            sql = "SELECT ifnull(max(version), 0) + 1 FROM filter_versions WHERE topic = ?"
            (version,) = connection.execute(sql, (topic,)).fetchone()
            row = (topic, version, expression, now(), by)
            connection.execute("INSERT INTO filter_versions VALUES (?, ?, ?, ?, ?)", row)
            return int(version)

    def set_active(self, topic: str, active: bool) -> None:
        """Switch a topic on or off; NotFound if there is none."""
        with self._connections.transaction() as connection:
            done = connection.execute("UPDATE filters SET active = ? WHERE topic = ?", (int(active), topic))
            if not done.rowcount:
                raise NotFound(f"no saved filter has the topic {topic!r}")

    def table(self, *, active: bool | None = None) -> pa.Table:
        """The newest version of each topic, by topic; of active or inactive ones alone if given."""
        newest = "version = (SELECT max(version) FROM filter_versions n WHERE n.topic = v.topic)"
        sql = f"{_SELECT} WHERE {newest} AND ifnull(active = ?, 1) ORDER BY topic"
        return columns.table(columns.FILTERS, self._connections.rows(sql, (None if active is None else int(active),)))

    def versions(self, topic: str) -> pa.Table:
        """Every version of a topic, newest last; NotFound if there is none."""
        rows = self._connections.rows(f"{_SELECT} WHERE topic = ? ORDER BY version", (topic,))
        if not rows:
            raise NotFound(f"no saved filter has the topic {topic!r}")
        return columns.table(columns.FILTERS, rows)
