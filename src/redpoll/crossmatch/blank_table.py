"""Reader of blank-separated text: a header line such as ``ra dec name``, then one entry per line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from redpoll.catalogs.table_file import open_table
from redpoll.catalogs.tables import Table
from redpoll.crossmatch.bounded_file import open_bounded

_MAX_BYTES = 256 << 20
_HEAD = 1 << 12
_HEADER = re.compile(rb"(?:\xef\xbb\xbf)?(?:\s*#[^\n]*\n)*\s*ra[ \t]+dec(?:[ \t]+\w+)*[ \t]*\r?\n", re.IGNORECASE)


class BlankTable:
    """Lines of words; the last column is the rest of the line. ``n_odd`` counts lines with too few words."""

    units: Mapping[str, str] = {}
    n_rows: int | None = None

    def __init__(self, text: str) -> None:
        lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
        self.names = tuple(lines[0].split())
        words = [line.split(None, len(self.names) - 1) for line in lines[1:]]
        self._rows = [row for row in words if len(row) == len(self.names)]
        self.n_odd = len(words) - len(self._rows)

    def batches(self, names: Sequence[str]) -> Iterator[dict[str, pa.Array]]:
        """Yield some of its columns in one batch."""
        index = {name: self.names.index(name) for name in names}
        yield {name: pa.array([row[i].strip() for row in self._rows], pa.string()) for name, i in index.items()}


@contextmanager
def open_list(path: Path) -> Iterator[Table]:
    """The table in a file: blank-separated text if its header starts with ``ra dec``, else any format of catalogues."""
    with open_bounded(path, _MAX_BYTES) as reader:
        if _HEADER.match(reader.head(_HEAD)):
            yield BlankTable(reader.rest().decode("utf-8-sig", "replace"))
            return
    with open_table(path) as table:
        yield table
