"""Streaming reader of the first binary table of an untrusted FITS file, such as a region or a sky map.

No memory is allocated before the header is checked, and rows are read in chunks, so that memory is bounded by the size
of the file whatever its header claims.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from redpoll.crossmatch.bounded_file import BoundedReader
from redpoll.crossmatch.errors import SkyFileError

Value = str | bool | int | float
_CARD, _BLOCK, _MAX_CARDS, _MAX_UNITS = 80, 2880, 36_000, 32
_KINDS = {"B": ">u1", "I": ">i2", "J": ">i4", "K": ">i8", "E": ">f4", "D": ">f8"}
_WIDTHS = {"L": 1, "A": 1, "B": 1, "I": 2, "J": 4, "E": 4, "K": 8, "D": 8, "C": 8, "M": 16, "P": 8, "Q": 16}
_FORM = re.compile(r"(\d{0,9})([LXABIJKEDCMPQ])")
_STRING = re.compile(r"'((?:[^']|'')*)'")
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_REAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([EeDd][+-]?[0-9]{1,4})?")


@dataclass(frozen=True)
class _Field:
    offset: int
    kind: str
    repeat: int


class BinaryTable:
    """A binary table at the start of its rows: `header` (with the first unit's keys), `n_rows`, `names`."""

    def __init__(self, reader: BoundedReader, header: Mapping[str, Value]) -> None:
        self.where, self.header = reader.where, header
        self._reader = reader
        self.row_bytes, self.n_rows = self.count("NAXIS1"), self.count("NAXIS2")
        self._fields = self._columns()
        reader.expect(self.row_bytes * self.n_rows)

    @property
    def names(self) -> list[str]:
        """The columns, in capitals."""
        return list(self._fields)

    def text(self, key: str, default: str = "") -> str:
        """A header value as upper-case text without surrounding blanks."""
        return str(self.header.get(key, default)).strip().upper()

    def count(self, key: str) -> int:
        """A header value that is an integer of at least 0; SkyFileError if it is not."""
        value = self.header.get(key)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise SkyFileError(f"{self.where}: the header has {key} = {value!r}; a number of at least 0 is needed")
        return value

    def repeat(self, name: str) -> int:
        """Number of values of a column in a row."""
        return self._field(name).repeat

    def chunks(self, names: Sequence[str], rows: int) -> Iterator[list[NDArray[Any]]]:
        """Yield the columns `names` in chunks of `rows` rows, flattened and in native byte order.

        Raises
        ------
        SkyFileError
            If a column does not exist or is not numeric, or there are fewer rows than in the header.
        """
        fields = {name: self._field(name) for name in names}
        dtype = np.dtype({
            "names": list(names), "offsets": [f.offset for f in fields.values()],
            "formats": [(_KINDS[f.kind], (f.repeat,)) for f in fields.values()], "itemsize": self.row_bytes,
        })  # fmt: skip
        for first in range(0, self.n_rows, rows):
            n = min(rows, self.n_rows - first)
            data = self._reader.read(n * self.row_bytes)
            if len(data) < n * self.row_bytes:
                has = first + len(data) // self.row_bytes
                raise SkyFileError(
                    f"{self.where}: ends in row {has:,} of the {self.n_rows:,} that NAXIS2 promises; fetch it again"
                )
            table = np.frombuffer(data, dtype)
            yield [table[name].astype(table[name].dtype.newbyteorder("=")).ravel() for name in names]

    def _field(self, name: str) -> _Field:
        if name not in self._fields:
            has = ", ".join(self._fields) or "none"
            raise SkyFileError(f"{self.where}: has no column {name}; it has {has}")
        field = self._fields[name]
        if field.kind not in _KINDS or not field.repeat:
            raise SkyFileError(f"{self.where}: column {name} is not numeric; write it as 1J, 1K, 1E or 1D")
        return field

    def _columns(self) -> dict[str, _Field]:
        found: dict[str, _Field] = {}
        offset = 0
        for i in range(1, self.count("TFIELDS") + 1):
            form = _FORM.match(self.text(f"TFORM{i}"))
            if form is None or i > 999:
                raise SkyFileError(f"{self.where}: the header has TFORM{i} = {self.text(f'TFORM{i}')[:20]!r}")
            repeat, kind = int(form[1] or 1), form[2]
            name = self.text(f"TTYPE{i}") or f"COLUMN{i}"
            if (self.header.get(f"TSCAL{i}", 1), self.header.get(f"TZERO{i}", 0)) != (1, 0):
                raise SkyFileError(f"{self.where}: column {name} is scaled (TSCAL, TZERO); write the plain numbers")
            found.setdefault(name, _Field(offset, kind, repeat))
            offset += -(-repeat // 8) if kind == "X" else repeat * _WIDTHS[kind]
        if offset != self.row_bytes or not found:
            raise SkyFileError(
                f"{self.where}: NAXIS1 is {self.row_bytes} bytes per row, the columns (TFORM) have {offset}; "
                "it is damaged: fetch it again"
            )
        return found


def open_fits_table(reader: BoundedReader) -> BinaryTable:
    """The first binary table; SkyFileError if the file is not FITS or has none."""
    if not reader.head(_CARD).startswith(b"SIMPLE  ="):
        raise SkyFileError(f"{reader.where}: is not a FITS file; its first bytes are {reader.head(16)!r}")
    first: dict[str, Value] = {}
    for _ in range(_MAX_UNITS):
        header = _read_header(reader)
        if not header:
            break
        if str(header.get("XTENSION", "")).strip() == "BINTABLE":
            return BinaryTable(reader, {**first, **header})
        first = first or header
        reader.skip(_data_bytes(header, reader.where))
    raise SkyFileError(f"{reader.where}: the FITS file has no binary table")


def _read_header(reader: BoundedReader) -> dict[str, Value]:
    """Keys and values up to END; empty at the end of the file. The first of duplicate keys counts."""
    cards: dict[str, Value] = {}
    for i in range(_MAX_CARDS // 36):
        block = reader.read(_BLOCK)
        if not block and i == 0:
            return {}
        if len(block) < _BLOCK:
            break
        text = block.decode("ascii", "replace")
        for card in (text[k : k + _CARD] for k in range(0, _BLOCK, _CARD)):
            key = card[:8].strip()
            if key == "END":
                return cards
            if card[8:10] == "= ":
                cards.setdefault(key, _value(card[10:]))
    raise SkyFileError(f"{reader.where}: the FITS header has no END; the file is cut short: fetch it again")


def _value(text: str) -> Value:
    """The value of a card; text that is no value of the standard is returned as text.

    >>> [_value(x) for x in (" 'O''Hara '  / name", " T", " -12 / n", " 1.5D3", " nonsense")]
    ["O'Hara", True, -12, 1500.0, 'nonsense']
    """
    if string := _STRING.match(text.strip()):
        return string[1].replace("''", "'").rstrip()
    word = text.partition("/")[0].strip()
    if word in ("T", "F"):
        return word == "T"
    if _INTEGER.fullmatch(word):
        return int(word)
    return float(word.upper().replace("D", "E")) if _REAL.fullmatch(word) else word


def _data_bytes(header: Mapping[str, Value], where: str) -> int:
    """Size of a unit's data with padding."""
    n_axes = header.get("NAXIS", 0)
    axes = [f"NAXIS{i + 1}" for i in range(n_axes if isinstance(n_axes, int) and 0 <= n_axes < 1000 else 0)]
    facts = [header.get("BITPIX", 8), header.get("PCOUNT", 0), header.get("GCOUNT", 1), *map(header.get, axes)]
    if not all(isinstance(fact, int) and abs(fact) < 1 << 40 for fact in facts):
        raise SkyFileError(f"{where}: the FITS header does not define the size of its data; fetch it again")
    bits, extra, groups, *sizes = map(abs, cast(list[int], facts))
    size = bits // 8 * groups * (extra + (math.prod(sizes) if sizes else 0))
    return -(-size // _BLOCK) * _BLOCK
