"""Candidates as lines of JSON in files, for scripts that follow them."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import Any

import numpy as np
import pyarrow as pa

from redpoll.errors import SinkError, UsageError
from redpoll.plugin.ports import Message
from redpoll.schema.names import PASS

_IDS = ("alert_id", "hpx29")
_FIELDS = ("topic", "night", "survey")
_START = b'{"survey": "'
_MAX_LINE = 16 << 20


@dataclass(frozen=True)
class JsonLines:
    """Appends every alert that passed a filter to a file, one JSON object a line; ids are strings, null is null.

    A line holds the alert's scalars, its ``classes``, and ``topics``, the filters it passed. An alert is written once
    to a file: what the file holds already is left out, so that a rerun after a crash doubles nothing.

    Parameters
    ----------
    path
        The file, made if it is new; ``{topic}``, ``{night}`` and ``{survey}`` in it make one file for each.
    topics
        Only alerts that passed one of these filters; by default of any.

    Raises
    ------
    UsageError
        If the path names another field.
    """

    path: str
    topics: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.path, str):
            raise UsageError(f"sink json_lines: path: expected a text, got {self.path!r:.80}")
        try:
            parts = [part for part in Formatter().parse(self.path) if part[1] is not None]
        except ValueError as error:
            raise UsageError(f"sink json_lines: path '{self.path}': {error}; write {{{{ for a brace") from error
        if not isinstance(self.topics, list | tuple) or not all(isinstance(topic, str) for topic in self.topics):
            raise UsageError('sink json_lines: topics: expected a list such as ["fast_risers"]')
        if not self.path:
            raise UsageError('sink json_lines: path is empty: name a file, such as "candidates-{topic}.jsonl"')
        if any(name not in _FIELDS or form or how for _, name, form, how in parts):
            known = ", ".join(f"{{{name}}}" for name in _FIELDS)
            raise UsageError(f"sink json_lines: path '{self.path}': it may hold {known} and no other field")

    @property
    def name(self) -> str:
        """The kind of sink and its path."""
        return f"json_lines:{self.path}"

    def encode(self, batch: pa.RecordBatch) -> list[Message]:
        """One message for each alert and file; its topic is the file."""
        passed = {name: batch[name].to_numpy(zero_copy_only=False).astype(bool) for name in self._columns(batch)}
        rows: Sequence[int] = np.flatnonzero(np.any(list(passed.values()), axis=0)).tolist() if passed else []
        facts = [name for name in batch.schema.names if _is_fact(batch.schema.field(name))]
        messages: list[Message] = []
        for row in rows:
            alert = batch.slice(row, 1).select(facts).to_pylist()[0]
            topics = [name.removeprefix(PASS) for name, column in passed.items() if column[row]]
            line = json.dumps({name: _plain(name, value) for name, value in alert.items()} | {"topics": topics}) + "\n"
            for path in self._paths(alert, topics):
                key = f"{alert['survey']}:{alert['alert_id']}:{path}"
                messages.append({"key": key, "topic": path, "payload": line.encode()})
        return messages

    def open(self) -> JsonLinesSender:
        """A sender; UsageError if the path has no fields and its file cannot be used."""
        sender = JsonLinesSender()
        if self.path == self.path.format(topic="", night="", survey=""):
            try:
                sender.open_file(self.path)
            except SinkError as error:
                raise UsageError(str(error)) from error
        return sender

    def _columns(self, batch: pa.RecordBatch) -> list[str]:
        wanted = {PASS + topic for topic in self.topics}
        return [n for n in batch.schema.names if n.startswith(PASS) and (not wanted or n in wanted)]

    def _paths(self, alert: dict[str, Any], topics: Sequence[str]) -> Iterator[str]:
        """The files of an alert, each once."""
        night, survey = alert.get("night"), alert["survey"]
        yield from dict.fromkeys(self.path.format(topic=topic, night=night, survey=survey) for topic in topics)


class JsonLinesSender:
    """Appends lines to files, except for alerts that they already contain."""

    def __init__(self) -> None:
        self._written: dict[str, set[tuple[str, str]]] = {}
        self._waiting: dict[str, list[bytes]] = {}

    def open_file(self, path: str) -> None:
        """Read which alerts a file holds; SinkError if it cannot be used or holds something else."""
        try:
            self._written[path] = _written(Path(path))
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).touch()
        except OSError as error:
            raise SinkError(f"sink json_lines: {path} cannot be used: {error.strerror or error}") from error
        except (UnicodeDecodeError, KeyError, TypeError, RecursionError) as error:
            raise SinkError(f"sink json_lines: {path} cannot be used: it holds no alerts; name another file") from error
        except ValueError as error:
            raise SinkError(f"sink json_lines: {path} cannot be used: {error}") from error

    def send(self, messages: Sequence[Message]) -> None:
        """Take the lines that their files do not hold yet."""
        for message in messages:
            path = message["topic"]
            if path not in self._written:
                self.open_file(path)
            survey, alert_id, _ = message["key"].split(":", 2)
            if (survey, alert_id) not in self._written[path]:
                self._written[path].add((survey, alert_id))
                self._waiting.setdefault(path, []).append(message["payload"])

    def flush(self) -> None:
        """Return once everything is on disk; SinkError if the disk does not take it."""
        for path in list(self._waiting):
            try:
                with Path(path).open("ab") as file:
                    file.writelines(self._waiting[path])
                    file.flush()
                    os.fsync(file.fileno())
            except OSError as error:
                raise SinkError(f"sink json_lines: {path} cannot be written: {error.strerror}") from error
            del self._waiting[path]

    def close(self) -> None:
        """Discard lines that were not flushed."""
        self._waiting.clear()
        self._written.clear()


def _written(path: Path) -> set[tuple[str, str]]:
    """Survey and id of the alerts in the file; a last line that a crash cut short is cut off."""
    if not path.exists():
        return set()
    if not path.is_file():
        raise ValueError("it is no regular file")
    found: set[tuple[str, str]] = set()
    complete = 0
    with path.open("rb") as file:
        while (line := file.readline(_MAX_LINE)).endswith(b"\n"):
            row = json.loads(line)
            found.add((row["survey"], row["alert_id"]))
            complete += len(line)
    if line:
        if len(line) == _MAX_LINE or not line.startswith(_START[: len(line)]):
            raise ValueError(f"it holds something else after {complete:,} bytes: name another file")
        with path.open("r+b") as file:
            file.truncate(complete)
    return found


def _is_fact(field: pa.Field) -> bool:
    """Whether a column stands in a line: a scalar that is no filter's, or ``classes``."""
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    is_scalar = not pa.types.is_nested(kind) and not _is_binary(kind)
    return (is_scalar and not field.name.startswith(PASS)) or field.name == "classes"


def _is_binary(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or kind == pa.binary_view())


def _plain(name: str, value: Any) -> Any:
    if name in _IDS and value is not None:
        return str(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value
