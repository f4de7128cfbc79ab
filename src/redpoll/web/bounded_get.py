"""HTTP GET of a small response, bounded in size and time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import httpx

from redpoll.errors import SourceError


@dataclass(frozen=True)
class Address:
    """A base URL, with its user and password kept apart so that messages and logs do not show them."""

    url: str
    auth: tuple[str, str] | None = None

    def __repr__(self) -> str:
        return f"Address({self.url!r})"


@dataclass(frozen=True)
class HttpResponse:
    """Response of a server; ``kind`` is the media type."""

    status: int
    kind: str
    body: bytes


def parse_address(url: str, what: str) -> Address:
    """The address in `url`; SourceError, with `what` it is the address of, if it is not http or https.

    >>> parse_address("https://me:secret@schemas.example/", "a registry")
    Address('https://schemas.example')
    """
    try:
        parts = urlsplit(url)
        clean = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl().rstrip("/")
        usable = httpx.URL(clean).scheme in ("http", "https") and bool(httpx.URL(clean).host)
    except (ValueError, httpx.InvalidURL):
        usable = False
    if not usable:
        raise SourceError(f"the URL of {what} is not of the form https://host/path")
    return Address(clean, (unquote(parts.username), unquote(parts.password or "")) if parts.username else None)


def bounded_get(client: httpx.Client, url: str, *, seconds: float, max_bytes: int) -> HttpResponse:
    """The response to a GET request.

    Raises
    ------
    httpx.HTTPError
        If the server cannot be reached, or its response takes longer than `seconds` or is larger than `max_bytes`.
    """
    deadline = time.monotonic() + seconds
    body = bytearray()
    with client.stream("GET", url, timeout=seconds) as response:
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > max_bytes:
                raise httpx.DecodingError(f"a response of more than {max_bytes} bytes", request=response.request)
            if time.monotonic() > deadline:
                raise httpx.ReadTimeout(f"no complete response within {seconds:g} s", request=response.request)
        kind = response.headers.get("content-type", "").partition(";")[0].strip()
        return HttpResponse(response.status_code, kind, bytes(body))
