"""Names of Solar System objects as the Minor Planet Center prints them, the same in both surveys."""

from __future__ import annotations

import re

import pyarrow as pa

_PACKED = re.compile(r"([IJK])(\d\d)([A-HJ-Y])([0-9A-Za-z])(\d)([A-HJ-Z])")
_JOINED = re.compile(r"(\d{4})([A-HJ-Y][A-HJ-Z]\d*)|([ACDIPX]/\d{4})([A-Z]{1,2}\d*)")
_CENTURY = {"I": "18", "J": "19", "K": "20"}
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def designations(names: pa.Array) -> pa.Array:
    """Names of text, the provisional designations among them unpacked and with their blank; others as they are.

    References
    ----------
    https://www.minorplanetcenter.net/iau/info/PackedDes.html

    >>> designations(pa.array(["K01S97B", "2010CG48", "2006 TK6", "8467", "J95A10A", None])).to_pylist()
    ['2001 SB97', '2010 CG48', '2006 TK6', '8467', '1995 AA10', None]
    """
    if names.null_count == len(names):
        return names
    return pa.array([None if name is None else _plain(name) for name in names.to_pylist()], pa.string())


def _plain(name: str) -> str:
    if found := _PACKED.fullmatch(name):
        century, year, half_month, tens, units, letter = found.groups()
        cycle = 10 * _DIGITS.index(tens) + int(units)
        return f"{_CENTURY[century]}{year} {half_month}{letter}{cycle or ''}"
    if found := _JOINED.fullmatch(name):
        return " ".join(part for part in found.groups() if part)
    return name
