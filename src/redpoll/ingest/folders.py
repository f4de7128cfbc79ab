"""Files with packets in a folder or glob, in an order that is the same on every machine."""

from __future__ import annotations

import glob
import logging
import os
from collections.abc import Iterator
from pathlib import Path

from redpoll.errors import SourceError
from redpoll.ingest.parquet_rows import is_packet_table
from redpoll.ingest.recognise import HEAD_BYTES
from redpoll.ingest.sidecars import reason_to_skip

log = logging.getLogger(__name__)

_TABLES = (".parquet", ".parq", ".pq")


def packet_files(path: Path) -> list[Path]:
    """Files with packets at a path or glob; those of folders are sorted, without sidecars, which are logged.

    A path of a file is returned unchecked.

    Raises
    ------
    SourceError
        If there is none, or a folder cannot be listed.
    """
    if path.is_dir():
        found = _kept(_walk(path))
    elif path.exists() or not glob.has_magic(str(path)):
        return [path]
    else:
        found = _matches(path)
    if not found:
        what = "folder" if path.is_dir() else "glob"
        raise SourceError(f"{path}: no packets in this {what}; name files of packets or a folder that holds some")
    return found


def _matches(pattern: Path) -> list[Path]:
    parts = pattern.parts
    n_plain = next(n for n, part in enumerate(parts) if glob.has_magic(part))
    base = Path(*parts[:n_plain])
    found = sorted(path for path in base.glob(str(Path(*parts[n_plain:]))) if not _is_hidden(path, parts))
    folders = [file for path in found if path.is_dir() for file in _walk(path)]
    return _kept([*(path for path in found if not path.is_dir()), *folders])


def _is_hidden(path: Path, named: tuple[str, ...]) -> bool:
    return any(part.startswith(".") and part not in named for part in path.parts)


def _kept(paths: list[Path]) -> list[Path]:
    kept = []
    for path in dict.fromkeys(paths):
        if reason := _reason_to_skip(path):
            log.info("%s: skipped: %s", path, reason)
        else:
            kept.append(path)
    return kept


def _reason_to_skip(path: Path) -> str:
    if not path.is_file():
        return "not a regular file, or a link to nowhere"
    try:
        if path.suffix in _TABLES and not is_packet_table(str(path)):
            return "a table whose rows are not alerts"
        return reason_to_skip(path.name, lambda: _head(path))
    except (OSError, SourceError):
        return ""


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def _walk(folder: Path) -> list[Path]:
    """Every file below a folder, sorted; a folder reached again through links is entered once."""
    return sorted(_files_below(folder), key=lambda path: path.parts)


def _files_below(top: Path) -> Iterator[Path]:
    entered: set[tuple[int, int]] = set()
    _is_new(top, entered)
    for folder, inner, names in os.walk(top, followlinks=True, onerror=_refuse):
        inner.sort()
        inner[:] = [name for name in inner if not name.startswith(".") and _is_new(Path(folder, name), entered)]
        yield from (Path(folder, name) for name in names)


def _is_new(folder: Path, entered: set[tuple[int, int]]) -> bool:
    status = folder.stat()
    if (status.st_dev, status.st_ino) in entered:
        log.info("%s: skipped: a link to a folder that was read already", folder)
        return False
    entered.add((status.st_dev, status.st_ino))
    return True


def _refuse(error: OSError) -> None:
    raise SourceError(f"{error.filename}: cannot be listed ({error.strerror}); check its permissions") from error
