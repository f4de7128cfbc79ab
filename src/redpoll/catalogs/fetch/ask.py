"""Requests to a service, with retries and bounds."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx

from redpoll.catalogs.errors import CatalogError
from redpoll.catalogs.fetch.votable import TableReader

log = logging.getLogger(__name__)

Result = TypeVar("Result")
Progress = Callable[[int, int | None], None]
_WAITS = (2.0, 5.0, 15.0, 30.0)
_TIMEOUT = httpx.Timeout(300.0, connect=15.0)
_AGENT = "redpoll (astronomical alert broker)"


@dataclass
class Service:
    """HTTP client with retries and a maximum number of bytes.

    Parameters
    ----------
    progress
        Called with the bytes of all responses so far.
    max_bytes
        Maximum bytes of all responses together.
    """

    progress: Progress = lambda done, total: None
    max_bytes: int = 64 << 30
    sleep: Callable[[float], None] = time.sleep
    received: int = field(default=0, init=False)

    @cached_property
    def _client(self) -> httpx.Client:
        return httpx.Client(timeout=_TIMEOUT, follow_redirects=True, headers={"User-Agent": _AGENT})

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def ask(self, url: str, action: Callable[[httpx.Client], Result]) -> Result:
        """The result of `action` for the service at `url`, with retries while it cannot be reached or is overloaded.

        Raises
        ------
        CatalogError
            If all tries fail, or the service refuses the request.
        """
        for wait in (*_WAITS, None):
            try:
                return action(self._client)
            except httpx.HTTPError as error:
                problem = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            if wait is not None:
                log.warning("%s: %s; asking again in %g s", url, problem, wait)
                self.sleep(wait)
        raise CatalogError(
            f"{url}: {problem}, {len(_WAITS) + 1} times. The received part is kept: check the network, and whether"
            f" {urlsplit(url).hostname} is up, and run the same command"
        )

    def table(self, client: httpx.Client, request: httpx.Request, reader: TableReader) -> Iterator[TableReader]:
        """Send a request, and yield the reader after each part of the response and at its end."""
        with self.answer(client, request) as response:
            for chunk in response.iter_bytes(1 << 18):
                self.count(len(chunk), str(request.url.host))
                reader.feed(chunk)
                yield reader
        reader.finish()
        yield reader

    @contextmanager
    def answer(self, client: httpx.Client, request: httpx.Request) -> Iterator[httpx.Response]:
        """The unread response, of status 200."""
        response = client.send(request, stream=True)
        try:
            _check_status(response)
            yield response
        finally:
            response.close()

    def count(self, n: int, host: str) -> None:
        """Count `n` received bytes; CatalogError above the maximum."""
        self.received += n
        if self.received > self.max_bytes:
            raise CatalogError(f"{host}: more than {self.max_bytes} bytes; narrow it to a cone, or raise the bound")
        self.progress(self.received, None)


def form(client: httpx.Client, url: str, fields: Mapping[str, Any], **more: Any) -> httpx.Request:
    """A POST request of a form; `more` are arguments of httpx."""
    return client.build_request("POST", url, data=dict(fields), **more)


def _check_status(response: httpx.Response) -> None:
    status, url = response.status_code, response.request.url
    if status == 200:
        return
    if status >= 500 or status == 429:
        # a TAP service also reports an invalid query with status 500, in the body
        text = _words(response)
        if "QUERY_STATUS" not in text:
            raise httpx.HTTPStatusError(f"status {status}", request=response.request, response=response)
    remedy = {
        401: "it needs credentials", 403: "it needs credentials, or refuses this machine", 404: "it has no such table",
    }.get(status, "check [fetch] in the recipe")  # fmt: skip
    reader = TableReader(str(url))
    text = text if status >= 500 else _words(response)
    if "QUERY_STATUS" in text:
        reader.feed(text.encode())
        reader.finish()
    raise CatalogError(f"{url.copy_with(query=None)}: status {status}; {remedy}. Its response: {_plain(text)}")


def _words(response: httpx.Response) -> str:
    """The first part of an error response as text."""
    body = bytearray()
    for chunk in response.iter_bytes(4096):
        body += chunk
        if len(body) > 65_536:
            break
    return bytes(body).decode("utf-8", "replace")


def _plain(text: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())[:300] or "(nothing)"
