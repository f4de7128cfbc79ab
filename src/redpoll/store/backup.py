"""A consistent copy of a whole store, made while a run writes; and a store made from such a copy.

A backup is itself the folder of a store, with a list of its files and their SHA-256 (``SHA256SUMS``, which
``sha256sum -c`` reads too). Files of the archive never change, so that on the same file system they are hard links.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from redpoll.errors import StoreError
from redpoll.store import database
from redpoll.store.checksums import SUMS, read_sums, sha256_of, write_sums
from redpoll.store.hats import Pixel
from redpoll.store.layout import ALERTS, CUTOUT_FILE, LIGHT_CURVES, Layout, disk_errors, sync, sync_tree
from redpoll.store.records import Progress, Report
from redpoll.store.revision_files import FILES

_PAGES = 4096  # of a database, between two calls of the progress bar: 16 MB
_ATTEMPTS = 5
_UNFINISHED = ".redpoll-backup"


@dataclass(frozen=True)
class BackedUp:
    """What a backup holds: alerts, files, their bytes, and how many of the files are hard links."""

    alerts: int
    files: int
    n_bytes: int
    linked: int


@dataclass(frozen=True)
class Restored:
    """A store made from a backup: files that are not as the backup listed them, and what a check of the store found."""

    damaged: tuple[str, ...]
    report: Report

    @property
    def ok(self) -> bool:
        """Whether the store is the one that was backed up."""
        return not self.damaged and self.report.ok


def backup(root: Path | str, destination: Path | str, *, copy: bool = False, progress: Progress) -> BackedUp:
    """Copy a store to a new folder, also while a run writes to it.

    The index is copied first, as it is at one moment; then what it names. Whatever is added meanwhile is not in the
    copy. The folder gets its name once every file in it was written, synced and read again.

    Parameters
    ----------
    root, destination
        Folder of the store, and of the backup, which must not exist or be empty.
    copy
        Copy the files of the archive also where they could be hard links.
    progress
        Called with what is copied, how much of it is done, and how much there is.

    Raises
    ------
    StoreError
        If there is no store, the destination is not empty or inside the store, or the disk is full.
    """
    layout, final = Layout(Path(root).absolute()), Path(destination).absolute()
    if not layout.index.exists():
        raise StoreError(f"there is no Redpoll store in {layout.root}")
    if final.resolve().is_relative_to(layout.root.resolve()):
        raise StoreError(f"{final} is inside the store: name a folder outside of it")
    with disk_errors(f"cannot write the backup {final}"), _removed_on_failure(final):
        linked = _copy_store(layout, final, copy, progress)
        return _finish(final, linked, progress)


def restore(source: Path | str, root: Path | str, *, check: Callable[[Path], Report], progress: Progress) -> Restored:
    """Make a store from a backup in a new folder, compare each file with the list of the backup, and check the store.

    A damaged backup is restored as well, as far as it can be read: the answer names what is damaged.

    Raises
    ------
    StoreError
        If the source is no backup, the folder of the store is not empty, or the disk is full.
    """
    origin, final = Path(source).absolute(), Path(root).absolute()
    if final.resolve().is_relative_to(origin.resolve()):
        raise StoreError(f"{final} is inside the backup: name a folder outside of it")
    sums = read_sums(origin)
    if sums is None:
        raise StoreError(f"{origin} is no complete backup: it has no {SUMS}")
    with disk_errors(f"cannot restore to {final}"), _removed_on_failure(final):
        target = _new_folder(final)
        damaged = list(_copy_back(origin, target, sums, progress))
        _publish(target, final)
    return Restored(tuple(damaged), _checked(final, check))


def _checked(root: Path, check: Callable[[Path], Report]) -> Report:
    try:
        return check(root)
    except StoreError as error:
        return Report((str(error),), alerts=0, objects=0, segments=0, pixels=0, dead_letters=0)


def _copy_store(layout: Layout, final: Path, copy: bool, progress: Progress) -> int:
    """Copy everything into the temporary folder; returns the number of hard links."""
    missing = ""
    for _ in range(_ATTEMPTS):
        target = Layout(_new_folder(final))
        _copy_database(layout.index, target.index, progress)
        for name, path in layout.databases().items():
            if name != "index" and path.exists():
                _copy_database(path, target.root / path.name, progress)
        try:
            return _copy_files(layout, target, copy, progress)
        except FileNotFoundError as error:  # a compaction replaced this file after the index was copied: start again
            missing = str(error.filename)
    raise StoreError(f"{missing} is in the index but not on the disk: `redpoll store check` shows all that is missing")


def _copy_database(source: Path, target: Path, progress: Progress) -> None:
    """Copy an SQLite file as it is at one moment: one read transaction, which does not hold up the writer."""
    address = f"{source.as_uri()}?mode=ro"
    with (
        database.sql_errors(source),
        closing(sqlite3.connect(address, uri=True, isolation_level=None, timeout=30)) as origin,
        closing(sqlite3.connect(target, isolation_level=None)) as copied,
    ):
        origin.execute("BEGIN")
        origin.execute("SELECT count(*) FROM sqlite_master").fetchone()
        origin.backup(
            copied, pages=_PAGES, sleep=0, progress=lambda _, left, total: progress(source.name, total - left, total)
        )
        copied.execute("PRAGMA journal_mode = DELETE")
        copied.execute("PRAGMA journal_mode = WAL")


def _copy_files(layout: Layout, target: Layout, copy: bool, progress: Progress) -> int:
    for folder in target.folders():
        folder.mkdir(parents=True)
    names = list(_named_files(target.index, layout))
    linked = 0
    for i, name in enumerate(names):
        progress("archive", i, len(names))
        linked += _link_or_copy(layout.root / name, target.root / name, copy)
    progress("archive", len(names), len(names))
    with closing(sqlite3.connect(target.index)) as index:
        sql = "SELECT s.name, g.name FROM generations g JOIN surveys s ON s._id = g.survey"
        for survey, generation in index.execute(sql):
            (target.hats / survey).symlink_to(Path("..", "generations", generation))
    return linked


def _named_files(index: Path, layout: Layout) -> Iterator[Path]:
    """Paths, from the root of the store, of the files that an index and the rows of the models name."""
    archive = layout.segments.parent.relative_to(layout.root)
    with closing(sqlite3.connect(index)) as connection:
        segments = connection.execute("SELECT name, compacted FROM segments ORDER BY name").fetchall()
        generations = connection.execute("SELECT survey, name FROM generations").fetchall()
        revisions = [name for (name,) in connection.execute("SELECT name FROM revisions ORDER BY name")]
        sql = "SELECT start, stop, norder, npix, rows FROM pixels WHERE survey = ?"
        pixels = {name: [Pixel(*row).path for row in connection.execute(sql, (key,))] for key, name in generations}
    for name, moved in segments:
        for file in (CUTOUT_FILE, *(() if moved else (ALERTS, LIGHT_CURVES))):
            yield archive / "segments" / name / file
        if (layout.segments / name / SUMS).exists():
            yield archive / "segments" / name / SUMS
    for name in revisions:
        for file in (*FILES, SUMS):
            yield archive / "revisions" / name / file
    for name, paths in pixels.items():
        folder = layout.generations / name
        others = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("Npix="))
        for path in (*(folder / path for path in paths), *sorted(others)):
            yield path.relative_to(layout.root)
    for path in sorted(layout.models.glob("*")):
        if not path.name.startswith("."):
            yield path.relative_to(layout.root)


def _link_or_copy(source: Path, target: Path, copy: bool) -> bool:
    """Give a file a second name, or copy it where that cannot be; returns whether it is a link."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if not copy:
        try:
            os.link(source, target)
            return True
        except FileNotFoundError:
            raise
        except OSError:  # another file system, or one without hard links
            pass
    shutil.copyfile(source, target)
    return False


def _finish(final: Path, linked: int, progress: Progress) -> BackedUp:
    """Write the list of files with their checksums, read from the copy itself, and give the folder its name."""
    target = _temporary(final)
    files = [path for path in sorted(target.rglob("*")) if path.is_file() and path.name != _UNFINISHED]
    sums = {}
    for i, path in enumerate(files):
        progress("checksums", i, len(files))
        sums[path.relative_to(target).as_posix()] = sha256_of(path)
    progress("checksums", len(files), len(files))
    write_sums(target, sums)
    n_bytes = sum(path.stat().st_size for path in files)
    with closing(sqlite3.connect(f"{(target / 'index.sqlite').as_uri()}?immutable=1", uri=True)) as index:
        (alerts,) = index.execute("SELECT count(*) FROM alerts").fetchone()
    _publish(target, final)
    return BackedUp(alerts, len(files), n_bytes, linked)


def _copy_back(origin: Path, target: Path, sums: dict[str, str], progress: Progress) -> Iterator[str]:
    """Copy every listed file; yields what is missing or not as it was listed."""
    for folder in Layout(target).folders():
        folder.mkdir(parents=True)
    for i, (name, digest) in enumerate(sums.items()):
        progress("files", i, len(sums))
        path = target / name
        if not path.resolve().is_relative_to(target.resolve()):
            raise StoreError(f"{origin / SUMS} names a file outside of the backup: {name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(origin / name, path)
        except OSError as error:
            if not (origin / name).is_file():
                yield f"{name} is not in the backup: {error.strerror}"
                continue
            raise
        if sha256_of(path) != digest:
            yield f"{name} is not the file that was backed up"
    progress("files", len(sums), len(sums))
    for link in Layout(origin).hats.iterdir():
        if link.is_symlink():
            (Layout(target).hats / link.name).symlink_to(link.readlink())


def _temporary(final: Path) -> Path:
    return final.with_name(final.name + ".tmp")


def _new_folder(final: Path) -> Path:
    """An empty temporary folder beside `final`, in place of what a killed backup left there."""
    if final.exists() and (not final.is_dir() or any(final.iterdir())):
        raise StoreError(f"{final} is not an empty folder: name a new one")
    target = _temporary(final)
    if target.exists():
        if not any((target / name).exists() for name in (_UNFINISHED, SUMS)) and any(target.iterdir()):
            raise StoreError(f"{target} is in the way: remove it, or name another folder")
        shutil.rmtree(target)
    target.mkdir(parents=True)
    (target / _UNFINISHED).touch()
    return target


@contextmanager
def _removed_on_failure(final: Path) -> Iterator[None]:
    """Remove the unfinished copy, which would keep a full disk full, if copying fails or is interrupted."""
    try:
        yield
    except BaseException:
        if (_temporary(final) / _UNFINISHED).exists():
            shutil.rmtree(_temporary(final), ignore_errors=True)
        raise


def _publish(target: Path, final: Path) -> None:
    (target / _UNFINISHED).unlink()
    sync_tree(target)
    if final.exists():
        final.rmdir()
    target.rename(final)
    sync(final.parent)
