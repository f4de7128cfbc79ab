"""The model registry: files named by their SHA-256 in the folder ``models``, and rows in ``app.sqlite``."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from uuid import uuid4

import pyarrow as pa

from redpoll.errors import NotFound, StoreError, UsageError
from redpoll.store.app import columns, texts
from redpoll.store.app.connection import AppConnections, now
from redpoll.store.app.ports import NewModel, Validator
from redpoll.store.layout import TEMPORARY, Layout, disk_errors, sync

_NAMES = ", ".join(columns.MODELS.names)
_NAMES_OF_M = ", ".join(f"m.{name}" for name in columns.MODELS.names)
_CHANGE = "INSERT INTO promotions (name, version, action, at, by) VALUES (?, ?, ?, ?, ?)"


class ModelTable:
    """The ports ServedModels and ModelRegistry on the embedded store."""

    def __init__(self, connections: AppConnections, layout: Layout) -> None:
        self._connections, self._layout = connections, layout

    def register(self, model: NewModel, validate: Validator) -> str:
        """Add a version as candidate and return the SHA-256 of its file.

        The file is written and synced before its row, so that every row has its file. Whatever `validate` raises
        passes through, and nothing is kept.

        Raises
        ------
        UsageError
            If the name or version is no name, or the card is not JSON.
        StoreError
            If this version exists already with another file or card, or the disk is full.
        """
        texts.name(model.name, "model"), texts.name(model.version, "version"), texts.name(model.by, "by")
        card = _card(model)
        validate(model.data)
        sha256 = self._write(model.data)
        row = (model.name, model.version, "candidate", sha256, len(model.data), card, now(), model.by)
        with self._connections.transaction() as connection:
            sql = "SELECT sha256, card FROM models WHERE name = ? AND version = ?"
            found = connection.execute(sql, row[:2]).fetchone()
            if found is None:
                connection.execute(f"INSERT INTO models ({_NAMES}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
            elif found != (sha256, card):
                raise StoreError(f"version {model.version} of {model.name} is registered already: choose another")
        return sha256

    def promote(self, name: str, version: str, *, by: str) -> int:
        """Make a version the champion, and retire the one before; returns the generation, unchanged if it was already.

        Raises
        ------
        NotFound
            If there is no such version.
        """
        texts.name(by, "by")
        with self._connections.transaction() as connection:
            sql = "SELECT stage, sha256 FROM models WHERE name = ? AND version = ?"
            found = connection.execute(sql, (name, version)).fetchone()
            if found is None:
                raise NotFound(f"no version {version!r} of model {name!r}")
            if found[0] == "champion":
                return _generation(connection)
            return _change(connection, name, version, "promote", by)

    def rollback(self, name: str, *, by: str) -> int:
        """Make the champion of before the last promotion the champion again; returns the new generation.

        A second rollback goes one promotion further back. A rollback after `retire` brings the retired version back.

        Raises
        ------
        StoreError
            If there is no earlier champion.
        """
        texts.name(by, "by")
        with self._connections.transaction() as connection:
            sql = "SELECT version, action FROM promotions WHERE name = ? ORDER BY generation"
            earlier = _earlier(connection.execute(sql, (name,)).fetchall())
            if earlier is None:
                raise StoreError(f"model {name!r} has no earlier champion to go back to")
            return _change(connection, name, earlier, "rollback", by)

    def retire(self, name: str, *, by: str) -> int:
        """Leave a model without a champion, so that nothing scores alerts by it; returns the new generation.

        Raises
        ------
        StoreError
            If it has no champion.
        """
        texts.name(by, "by")
        with self._connections.transaction() as connection:
            sql = "SELECT version FROM models WHERE name = ? AND stage = 'champion'"
            found = connection.execute(sql, (name,)).fetchone()
            if found is None:
                raise StoreError(f"model {name!r} has no champion to retire")
            return _change(connection, name, found[0], "retire", by)

    def versions(self, name: str | None = None) -> pa.Table:
        """Every version with its stage and card, newest last."""
        sql = f"SELECT {_NAMES} FROM models WHERE ifnull(name = ?, 1) ORDER BY created, rowid"
        return columns.table(columns.MODELS, self._connections.rows(sql, (name,)))

    def promotions(self, name: str | None = None) -> pa.Table:
        """Every promotion, rollback and retirement, newest last."""
        sql = f"SELECT {', '.join(columns.PROMOTIONS.names)} FROM promotions WHERE ifnull(name = ?, 1)"
        return columns.table(columns.PROMOTIONS, self._connections.rows(sql + " ORDER BY generation", (name,)))

    def generation(self) -> int:
        """A number that grows with every promotion, rollback and retirement; 0 before the first."""
        return int(self._connections.rows("SELECT ifnull(max(generation), 0) FROM promotions")[0][0])

    def champions(self, generation: int | None = None) -> pa.Table:
        """The version of each model in use now or in a generation, by name; its stage is that of now."""
        newest = "SELECT max(generation) FROM promotions WHERE ifnull(generation <= ?, 1) GROUP BY name"
        sql = f"SELECT {_NAMES_OF_M} FROM models m JOIN promotions p USING (name, version)"
        sql += f" WHERE p.generation IN ({newest}) AND p.action <> 'retire' ORDER BY name"
        return columns.table(columns.MODELS, self._connections.rows(sql, (generation,)))

    def chosen(self, generation: int | None = None) -> frozenset[str]:
        """Names of the models that somebody has promoted or retired until now, or until a generation."""
        sql = "SELECT DISTINCT name FROM promotions WHERE ifnull(generation <= ?, 1)"
        return frozenset(name for (name,) in self._connections.rows(sql, (generation,)))

    def read(self, sha256: str) -> bytes:
        """The file of a model.

        Raises
        ------
        NotFound
            If no version has this file.
        StoreError
            If the file is gone or its bytes changed.
        """
        if not self._connections.rows("SELECT 1 FROM models WHERE sha256 = ?", (sha256,)):
            raise NotFound(f"no model has a file {sha256!r}")
        path = self._layout.models / sha256
        with disk_errors(f"cannot read {path}"):
            data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != sha256:
            raise StoreError(f"{path} was changed after it was registered: restore it, or register the model again")
        return data

    def _write(self, data: bytes) -> str:
        sha256 = hashlib.sha256(data).hexdigest()
        path = self._layout.models / sha256
        with disk_errors(f"cannot write {path}"):
            if path.exists() and path.read_bytes() == data:
                return sha256
            self._layout.models.mkdir(exist_ok=True)
            fresh = path.with_name(f"{TEMPORARY}{uuid4().hex}")
            try:
                with fresh.open("wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                fresh.rename(path)
            finally:
                fresh.unlink(missing_ok=True)
            sync(self._layout.models)
            sync(self._layout.root)
        return sha256


def _card(model: NewModel) -> str:
    try:
        return json.dumps(dict(model.card), sort_keys=True, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"the card of {model.name} cannot be written as JSON: {error}") from error


def _earlier(changes: list[tuple[str, str]]) -> str | None:
    """The version that a rollback leads to, from the versions and actions of before; None if there is none."""
    champions, is_retired = ["", ""], False
    for version, action in changes:
        if action == "promote":
            champions.append(version)
        elif action == "rollback" and not is_retired:
            champions.pop()
        is_retired = action == "retire"
    return champions[-1 if is_retired else -2] or None


def _change(connection: sqlite3.Connection, name: str, version: str, action: str, by: str) -> int:
    connection.execute("UPDATE models SET stage = 'retired' WHERE name = ? AND stage = 'champion'", (name,))
    if action != "retire":
        connection.execute("UPDATE models SET stage = 'champion' WHERE name = ? AND version = ?", (name, version))
    connection.execute(_CHANGE, (name, version, action, now(), by))
    return _generation(connection)


def _generation(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT ifnull(max(generation), 0) FROM promotions").fetchone()[0])
