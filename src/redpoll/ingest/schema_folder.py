"""Schemas by id from a folder of ``.avsc`` files."""

from __future__ import annotations

import re
from pathlib import Path

from redpoll.errors import SchemaError, SourceError
from redpoll.ingest.named_types import self_contained
from redpoll.ingest.unknown_schema import UnknownSchema

_BY_ID = re.compile(r"(\d+)")
_NAME = re.compile(r"\w+(\.\w+)*")
_BY_VERSION = re.compile(r"lsst\.v(\d+)_(\d+)\.alert")


class SchemaFolder:
    """Schemas by id in a folder and its subfolders.

    ``900.avsc`` has the id of its name. ``lsst.v9_0.alert.avsc`` has the id 900, major * 100 + minor, the
    numbering of Rubin; types it refers to are in the same folder, such as ``lsst.v9_0.diaSource.avsc``.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise SourceError(f"{folder}: no such folder of schemas; give one with .avsc files")
        self._folder = folder
        self._files = _by_id(folder)

    @property
    def ids(self) -> list[int]:
        """Sorted ids of the schemas in the folder."""
        return sorted(self._files)

    def schema(self, schema_id: int) -> str:
        """Self-contained schema as JSON text; UnknownSchema if there is none, SchemaError if it cannot be used."""
        if schema_id not in self._files:
            raise UnknownSchema(schema_id, str(self._folder))
        path = self._files[schema_id]

        def beside(name: str) -> str | None:
            other = path.parent / f"{name}.avsc"
            return _text(other) if _NAME.fullmatch(name) and other != path and other.is_file() else None

        return self_contained(_text(path), beside, str(path))


def _by_id(folder: Path) -> dict[int, Path]:
    """Schema files by id; where two files have one id, the first by path."""
    found: dict[int, Path] = {}
    for path in sorted(folder.rglob("*.avsc")):
        if match := _BY_ID.fullmatch(path.stem):
            found.setdefault(int(match[1]), path)
        elif match := _BY_VERSION.fullmatch(path.stem):
            found.setdefault(int(match[1]) * 100 + int(match[2]), path)
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SchemaError(f"{path}: cannot be read ({error})") from error
