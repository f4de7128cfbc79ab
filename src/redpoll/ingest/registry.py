"""Client of a Confluent schema registry, with a cache."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import httpx

from redpoll.errors import RedpollError, SchemaError, SourceError
from redpoll.ingest.named_types import self_contained
from redpoll.ingest.unknown_schema import UnknownSchema
from redpoll.web.bounded_get import HttpResponse, bounded_get, parse_address

log = logging.getLogger(__name__)

MAX_ANSWER_BYTES = 8 << 20
_MAX_REFERENCES = 100
_WAITS = (0.5, 1.0, 2.0)
_EVERY_ID = -1


class RegistryFailed(SourceError):
    """The registry cannot be reached, or the server is not a schema registry."""


class Registry:
    """Schemas by id from ``GET URL/schemas/ids/ID``, with their references.

    Schemas are cached. Failures (unknown id, unreachable registry) are cached for `retry_after` seconds, so that each
    packet of a stream does not wait for a new attempt.

    Parameters
    ----------
    url
        Base URL; its user and password are used and never shown.
    auth
        User and password, instead of those in the URL.
    timeout
        Maximum seconds for one response.
    """

    def __init__(
        self,
        url: str,
        *,
        auth: tuple[str, str] | None = None,
        timeout: float = 10.0,
        retry_after: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        address = parse_address(url, "the schema registry")
        self.name, self._auth = address.url, auth or address.auth
        self._timeout, self._retry_after = timeout, retry_after
        self._clock, self._sleep = clock, sleep
        self._known: dict[int, str] = {}
        self._refused: dict[int, tuple[float, RedpollError]] = {}

    def schema(self, schema_id: int) -> str:
        """Self-contained schema as JSON text.

        Raises
        ------
        UnknownSchema
            If the registry has no schema with this id.
        SchemaError
            If the entry is not an Avro schema.
        RegistryFailed
            If it does not respond, denies access, or is not a schema registry.
        """
        if schema_id in self._known:
            return self._known[schema_id]
        self._raise_again(schema_id)
        try:
            self._known[schema_id] = self._fetch(schema_id)
        except RedpollError as error:
            key = _EVERY_ID if isinstance(error, RegistryFailed) else schema_id
            self._refused[key] = (self._clock() + self._retry_after, error)
            raise
        log.info("schema %d fetched from %s", schema_id, self.name)
        return self._known[schema_id]

    def _raise_again(self, schema_id: int) -> None:
        for key in (schema_id, _EVERY_ID):
            if key in self._refused and self._clock() < self._refused[key][0]:
                raise self._refused[key][1].with_traceback(None)

    def _fetch(self, schema_id: int) -> str:
        with httpx.Client(auth=self._auth, headers={"Accept": "application/json"}) as client:
            entry = self._entry(client, f"/schemas/ids/{schema_id}")
            if entry is None:
                raise UnknownSchema(schema_id, self.name)
            what = f"schema {schema_id} of {self.name}"
            references: dict[str, str] = {}
            self._add_references(client, entry, references, what)
            return self_contained(entry["schema"], references.get, what)

    def _add_references(self, client: httpx.Client, entry: Mapping[str, Any], found: dict[str, str], what: str) -> None:
        for reference in entry.get("references") or []:
            try:
                name, subject, version = (str(reference[key]) for key in ("name", "subject", "version"))
            except (TypeError, KeyError) as error:
                raise SchemaError(f"{what}: a reference without name, subject and version") from error
            if name in found:
                continue
            inner = self._entry(client, f"/subjects/{quote(subject, safe='')}/versions/{quote(version, safe='')}")
            if inner is None or len(found) >= _MAX_REFERENCES:
                raise SchemaError(f"{what}: its reference '{name}' does not exist, or it has too many")
            found[name] = inner["schema"]
            self._add_references(client, inner, found, what)

    def _entry(self, client: httpx.Client, path: str) -> Mapping[str, Any] | None:
        """An entry of the registry; None if it does not exist."""
        answer = self._response(client, path)
        content = _json(answer)
        if answer.status == 404 and "error_code" in content:
            return None
        if answer.status in (401, 403):
            raise RegistryFailed(
                f"{self.name}: access refused ({answer.status}); set REDPOLL_SCHEMA_REGISTRY_USER and _PASSWORD"
            )
        if answer.status != 200 or not isinstance(content.get("schema"), str):
            kind = answer.kind or "an unknown kind of text"
            raise RegistryFailed(f"{self.name}{path}: status {answer.status} with {kind}, not a schema; check the URL")
        if content.get("schemaType", "AVRO") != "AVRO":
            raise SchemaError(f"{self.name}{path}: a {str(content['schemaType'])[:20]} schema; packets are Avro")
        return content

    def _response(self, client: httpx.Client, path: str) -> HttpResponse:
        """The response, with retries while the registry cannot be reached."""
        problem = ""
        for wait in (*_WAITS, None):
            try:
                answer = bounded_get(client, self.name + path, seconds=self._timeout, max_bytes=MAX_ANSWER_BYTES)
            except httpx.HTTPError as error:
                problem = f"{type(error).__name__}: {error}"
            else:
                if answer.status < 500 and answer.status != 429:
                    return answer
                problem = f"status {answer.status}"
            if wait is not None:
                self._sleep(wait)
        raise RegistryFailed(f"{self.name}: no answer after {len(_WAITS) + 1} tries ({problem}); check network and URL")


def _json(answer: HttpResponse) -> Mapping[str, Any]:
    try:
        content = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
