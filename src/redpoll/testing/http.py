"""Local HTTP server for tests, with scripted responses and failures."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@dataclass(frozen=True)
class Request:
    """A received request; names of headers are lower case."""

    path: str
    headers: Mapping[str, str]
    method: str = "GET"
    body: bytes = b""


@dataclass(frozen=True)
class CannedResponse:
    """A scripted response.

    Parameters
    ----------
    cut_after
        Close the connection after so many bytes of the body, fewer than announced.
    pause
        Seconds to wait before each kilobyte of the body.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_after: int | None = None
    pause: float = 0.0


@dataclass(frozen=True)
class LocalServer:
    """A server at ``url``; ``requests`` lists the received ones."""

    url: str
    requests: list[Request]


@contextmanager
def http_server(answer: Callable[[Request], CannedResponse]) -> Iterator[LocalServer]:
    """A server on a free port of this machine that responds to each GET, POST and DELETE with the result of `answer`.

    >>> import httpx
    >>> with http_server(lambda request: CannedResponse(body=request.path.encode())) as server:
    ...     httpx.get(server.url + "/here").text
    '/here'
    """
    requests: list[Request] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", 0)))
            request = Request(self.path, headers, self.command, body)
            requests.append(request)
            _send(self, answer(request))

        def do_POST(self) -> None:
            self.do_GET()

        def do_DELETE(self) -> None:
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:
            """Do not log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield LocalServer(f"http://127.0.0.1:{server.server_address[1]}", requests)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def file_response(request: Request, data: bytes, *, etag: str = '"1"', cut_after: int | None = None) -> CannedResponse:
    """CannedResponse to a GET of a file with support of ``Range`` and ``If-Range``."""
    start = _range_start(request, etag)
    headers = {"ETag": etag, "Accept-Ranges": "bytes"}
    if start is None:
        return CannedResponse(200, data, headers, cut_after)
    if start >= len(data):
        return CannedResponse(416, b"", headers | {"Content-Range": f"bytes */{len(data)}"})
    span = {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"}
    return CannedResponse(206, data[start:], headers | span, cut_after)


def _range_start(request: Request, etag: str) -> int | None:
    asked = request.headers.get("range", "")
    if not asked.startswith("bytes=") or request.headers.get("if-range", etag) != etag:
        return None
    return int(asked.removeprefix("bytes=").partition("-")[0])


def _send(handler: BaseHTTPRequestHandler, answer: CannedResponse) -> None:
    handler.send_response(answer.status)
    for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.close_connection = answer.cut_after is not None
    body = answer.body[: answer.cut_after]
    step = 1024 if answer.pause else max(len(body), 1)
    try:
        for start in range(0, len(body), step):
            time.sleep(answer.pause)
            handler.wfile.write(body[start : start + step])
    except (BrokenPipeError, ConnectionResetError):
        handler.close_connection = True
