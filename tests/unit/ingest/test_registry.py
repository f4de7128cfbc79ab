"""A schema registry over real sockets: what it says is believed, how it fails is told."""

from __future__ import annotations

import json
import logging

import pytest

from redpoll.errors import SchemaError, SourceError
from redpoll.ingest import registry as module
from redpoll.ingest.registry import Registry, RegistryFailed
from redpoll.ingest.schemas import SchemaLocations
from redpoll.ingest.unknown_schema import UnknownSchema
from redpoll.testing.http import CannedResponse, Request, http_server

UNKNOWN = CannedResponse(
    404, b'{"error_code": 40403, "message": "Schema 7 not found"}', {"Content-Type": "application/json"}
)


def entry(schema: object, **more: object) -> CannedResponse:
    return CannedResponse(200, json.dumps({"schema": json.dumps(schema), **more}).encode())


class Time:
    """A clock and a sleep that pass no time."""

    def __init__(self) -> None:
        self.now, self.slept = 0.0, []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.fixture
def ask():
    """Registry over a server with the given answers by path, the server's requests, and its time."""
    from contextlib import contextmanager

    @contextmanager
    def make(answers, **settings):
        def answer(request: Request) -> CannedResponse:
            found = answers[request.path] if isinstance(answers, dict) else answers
            return found.pop(0) if isinstance(found, list) else found

        time = Time()
        with http_server(answer) as server:
            yield Registry(server.url, clock=time.clock, sleep=time.sleep, **settings), server.requests, time

    return make


def test_a_schema_is_asked_for_once(ask):
    with ask(entry("int")) as (registry, requests, _):
        assert [registry.schema(900), registry.schema(900)] == ['"int"', '"int"']
        assert [r.path for r in requests] == ["/schemas/ids/900"]


def test_references_are_put_in(ask):
    fixed = {"type": "fixed", "name": "a.hash", "size": 4}
    answers = {
        "/schemas/ids/9": entry(
            {"type": "array", "items": "a.hash"}, references=[{"name": "a.hash", "subject": "x/y", "version": 2}]
        ),
        "/subjects/x%2Fy/versions/2": entry(fixed),
    }
    with ask(answers) as (registry, _, _):
        assert json.loads(registry.schema(9)) == {"type": "array", "items": fixed}


def test_references_in_a_circle_end(ask):
    circle = [{"name": "b", "subject": "b", "version": 1}]
    record = {"type": "record", "name": "b", "fields": []}
    with ask(
        {"/schemas/ids/9": entry("b", references=circle), "/subjects/b/versions/1": entry(record, references=circle)}
    ) as (
        registry,
        requests,
        _,
    ):
        assert json.loads(registry.schema(9)) == record
        assert len(requests) == 2


@pytest.mark.parametrize("references", [[{"name": "b"}], [5], [{"name": "b", "subject": "gone", "version": 1}]])
def test_references_that_cannot_be_followed_are_told(ask, references):
    with (
        ask({"/schemas/ids/9": entry("b", references=references), "/subjects/gone/versions/1": UNKNOWN}) as (
            registry,
            _,
            _,
        ),
        pytest.raises(SchemaError, match="reference"),
    ):
        registry.schema(9)


def test_an_unknown_id_is_not_asked_again_for_a_while(ask):
    with ask([UNKNOWN, entry("int")]) as (registry, requests, time):
        for _ in range(3):
            with pytest.raises(UnknownSchema, match="no schema with id 7"):
                registry.schema(7)
        assert len(requests) == 1
        time.now = 61.0
        assert registry.schema(7) == '"int"'


def test_a_failing_server_is_asked_again_with_pauses(ask):
    with ask([CannedResponse(500), CannedResponse(503), CannedResponse(429), entry("int")]) as (
        registry,
        requests,
        time,
    ):
        assert registry.schema(7) == '"int"'
        assert (len(requests), time.slept) == (4, [0.5, 1.0, 2.0])


def test_a_server_that_stays_down_is_left_alone_for_a_while(ask):
    with ask(CannedResponse(500, b"<html>secret stack</html>")) as (registry, requests, _):
        for schema_id in (7, 7, 8):
            with pytest.raises(RegistryFailed, match=r"no answer after 4 tries .status 500.; check network and URL"):
                registry.schema(schema_id)
        assert len(requests) == 4


def test_nobody_there_is_told():
    with http_server(lambda request: UNKNOWN) as server:
        gone = server.url
    with pytest.raises(RegistryFailed, match="no answer after 4 tries"):
        Registry(gone, sleep=lambda seconds: None).schema(7)


@pytest.mark.parametrize(
    "answer",
    [
        CannedResponse(200, b"<html>Sign in</html>", {"Content-Type": "text/html"}),
        CannedResponse(404, b"<html>Not Found</html>", {"Content-Type": "text/html"}),
        CannedResponse(200, b"[1]"),
        CannedResponse(200, b'{"schema": 5}'),
        CannedResponse(200, b"[" * 100_000),
        CannedResponse(302, b"", {"Location": "http://elsewhere.invalid/"}),
        CannedResponse(200, b"\xff\xfe\x00"),
    ],
)
def test_what_is_no_registry_is_told(ask, answer):
    with ask(answer) as (registry, requests, _):
        with pytest.raises(RegistryFailed, match=r"not a schema; check the URL"):
            registry.schema(7)
        assert len(requests) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_refused_access_is_told_with_the_remedy(ask, status):
    with (
        ask(CannedResponse(status)) as (registry, _, _),
        pytest.raises(RegistryFailed, match="set REDPOLL_SCHEMA_REGISTRY_USER"),
    ):
        registry.schema(7)


def test_other_schema_languages_are_told(ask):
    with (
        ask(entry("x", schemaType="PROTOBUF")) as (registry, _, _),
        pytest.raises(SchemaError, match="a PROTOBUF schema"),
    ):
        registry.schema(7)


def test_a_giant_answer_is_not_read_to_its_end(ask, monkeypatch):
    monkeypatch.setattr(module, "MAX_ANSWER_BYTES", 1000)
    with (
        ask(CannedResponse(200, b"x" * 1_000_000)) as (registry, _, _),
        pytest.raises(RegistryFailed, match="more than 1000 bytes"),
    ):
        registry.schema(7)


def test_a_dripping_answer_is_not_waited_for(ask, monkeypatch):
    monkeypatch.setattr(module, "_WAITS", ())
    with (
        ask(CannedResponse(200, b"x" * 50_000, pause=0.02), timeout=0.1) as (registry, _, _),
        pytest.raises(RegistryFailed, match="ReadTimeout"),
    ):
        registry.schema(7)


def test_an_answer_cut_short_is_asked_for_again(ask):
    with ask([CannedResponse(200, b"x" * 1000, cut_after=10), entry("int")]) as (registry, _, time):
        assert (registry.schema(7), time.slept) == ('"int"', [0.5])


def test_user_and_password_are_sent_and_never_shown(monkeypatch, caplog):
    with http_server(lambda request: UNKNOWN) as server, caplog.at_level(logging.DEBUG):
        url = server.url.replace("//", "//me:s3cret@")
        with pytest.raises(UnknownSchema) as caught:
            SchemaLocations(registry=url).lookup().schema(7)
        monkeypatch.setenv("REDPOLL_SCHEMA_REGISTRY_USER", "me")
        monkeypatch.setenv("REDPOLL_SCHEMA_REGISTRY_PASSWORD", "s3cret")
        with pytest.raises(UnknownSchema):
            SchemaLocations(registry=server.url).lookup().schema(7)
    assert [r.headers["authorization"] for r in server.requests] == ["Basic bWU6czNjcmV0"] * 2
    assert "s3cret" not in str(caught.value) + caplog.text


def test_known_ids_are_not_asked_of_the_registry(monkeypatch):
    with http_server(lambda request: UNKNOWN) as server:
        assert SchemaLocations(registry=server.url).lookup().schema(1000)
        assert server.requests == []


@pytest.mark.parametrize("url", ["host:8081", "ftp://me:s3cret@host", "http://", "http://[bad", "http://host:port"])
def test_a_url_that_is_none_is_told_without_its_password(url):
    with pytest.raises(SourceError, match="the URL of the schema registry") as caught:
        Registry(url)
    assert "s3cret" not in str(caught.value)
