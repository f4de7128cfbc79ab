"""Removes files from the archive that the index does not name: left by a crash, or replaced by compaction."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from uuid import uuid4

from redpoll.store.layout import (
    ALERTS,
    LIGHT_CURVES,
    TEMPORARY,
    Layout,
    disk_errors,
    is_revision_name,
    is_segment_name,
    sync,
)


def tidy(connection: sqlite3.Connection, layout: Layout) -> None:
    """Bring the archive in line with the index: finish interrupted moves, remove files that were never committed.

    Only the writer may call it. Folders that Redpoll did not name are left alone.
    """
    with disk_errors(f"cannot tidy {layout.root}"):
        for path in temporary(layout):
            _remove(path)
        known = {name for (name,) in connection.execute("SELECT name FROM segments")}
        for path in layout.segments.iterdir():
            if is_segment_name(path.name) and path.name not in known:
                remove_segment(path)
        revisions = {name for (name,) in connection.execute("SELECT name FROM revisions")}
        for path in layout.revisions.iterdir() if layout.revisions.is_dir() else ():
            if is_revision_name(path.name) and path.name not in revisions:
                remove_segment(path)
        drop_replaced(connection, layout)


def drop_replaced(connection: sqlite3.Connection, layout: Layout) -> None:
    """Point the links of the catalogues at the generations that count, and remove what these replace."""
    sql = "SELECT surveys.name, generations.name FROM generations JOIN surveys ON surveys._id = generations.survey"
    current = dict(connection.execute(sql))
    for survey, generation in current.items():
        _point(layout.hats / survey, Path("..", "generations", generation))
    for path in layout.generations.iterdir():
        if is_segment_name(path.name) and path.name not in current.values():
            shutil.rmtree(path)
    for (name,) in connection.execute("SELECT name FROM segments WHERE compacted"):
        for file in (ALERTS, LIGHT_CURVES):
            (layout.segments / name / file).unlink(missing_ok=True)


def temporary(layout: Layout) -> list[Path]:
    """Files and folders that were being written when their process ended."""
    return [path for folder in (*layout.folders(), layout.root) for path in folder.glob(TEMPORARY + "*")]


def remove_segment(segment: Path) -> None:
    """Remove a segment or a revision; a crash half-way leaves a name that `temporary` finds."""
    gone = segment.with_name(TEMPORARY + segment.name)
    segment.rename(gone)
    shutil.rmtree(gone)


def _point(link: Path, target: Path) -> None:
    if link.is_symlink() and link.readlink() == target:
        return
    fresh = link.with_name(f"{TEMPORARY}{uuid4().hex}")
    fresh.symlink_to(target)
    fresh.replace(link)
    sync(link.parent)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
