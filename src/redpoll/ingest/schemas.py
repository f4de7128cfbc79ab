"""Lookup of writer schemas of Confluent-framed packets: in folders, built-in schemas and a registry."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from redpoll.errors import SourceError
from redpoll.ingest.schema_folder import SchemaFolder
from redpoll.ingest.unknown_schema import UnknownSchema
from redpoll.schema.packet_schemas import confluent_schema


class SchemaLookup(Protocol):
    """Lookup of writer schemas by the id in a packet's frame."""

    def schema(self, schema_id: int) -> str:
        """Self-contained schema as JSON text.

        Raises
        ------
        UnknownSchema
            If there is no schema with this id: the packet cannot be used.
        SourceError
            If the schema cannot be looked up now: the packet may be used later.
        """
        ...


class BuiltIn:
    """The survey schemas built into Redpoll."""

    def schema(self, schema_id: int) -> str:
        """Schema of Rubin packets with this id, which is major * 100 + minor."""
        known = confluent_schema(schema_id)
        if known is None:
            raise UnknownSchema(schema_id, "Redpoll's own")
        return json.dumps(known)


class SchemaChain:
    """Lookups tried in order; found schemas are cached.

    >>> json.loads(SchemaChain(BuiltIn()).schema(900))["name"]
    'lsst.v9_0.alert'
    """

    def __init__(self, *lookups: SchemaLookup) -> None:
        self._lookups = lookups
        self._known: dict[int, str] = {}

    def schema(self, schema_id: int) -> str:
        """The first schema found; if none, SourceError if a lookup failed, else UnknownSchema."""
        if schema_id not in self._known:
            self._known[schema_id] = self._first(schema_id)
        return self._known[schema_id]

    def _first(self, schema_id: int) -> str:
        searched: list[str] = []
        failed: SourceError | None = None
        for lookup in self._lookups:
            try:
                return lookup.schema(schema_id)
            except UnknownSchema as error:
                searched.append(error.where)
            except SourceError as error:
                failed = error
        if failed is not None:
            raise failed
        raise UnknownSchema(schema_id, *searched)


@dataclass(frozen=True)
class SchemaLocations:
    """Folders and registry of schemas, as plain data from which each worker process makes its own lookup.

    Parameters
    ----------
    folders
        Folders of ``.avsc`` files (see `SchemaFolder`), tried first.
    registry
        Base URL of a schema registry, tried last. A user and password come from
        the URL or from the environment, ``REDPOLL_SCHEMA_REGISTRY_USER`` and ``REDPOLL_SCHEMA_REGISTRY_PASSWORD``.

    Examples
    --------
    >>> json.loads(SchemaLocations().lookup().schema(1000))["name"]
    'lsst.v10_0.alert'
    """

    folders: tuple[str, ...] = ()
    registry: str | None = field(default=None, repr=False)

    def lookup(self) -> SchemaLookup:
        """A lookup in all of them; SchemaError or SourceError if a folder or the URL cannot be used."""
        lookups: list[SchemaLookup] = [SchemaFolder(Path(folder)) for folder in self.folders]
        lookups.append(BuiltIn())
        if self.registry:
            user = os.environ.get("REDPOLL_SCHEMA_REGISTRY_USER")
            password = os.environ.get("REDPOLL_SCHEMA_REGISTRY_PASSWORD", "")
            from redpoll.ingest.registry import Registry  # imports an HTTP client, which few runs need

            lookups.append(Registry(self.registry, auth=(user, password) if user else None))
        return SchemaChain(*lookups)
