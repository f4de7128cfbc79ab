"""Where everything lies in the folder of a store, and how a file becomes safe on disk.

::

    index.sqlite                      the index: catalogue of the archive; written by runs alone
    dead_letters.sqlite               packets that could not be used
    app.sqlite                        labels, models, filters, watchlists; written by serve, command and learning
    anomalies.sqlite                  personal anomaly models: bases and labels; written by the command
    answers.sqlite                    cache of searches and fits; may be deleted when nothing runs
    models/<sha256>                   files of trained models
    lock                              held by the one writer
    archive/segments/<survey>-<night>-<hex>/
        cutouts.parquet               stays here for good
        alerts.parquet                every column but the two below; moves to the HATS catalogue by compaction
        light_curves.parquet          likewise
    archive/hats/<survey>             link to the generation that counts
    archive/generations/<survey>-<n>-<hex>/   a HATS catalogue
    archive/revisions/<survey>-revision-<hex>/
        values.parquet                new values of alerts that were stored before
        replaced.parquet              the values before
        commit.json                   number, job and time; written when the revision is committed
    archive/damaged/                  files that a rebuild could not read

Folders of segments, revisions and catalogues hold the checksums of their files (``SHA256SUMS``).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from redpoll.errors import StoreError

ALERTS, LIGHT_CURVES, CUTOUT_FILE = "alerts.parquet", "light_curves.parquet", "cutouts.parquet"
VALUES, REPLACED, COMMIT = "values.parquet", "replaced.parquet", "commit.json"
TEMPORARY = ".tmp-"
_SURVEY = re.compile(r"[a-z][a-z0-9_]{0,31}")
_SEGMENT = re.compile(r"[a-z][a-z0-9_]{0,31}-\d+-[0-9a-f]{16}")
_REVISION = re.compile(r"[a-z][a-z0-9_]{0,31}-revision-[0-9a-f]{16}")


@dataclass(frozen=True)
class Layout:
    """Paths inside the store at `root`."""

    root: Path

    @property
    def index(self) -> Path:
        """The SQLite file."""
        return self.root / "index.sqlite"

    @property
    def dead_letters(self) -> Path:
        """The SQLite file of the packets that could not be used."""
        return self.root / "dead_letters.sqlite"

    @property
    def app(self) -> Path:
        """The SQLite file of the application database: labels, models, saved filters, watchlists."""
        return self.root / "app.sqlite"

    @property
    def anomalies(self) -> Path:
        """The SQLite file of personal anomaly models: their bases and labels."""
        return self.root / "anomalies.sqlite"

    @property
    def answers(self) -> Path:
        """The SQLite file of answers of searches and fits; a cache."""
        return self.root / "answers.sqlite"

    @property
    def models(self) -> Path:
        """Folder of the files of trained models, each named by its SHA-256."""
        return self.root / "models"

    @property
    def lock(self) -> Path:
        """The file the writer locks."""
        return self.root / "lock"

    @property
    def segments(self) -> Path:
        """Folder of the segments."""
        return self.root / "archive" / "segments"

    @property
    def revisions(self) -> Path:
        """Folder of the revisions."""
        return self.root / "archive" / "revisions"

    @property
    def generations(self) -> Path:
        """Folder of the HATS catalogues, finished or not."""
        return self.root / "archive" / "generations"

    @property
    def damaged(self) -> Path:
        """Folder of damaged files that a rebuild moved out of the way; Redpoll never removes them."""
        return self.root / "archive" / "damaged"

    @property
    def hats(self) -> Path:
        """Folder with one link per survey to the HATS catalogue that counts."""
        return self.root / "archive" / "hats"

    def databases(self) -> dict[str, Path]:
        """Every numbered SQLite file of a store, by the name of its schema; all but the index may not exist yet."""
        return {
            "index": self.index, "dead_letters": self.dead_letters, "app": self.app, "anomalies": self.anomalies,
        }  # fmt: skip

    def is_writable(self) -> bool:
        """Whether files can be made in the folder."""
        return os.access(self.root, os.W_OK)

    def foreign_names(self) -> list[str]:
        """Names in the folder that are not those of a store, nor of files that a crash left unfinished."""
        files = [
            path.name + end
            for path in (*self.databases().values(), self.answers)
            for end in ("", "-wal", "-shm", "-journal")
        ]
        own = {*files, self.lock.name, self.models.name, "archive", "spool"}
        inside = [path.name for path in self.root.iterdir()] if self.root.is_dir() else []
        return sorted(name for name in inside if name not in own and not name.startswith(TEMPORARY))

    def folders(self) -> tuple[Path, ...]:
        """Folders that exist in every store."""
        return self.segments, self.revisions, self.generations, self.hats


def pixel_path(norder: int, npix: int) -> str:
    """Path of a pixel inside its HATS catalogue.

    >>> pixel_path(6, 23456)
    'dataset/Norder=6/Dir=20000/Npix=23456.parquet'
    """
    return f"dataset/Norder={norder}/Dir={npix // 10_000 * 10_000}/Npix={npix}.parquet"


def segment_name(survey: str, night: int) -> str:
    """A new name for a segment; unique however many processes ask."""
    return f"{_survey(survey)}-{night}-{uuid4().hex[:16]}"


def revision_name(survey: str) -> str:
    """A new name for a revision; unique however many processes ask."""
    return f"{_survey(survey)}-revision-{uuid4().hex[:16]}"


def _survey(name: str) -> str:
    if not _SURVEY.fullmatch(name):
        raise StoreError(f"survey '{name}' cannot name a folder: use small letters, digits and underscores")
    return name


def is_segment_name(name: str) -> bool:
    """Whether a folder of this name was made by `segment_name`.

    >>> is_segment_name("ztf-20200105-0123456789abcdef"), is_segment_name("notes")
    (True, False)
    """
    return _SEGMENT.fullmatch(name) is not None


def is_revision_name(name: str) -> bool:
    """Whether a folder of this name was made by `revision_name`.

    >>> is_revision_name("ztf-revision-0123456789abcdef"), is_revision_name("ztf-revision-x")
    (True, False)
    """
    return _REVISION.fullmatch(name) is not None


def sync(path: Path) -> None:
    """Return once the file or folder is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """Return once every file and folder below `folder`, and itself, is on the disk."""
    for path in folder.rglob("*"):
        if not path.is_symlink():
            sync(path)
    sync(folder)


@contextmanager
def disk_errors(what: str) -> Iterator[None]:
    """Turn an operating-system error (disk full, no permission) into a StoreError that names what was attempted."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"{what}: {error.strerror or error}; check free space and permissions") from error
