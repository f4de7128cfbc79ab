"""Candidates as lines of JSON in a file, for scripts that follow it."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import pyarrow as pa

from redpoll.errors import UsageError

_IDS = ("alert_id", "hpx29")


class JsonLines:
    """Appends every alert that passed a filter to a file, one JSON object a line; ids are strings, null is null.

    An alert is written once: what the file holds already is left out, so that a rerun after a crash doubles nothing.

    Parameters
    ----------
    path
        The file; made if it is new.

    Raises
    ------
    UsageError
        If the file cannot be opened, or holds something else.
    """

    def __init__(self, path: str) -> None:
        self.name = f"json_lines:{path}"
        self._path, self._waiting = Path(path), list[str]()
        try:
            self._written = _written(self._path)
            self._path.touch()
        except (OSError, ValueError, KeyError) as error:
            raise UsageError(f"sink json_lines: {path} cannot be used: {error}") from error

    def write(self, batch: pa.RecordBatch) -> None:
        """Take the candidates of a batch that are not in the file yet."""
        topics = [name for name in batch.schema.names if name.startswith("pass_")]
        for row in batch.to_pylist():
            tags = [name.removeprefix("pass_") for name in topics if row[name]]
            key = (row["survey"], str(row["alert_id"]))
            if tags and key not in self._written:
                self._written.add(key)
                facts = {name: _plain(name, value) for name, value in row.items() if name not in topics}
                self._waiting.append(json.dumps(facts | {"topics": tags}) + "\n")

    def flush(self) -> None:
        """Return once everything is on disk."""
        with self._path.open("a", encoding="utf-8") as file:
            file.writelines(self._waiting)
            file.flush()
            os.fsync(file.fileno())
        self._waiting.clear()


def _written(path: Path) -> set[tuple[str, str]]:
    """Survey and id of the alerts in the file; a last line that a crash cut short is taken off."""
    if not path.exists():
        return set()
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if len(whole) < len(data):
        with path.open("r+b") as file:
            file.truncate(len(whole))
    rows = [json.loads(line) for line in whole.splitlines()]
    return {(row["survey"], row["alert_id"]) for row in rows}


def _plain(name: str, value: Any) -> Any:
    if name in _IDS and value is not None:
        return str(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value
