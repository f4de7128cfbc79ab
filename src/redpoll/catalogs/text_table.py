"""Reader of delimited text: columns separated by comma, semicolon, tab or bar, with or without quotes and padding."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from redpoll.catalogs.errors import CatalogError

_DELIMITERS = ",\t;|"
_HEAD = 1 << 20
_BLOCK = 1 << 24
_RULE = re.compile(r"[-=\s,;|+]*-[-=\s,;|+]*")


class TextTable:
    """A delimited text file. Lines that start with ``#`` before the header, and a line of dashes below it, are skipped.

    Values are strings without surrounding padding and quotes. Rows with too many or too few values are skipped and
    counted in ``n_odd``.
    """

    units: Mapping[str, str] = {}
    n_rows: int | None = None

    def __init__(self, path: Path, named: Path) -> None:
        self._path, self._named = path, named
        self.n_odd = 0
        self._encoding, lines = _head(path, named)
        first = next((i for i, line in enumerate(lines) if line.strip() and not line.startswith("#")), None)
        if first is None:
            raise CatalogError(f"{named}: has no header line with the names of the columns")
        header = lines[first]
        counts = {d: _outside_quotes(header).count(d) for d in _DELIMITERS}
        self._delimiter = max(counts, key=lambda d: counts[d])
        self.names = tuple(_bare(cell) for cell in _split(header, self._delimiter))
        self._check_names()
        ruled = next((i for i in (1, 2) if _is_rule(lines, first + i)), 0)
        self._skip = first + 1 + ruled

    def batches(self, names: Sequence[str]) -> Iterator[dict[str, pa.Array]]:
        """Yield some of its columns in batches of rows."""
        keys = [f"c{self.names.index(name)}" for name in names]
        columns = [f"c{i}" for i in range(len(self.names))]
        try:
            reader = csv.open_csv(
                self._path,
                csv.ReadOptions(column_names=columns, skip_rows=self._skip, block_size=_BLOCK,
                                encoding=self._encoding, use_threads=False),
                csv.ParseOptions(delimiter=self._delimiter, invalid_row_handler=self._odd_row),
                csv.ConvertOptions(column_types=dict.fromkeys(columns, pa.string()), strings_can_be_null=False,
                                   include_columns=[*dict.fromkeys(keys)]),
            )  # fmt: skip
            for batch in reader:
                yield {name: _bare_values(batch[key]) for name, key in zip(names, keys, strict=True)}
        except (pa.ArrowException, UnicodeDecodeError) as error:
            if "Empty CSV" in str(error):
                return
            raise CatalogError(f"{self._named}: cannot be read as text with columns: {error}") from error

    def _check_names(self) -> None:
        if doubled := {name for name in self.names if self.names.count(name) > 1}:
            raise CatalogError(f"{self._named}: its header has more than one column '{sorted(doubled)[0]}'")
        if len(self.names) < 2:
            raise CatalogError(f"{self._named}: its first line is not a header: {self.names[0][:60]!r}")

    def _odd_row(self, row: csv.InvalidRow) -> str:
        self.n_odd += 1
        return "skip"


def _head(path: Path, named: Path) -> tuple[str, list[str]]:
    """Encoding and first lines of a file, each of at most one mebibyte."""
    with path.open("rb") as file:
        start = file.read(_HEAD)
    if b"\n" not in start and len(start) == _HEAD:
        raise CatalogError(f"{named}: has no line end in its first mebibyte: it is not a text table")
    whole = start[: start.rfind(b"\n") + 1] or start
    try:
        return "utf8", whole.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        return "latin1", whole.decode("latin1").splitlines()


def _outside_quotes(line: str) -> str:
    return re.sub(r'"[^"]*"', "", line)


def _split(line: str, delimiter: str) -> list[str]:
    return re.findall(rf'(?:^|{re.escape(delimiter)})((?:"[^"]*"|[^{re.escape(delimiter)}"])*)', line)


def _is_rule(lines: list[str], i: int) -> bool:
    return i < len(lines) and bool(lines[i].strip()) and bool(_RULE.fullmatch(lines[i]))


def _bare(cell: str) -> str:
    cell = cell.strip()
    return cell[1:-1].strip() if len(cell) > 1 and cell[0] == cell[-1] == '"' else cell


def _bare_values(column: pa.Array) -> pa.Array:
    """The values without surrounding blanks and quotes, and without blanks inside the quotes."""
    column = pc.utf8_trim_whitespace(column)
    if not pc.any(pc.starts_with(column, '"')).as_py():
        return column
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(column, r'^"(.*)"$', r"\1"))
