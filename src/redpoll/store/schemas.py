"""The numbered schemas of a store's SQLite files, and the steps that take a file from one number to the next."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from redpoll.errors import StoreError

Step = Callable[[sqlite3.Connection], None]
"""Changes an open database inside the transaction of its caller; it neither begins nor commits one."""
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Schema:
    """The shape of one SQLite file of a store.

    ``application`` marks the file as this one (SQLite's application_id), ``number`` is the current shape (its
    user_version), ``scripts`` create it, and ``steps[n]`` takes a file of number n to number n + 1.
    """

    name: str
    application: int
    number: int
    scripts: tuple[Path, ...]
    steps: Mapping[int, Step] = field(default_factory=dict)

    def create(self, connection: sqlite3.Connection) -> None:
        """Create all tables and set both marks inside the open transaction."""
        for script in self.scripts:
            run_script(connection, script)
        connection.execute(f"PRAGMA application_id = {self.application}")
        connection.execute(f"PRAGMA user_version = {self.number}")

    def steps_from(self, number: int) -> list[tuple[int, Step]]:
        """The steps from a number to the current one, each with the number that it leads to.

        Raises
        ------
        StoreError
            If a step is missing, because no Redpoll ever made that number or it is no longer supported.
        """
        missing = [n for n in range(number, self.number) if n not in self.steps]
        if missing:
            raise StoreError(
                f"no way leads from number {missing[0]} of the {self.name} to number {self.number}: "
                "`redpoll store rebuild` makes a new index from the archive"
            )
        return [(n + 1, self.steps[n]) for n in range(number, self.number)]


def run_script(connection: sqlite3.Connection, script: Path) -> None:
    """Run the statements of an SQL file inside the open transaction."""
    for statement in script.read_text().split(";\n"):
        if statement.strip():
            connection.execute(statement)


def sql_step(script: Path) -> Step:
    """The step that runs an SQL file."""
    return partial(run_script, script=script)


_INDEX = tuple(_HERE / f"{name}.sql" for name in ("index", "index_keys", "histories"))
SCHEMAS: dict[str, Schema] = {
    "index": Schema(
        "index", 0x5250_4F4C, 1, tuple(_HERE / f"{name}.sql" for name in ("index", "index_keys", "histories"))
    ),
    "dead_letters": Schema("dead letters", 0x5250_444C, 1, (_HERE / "dead_letters.sql",)),
    "app": Schema("app", 0x5250_4150, 1, (_HERE / "app" / "app.sql",)),
    "anomalies": Schema("anomaly models", 0x5250_414E, 1, (_HERE / "app" / "anomalies.sql",)),
}
"""Every numbered SQLite file of a store; a new number gets its step here (`sql_step` or a function), and its test."""
