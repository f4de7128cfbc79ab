"""Download of a large table by strips of declination; a truncated strip is halved."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from redpoll.catalogs.errors import CatalogError
from redpoll.catalogs.fetch.area import Strip, strips_of_sky
from redpoll.catalogs.fetch.pages import Pages
from redpoll.catalogs.fetch.votable import TableReader, Truncated

Read = Callable[[Strip | None], int]
"""Fetches one strip, or the whole table if None, to a page; returns its number of rows. Raises Truncated."""


def fetch_strips(n: int, pages: Pages, read: Read) -> None:
    """Fetch all strips of the sky, from south to north.

    Raises
    ------
    Truncated
        If a service truncates the narrowest strip, or a table that is not split into strips.
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


def until_limit(readers: Iterator[TableReader], limit: int, host: str) -> Iterator[TableReader]:
    """The readers of a response; Truncated as soon as it has as many rows as the requested maximum.

    A service that stops at the maximum may not report it.
    """
    for reader in readers:
        if reader.n_rows >= limit:
            raise Truncated(f"{host}: truncated at {reader.n_rows} rows, the requested maximum")
        yield reader
