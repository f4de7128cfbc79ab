"""A large table, strip of declination by strip; a strip that a service cuts short is halved."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from redpoll.catalogs.errors import CatalogError
from redpoll.catalogs.fetch.area import Strip, strips_of_sky
from redpoll.catalogs.fetch.pages import Pages
from redpoll.catalogs.fetch.votable import TableReader, Truncated

Read = Callable[[Strip | None], int]
"""Fetches one strip, or all where it is None, to a page; the number of its rows. Truncated if not all came."""


def fetch_strips(n: int, pages: Pages, read: Read) -> None:
    """Fetch all strips of the sky, those first that are to the south.

    Raises
    ------
    Truncated
        If a service does not give all rows even of the narrowest strip, or of a table asked for as a whole.
    """
    if n == 1:
        if not pages.has("all"):
            read(None)
        return
    waiting = list(reversed(strips_of_sky(n)))
    while waiting:
        strip = waiting.pop()
        if pages.has(str(strip)):
            continue
        if pages.is_split(str(strip)):
            waiting += reversed(strip.halves())
            continue
        try:
            read(strip)
        except Truncated as error:
            if not strip.can_halve:
                raise CatalogError(
                    f"{error}, between declinations {strip.low} and {strip.high}: too crowded"
                ) from error
            pages.note_split(str(strip))
            waiting += reversed(strip.halves())


def until_limit(parts: Iterator[TableReader], limit: int, host: str) -> Iterator[TableReader]:
    """The parts of an answer; Truncated as soon as it has as many rows as were asked for at most.

    A service that stops at the limit may not say so.
    """
    for reader in parts:
        if reader.n_rows >= limit:
            raise Truncated(f"{host}: truncated at {reader.n_rows} rows, the limit that was set")
        yield reader
