"""Personal anomaly models in ``anomalies.sqlite``: base, kind and seed of each, and its owner's labels."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

import pyarrow as pa

from redpoll.errors import NotFound, StoreError, UsageError
from redpoll.schema.names import COLUMN_NAME
from redpoll.store.app import columns, texts
from redpoll.store.app.connection import AppConnections, now
from redpoll.store.app.ports import AnomalyLabel, AnomalyModel, BaseRows

WORDS = ("anomaly", "regular")
"""The labels."""
_MAX_NAME = 63 - len("anomaly_")
"""The column of a model is ``anomaly_<name>``."""
_MODEL = "SELECT name, owner, kind, seed, base, created FROM anomaly_models"
_LABELS = f"SELECT {', '.join(columns.ANOMALY_LABELS.names)} FROM anomaly_labels WHERE model = ?"
_CURRENT = "undoes IS NULL AND label_id NOT IN (SELECT undoes FROM anomaly_labels WHERE undoes IS NOT NULL)"
_INSERT = """INSERT INTO anomaly_labels (model, survey, object_id, alert_id, label, features, added, note, undoes)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING label_id"""


class AnomalyTable:
    """The ports AnomalyModels and AnomalyLabels on the embedded store; a model is open to its owner alone."""

    def __init__(self, connections: AppConnections) -> None:
        self._connections = connections

    def create(self, name: str, base: BaseRows, *, owner: str, kind: str, seed: int) -> None:
        """Add a model; equal bases are kept once.

        Raises
        ------
        UsageError
            If a name is no name.
        StoreError
            If the name is taken, by whomever.
        """
        checked_name(name), texts.name(owner, "user"), texts.name(kind, "kind")
        row = (base.sha256, json.dumps(list(base.features)), base.n_rows, base.data)
        with self._connections.transaction() as connection:
            if connection.execute("SELECT 1 FROM anomaly_models WHERE name = ?", (name,)).fetchone():
                raise StoreError(f"an anomaly model named '{name}' exists: choose another name")
            connection.execute("INSERT OR IGNORE INTO bases VALUES (?, ?, ?, ?)", row)
            made = (name, owner, kind, int(seed), base.sha256, now())
            connection.execute("INSERT INTO anomaly_models VALUES (?, ?, ?, ?, ?, ?)", made)

    def models(self, owner: str) -> list[AnomalyModel]:
        """The models of a user, by name."""
        rows = self._connections.rows(f"{_MODEL} WHERE owner = ? ORDER BY name", (texts.name(owner, "user"),))
        return [AnomalyModel(*row) for row in rows]

    def model(self, name: str, *, owner: str) -> AnomalyModel:
        """A model of a user; NotFound if this user has none of this name, whoever else has."""
        rows = self._connections.rows(f"{_MODEL} WHERE name = ? AND owner = ?", (name, owner))
        if not rows:
            raise _not_found(name, owner)
        return AnomalyModel(*rows[0])

    def base(self, model: AnomalyModel) -> BaseRows:
        """The rows that a model's trees are grown from."""
        sql = "SELECT sha256, features, n_rows, data FROM bases WHERE sha256 = ?"
        rows = self._connections.rows(sql, (model.base,))
        if not rows:
            raise StoreError(f"the base of the anomaly model '{model.name}' is gone: restore anomalies.sqlite")
        sha256, features, n_rows, data = rows[0]
        return BaseRows(sha256, tuple(json.loads(features)), n_rows, data)

    def add(self, name: str, labels: Sequence[AnomalyLabel], *, owner: str) -> list[int]:
        """Add labels of the owner, all or none; returns their numbers.

        Raises
        ------
        NotFound
            If this user has no model of this name.
        UsageError
            If a label is neither anomaly nor regular, or a text is empty or too long.
        """
        rows = [_row(name, label) for label in labels]
        with self._connections.transaction() as connection:
            _require(connection, name, owner)
            return [int(connection.execute(_INSERT, row).fetchone()[0]) for row in rows]

    def undo(self, name: str, *, owner: str) -> int:
        """Undo the owner's newest label that still counts, by a new row; returns the number of the label.

        Raises
        ------
        NotFound
            If this user has no model of this name, or it has no label to undo.
        """
        with self._connections.transaction() as connection:
            _require(connection, name, owner)
            sql = f"""SELECT label_id, survey, object_id, alert_id, label, features FROM anomaly_labels
                WHERE model = ? AND {_CURRENT} ORDER BY label_id DESC LIMIT 1"""
            found = connection.execute(sql, (name,)).fetchone()
            if found is None:
                raise NotFound(f"the anomaly model '{name}' has no label to undo")
            connection.execute(_INSERT, (name, *found[1:], now(), "", found[0]))
            return int(found[0])

    def labels(self, name: str, *, owner: str, current: bool = True) -> pa.Table:
        """The labels of a model in the order of adding; without `current` also those undone, and the rows that undo.

        Raises
        ------
        NotFound
            If this user has no model of this name.
        """
        self.model(name, owner=owner)
        sql = f"{_LABELS} AND {_CURRENT if current else '1'} ORDER BY label_id"
        return columns.table(columns.ANOMALY_LABELS, self._connections.rows(sql, (name,)))


def checked_name(name: str) -> str:
    """The name of an anomaly model, if its column can be named after it; else UsageError.

    >>> checked_name("odd_novae")
    'odd_novae'
    """
    if not isinstance(name, str) or len(name) > _MAX_NAME or not COLUMN_NAME.fullmatch(name):
        raise UsageError(
            f"anomaly model {ascii(name)[:80]}: a name is small letters, digits and underscores, at most {_MAX_NAME}"
        )
    return name


def _require(connection: sqlite3.Connection, name: str, owner: str) -> None:
    row = connection.execute("SELECT 1 FROM anomaly_models WHERE name = ? AND owner = ?", (name, owner)).fetchone()
    if row is None:
        raise _not_found(name, owner)


def _not_found(name: str, owner: str) -> NotFound:
    return NotFound(f"user {ascii(owner)[:80]} has no anomaly model {ascii(name)[:80]}")


def _row(name: str, label: AnomalyLabel) -> tuple[str | int | bytes | None, ...]:
    if label.label not in WORDS:
        raise UsageError(f"label {ascii(label.label)[:80]} of an anomaly: use {' or '.join(WORDS)}")
    if not -(1 << 63) <= label.alert_id < 1 << 63:
        raise UsageError(f"alert_id {label.alert_id} of a label: expected a 64-bit integer")
    return (
        name, texts.name(label.survey, "survey"), texts.text(label.object_id, "object_id", longest=300),
        int(label.alert_id), label.label, label.features, now(),
        texts.text(label.note, "note", longest=4000, empty=True), None,
    )  # fmt: skip
