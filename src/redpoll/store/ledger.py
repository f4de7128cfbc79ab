"""What happened to every packet: the ledger, the runs, the topics and the dead letters."""

from __future__ import annotations

from typing import Any, Literal

from redpoll.store.connections import Connections
from redpoll.store.ports import Row

_OUTCOMES = ("stored", "duplicate", "rejected")


class LedgerQueries:
    """The port LedgerReader on the embedded store."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def ledger(self, *, by: Literal["night", "run"] = "night") -> list[Row]:
        """Sums per survey and night, or per survey and run, newest first; nights unknown come last."""
        column = {"night": "night", "run": "run"}[by]
        sql = f"SELECT survey, {column}, outcome, reason, sum(n) FROM ledger GROUP BY 1, 2, 3, 4"
        rows: dict[Any, Row] = {}
        for survey, group, outcome, reason, n in self._connections.execute(f"{sql} ORDER BY 2 DESC, 1, 4"):
            start = {"survey": survey, by: group, "received": 0, **dict.fromkeys(_OUTCOMES, 0), "reasons": {}}
            row = rows.setdefault((survey, group), start)
            row["received"] += n
            row[outcome] += n
            if reason:
                row["reasons"][reason] = row["reasons"].get(reason, 0) + n
        return list(rows.values())

    def runs(self) -> list[Row]:
        """Runs, newest first."""
        names = ("run", "command", "started", "ended", "status")
        found = self._connections.execute(f"SELECT {', '.join(names)} FROM runs ORDER BY run DESC")
        return [dict(zip(names, row, strict=True)) for row in found]

    def topics(self, *, night: int | None = None) -> dict[str, int]:
        """Alerts per topic, over one night or all, by name."""
        return self._counts("topics", "alert_topics WHERE topic", night)

    def classes(self, *, night: int | None = None) -> dict[str, int]:
        """Alerts per class that was said, over one night or all, by name."""
        return self._counts("classes", "alert_classes WHERE class", night)

    def _counts(self, names: str, members: str, night: int | None) -> dict[str, int]:
        where, values = ("", ()) if night is None else (" AND night = ?", (night,))
        counted = f"(SELECT count(*) FROM {members} = {names}._id{where})"
        found = self._connections.execute(f"SELECT name, {counted} AS n FROM {names} ORDER BY name", values)
        return {name: n for name, n in found if n}
