"""Labels in the daily file of the Transient Name Server, for objects by their names or positions."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll.errors import UsageError
from redpoll.store.app.ports import Label

_NEEDED = ("name", "type", "ra", "declination", "internal_names")
_ZTF_NAME = re.compile(r"\bZTF\d\d[a-z]{7}\b")
_HEAD_LINES = 5
_MAX_BYTES = 4 << 30
_ARCSEC = 3600.0


@dataclass(frozen=True)
class TypedTransient:
    """A transient with a type: its name without the prefix, position [deg] and names in ZTF."""

    name: str
    kind: str
    ra: float
    dec: float
    ztf_names: tuple[str, ...]


@dataclass(frozen=True)
class ObjectPositions:
    """Objects of a store: survey, identifier and mean position [deg] of each."""

    survey: list[str]
    object_id: list[str]
    ra: NDArray[np.float64]
    dec: NDArray[np.float64]


def read_tns(path: Path) -> Iterator[TypedTransient]:
    """The transients with a type in a TNS file (``tns_public_objects.csv``, also zipped or gzipped), one by one.

    Raises
    ------
    UsageError
        If it is no such file; the message names the line.
    """
    with _open(path) as file:
        rows = csv.reader(file)
        try:
            place = _header(rows, path)
            for row in rows:
                if len(row) < len(place) or not row[place["type"]].strip():
                    continue
                yield _transient(row, place, f"{path}, line {rows.line_num}")
        except (csv.Error, UnicodeDecodeError, EOFError, zlib.error, OSError) as error:
            raise UsageError(f"{path}, line {rows.line_num}: cannot be read: {error}") from error


def tns_labels(
    transients: Iterator[TypedTransient], objects: ObjectPositions | None, radius_arcsec: float
) -> tuple[list[Label], int]:
    """A label for each object that is a typed transient, and the number of transients.

    An object is matched by its ZTF name, whether or not the store knows it, and by position if `objects` are given.
    """
    some = list(transients)
    labels = {("ztf", name): _label("ztf", name, t) for t in some for name in t.ztf_names}
    if objects is not None and len(objects.object_id) and some:
        for k, t in _matched(objects, some, radius_arcsec):
            key = (objects.survey[k], objects.object_id[k])
            labels.setdefault(key, _label(*key, t))
    return list(labels.values()), len(some)


def _matched(
    objects: ObjectPositions, some: list[TypedTransient], radius: float
) -> Iterator[tuple[int, TypedTransient]]:
    """Each object with its nearest transient within the radius."""
    from astropy.coordinates import SkyCoord  # slow to import

    known = SkyCoord([t.ra for t in some], [t.dec for t in some], unit="deg")
    nearest, apart, _ = SkyCoord(objects.ra, objects.dec, unit="deg").match_to_catalog_sky(known)
    for k in np.flatnonzero(apart.deg * _ARCSEC <= radius).tolist():
        yield k, some[int(nearest[k])]


def _label(survey: str, object_id: str, transient: TypedTransient) -> Label:
    return Label(survey, object_id, transient.kind, "TNS", "TNS", note=transient.name)


def _header(rows: Any, path: Path) -> Mapping[str, int]:
    """Place of each column; TNS writes a line with the date before the header."""
    for _, row in zip(range(_HEAD_LINES), rows, strict=False):
        place = {cell.strip().lower(): i for i, cell in enumerate(row)}
        if "name" in place and "type" in place:
            if missing := [name for name in _NEEDED if name not in place]:
                raise UsageError(f"{path}: has no column '{missing[0]}'; is it tns_public_objects.csv?")
            return place
    raise UsageError(f"{path}: no header with 'name' and 'type' in its first lines; is it tns_public_objects.csv?")


def _transient(row: list[str], place: Mapping[str, int], where: str) -> TypedTransient:
    cell = {name: row[place[name]].strip() for name in _NEEDED}
    try:
        ra, dec = float(cell["ra"]), float(cell["declination"])
    except ValueError:
        raise UsageError(
            f"{where}: position {cell['ra'][:30]!r}, {cell['declination'][:30]!r} is not in degrees"
        ) from None
    if not (0 <= ra <= 360 and -90 <= dec <= 90):
        raise UsageError(f"{where}: position {ra}, {dec} is not on the sky")
    return TypedTransient(cell["name"], cell["type"], ra, dec, tuple(_ZTF_NAME.findall(cell["internal_names"])))


@contextmanager
def _open(path: Path) -> Iterator[io.TextIOBase]:
    """The text of a file, of its only CSV member if zipped."""
    try:
        with path.open("rb") as file:
            start = file.read(4)
        if start[:2] == b"\x1f\x8b":
            with gzip.open(path, "rt", encoding="utf-8", newline="") as text:
                yield text
        elif start == b"PK\x03\x04":
            with zipfile.ZipFile(path) as archive, archive.open(_member(archive, path)) as raw:
                yield io.TextIOWrapper(raw, encoding="utf-8", newline="")
        else:
            with path.open(encoding="utf-8-sig", newline="") as text:
                yield text
    except (OSError, zipfile.BadZipFile) as error:
        raise UsageError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _member(archive: zipfile.ZipFile, path: Path) -> zipfile.ZipInfo:
    members = [info for info in archive.infolist() if info.filename.lower().endswith(".csv")]
    if len(members) != 1:
        raise UsageError(f"{path}: has {len(members)} CSV files, not one; unpack it and name the file")
    if members[0].file_size > _MAX_BYTES:
        raise UsageError(f"{path}: unpacks to {members[0].file_size:,} bytes; that is refused")
    return members[0]
