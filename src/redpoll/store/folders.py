"""A new folder of the archive: whole, synced and with its checksums, or not there at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from redpoll.errors import StoreError
from redpoll.store.checksums import sha256_of, write_sums
from redpoll.store.layout import TEMPORARY, Layout, disk_errors, sync


@contextmanager
def new_folder(layout: Layout, parent: Path, name: str) -> Iterator[Path]:
    """A folder to write files to, in a ``with`` statement; at its end it is `name` in `parent`, or gone after an error.

    Raises
    ------
    StoreError
        If there is no store, or the disk does not take the files.
    """
    folder = parent / (TEMPORARY + name)
    if not layout.segments.is_dir():
        raise StoreError(f"{layout.root} is not a store")
    try:
        with disk_errors(f"cannot write to {parent}"):
            folder.mkdir(parents=True)
            yield folder
            _sync_with_sums(folder)
            sync(folder)
            folder.rename(parent / name)
            sync(parent)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _sync_with_sums(folder: Path) -> None:
    """Bring all files of a folder to the disk at the same time, and find their checksums while it writes."""
    files = sorted(folder.iterdir())
    with ThreadPoolExecutor(len(files) or 1) as pool:
        synced = pool.map(sync, files)
        write_sums(folder, {path.name: sha256_of(path) for path in files})
        list(synced)
