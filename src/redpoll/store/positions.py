"""Where the packet of each stored alert came from: one compressed list per segment, written at its commit."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterator, Sequence

from redpoll.errors import StoreError
from redpoll.store.rejected import tail

Position = tuple[str, str]
"""Source and position in the source."""


def insert_positions(connection: sqlite3.Connection, segment: str, positions: Sequence[Position]) -> None:
    """Insert the positions of the rows of a segment inside the open transaction; none if they are unknown."""
    if positions:
        connection.execute("INSERT INTO positions VALUES (?, ?)", (segment, packed(positions)))


def packed(positions: Sequence[Position]) -> bytes:
    """Positions as `unpacked` reads them: each source once, with texts of at most 300 characters."""
    sources = {source: i for i, source in enumerate(dict.fromkeys(tail(source) for source, _ in positions))}
    rows = [sources[tail(source)] for source, _ in positions]
    data = json.dumps([list(sources), rows, [tail(text) for _, text in positions]], separators=(",", ":"))
    return zlib.compress(data.encode("utf-8", "surrogatepass"))


def unpacked(data: bytes) -> list[Position]:
    """The positions in the bytes that `packed` made; StoreError if they are damaged."""
    try:
        sources, rows, texts = json.loads(zlib.decompress(data).decode("utf-8", "surrogatepass"))
        return [(sources[row], text) for row, text in zip(rows, texts, strict=True)]
    except (zlib.error, ValueError, TypeError, LookupError) as error:
        raise StoreError(f"the positions of a segment are damaged ({error}); run `redpoll store rebuild`") from error


def wrong_positions(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """Segment and fault of each list of positions that is damaged, of no segment, or of another length."""
    sql = "SELECT q.segment, q.data, p.rows FROM positions q LEFT JOIN segments p ON p.name = q.segment"
    for segment, data, rows in connection.execute(sql):
        try:
            n = len(unpacked(data))
        except StoreError as error:
            yield segment, str(error)
            continue
        if n != rows:
            yield segment, f"segment {segment} has {rows or 0} rows, but {n} positions"


def drop_wrong(connection: sqlite3.Connection) -> None:
    """Remove the lists of positions that `wrong_positions` names."""
    wrong = [(segment,) for segment, _ in wrong_positions(connection)]
    connection.executemany("DELETE FROM positions WHERE segment = ?", wrong)
