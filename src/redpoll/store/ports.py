"""The ports of the store: what the pipeline writes and what the portal reads.

An adapter passes the conformance suite in ``redpoll.testing.store_suite``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol

import pyarrow as pa
from numpy.typing import NDArray

Row = dict[str, Any]
Outcome = Literal["stored", "duplicate", "rejected"]


@dataclass(frozen=True)
class DeadLetter:
    """A packet that could not be used: its bytes, where it came from and why. ``id`` is given by the store."""

    data: bytes
    source: str
    position: str
    reason: str
    id: int | None = None
    received: str | None = None


@dataclass(frozen=True)
class LedgerEntry:
    """``n`` packets of one night met one outcome; ``night`` is None where the packet could not tell.

    ``reason`` is empty for stored packets.
    """

    survey: str | None
    night: int | None
    outcome: Outcome
    reason: str
    n: int


@dataclass(frozen=True)
class Commit:
    """Everything one batch adds to the store, in one transaction.

    ``segment`` is the archive segment holding ``alerts`` in the same order, already written and synced, or None if
    nothing is stored. Of ``alerts`` only the indexed columns, topics and classes are read (see ``indexed_columns``):
    ``pass_<topic>`` columns say which filters an alert passed, and the metadata of each field (see
    ``Column.field``) says unit, meaning, whether it is indexed, and who made it. The ``stored`` entries of the ledger
    may be left out; if given, they must be what ``alerts`` says.
    """

    alerts: pa.RecordBatch | None
    segment: Path | None
    dead_letters: Sequence[DeadLetter] = ()
    ledger: Sequence[LedgerEntry] = ()


Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


@dataclass(frozen=True)
class Compacted:
    """Result of compacting one survey: ``segments`` and ``alerts`` moved, ``pixels`` in all, of them ``rewritten``.

    ``damaged`` names the segments that could not be read; they stay where they are.
    """

    survey: str
    segments: int
    alerts: int
    pixels: int
    rewritten: int
    damaged: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """What a check found; ``problems`` is empty if the store is whole."""

    problems: tuple[str, ...]
    alerts: int
    objects: int
    segments: int
    pixels: int
    dead_letters: int

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


class AlertWriter(Protocol):
    """The one writer of a store."""

    def start_run(self, command: str) -> int:
        """Open a run and return its number; removes what a crashed run left behind."""
        ...

    def exists(self, survey: str, alert_ids: NDArray[Any]) -> NDArray[Any]:
        """Boolean per id: is this alert stored already?"""
        ...

    def archive(self, alerts: pa.RecordBatch) -> Path:
        """Write and sync an archive segment that does not count until it is committed; callable in any process."""
        ...

    def commit(self, commit: Commit) -> int:
        """Commit segment, alerts, topics, classes, dead letters and ledger ; returns the new alerts.

        Alerts that are stored already are left out and counted as duplicates in the ledger.
        """
        ...

    def end_run(self, status: str) -> None:
        """Close the run: done, interrupted or failed."""
        ...


class AlertReader(Protocol):
    """Questions about alerts; safe beside a running writer. Rows are plain dicts of indexed columns.

    Each row carries ``topics``, the topics it passed, and ``classes``, all that is said of the alert: a list of dicts
    with ``name``, ``probability`` (None where there is none) and ``by``.
    """

    def alerts_of(self, object_id: str, *, limit: int | None = None) -> list[Row]:
        """Alerts of an object, newest first; all if there is no limit."""
        ...

    def cone(self, ra: float, dec: float, radius_arcsec: float, *, limit: int | None = None) -> list[Row]:
        """Alerts within a radius, nearest first, with ``separation_arcsec``."""
        ...

    def latest(
        self,
        *,
        topic: str | None = None,
        class_: str | None = None,
        night: int | None = None,
        limit: int = 100,
        before: tuple[float, int] | None = None,
    ) -> list[Row]:
        """Newest alerts, of one topic or class and of one night if given.

        Of a class are the alerts said to be of it or of any kind of it, by whomever. ``before`` is (mjd, alert_id) of
        the last row seen. UsageError for a topic and a class together.
        """
        ...  # fmt: skip

    def get_alert(self, alert_id: int, survey: str, columns: Sequence[str] | None = None) -> Row:
        """One alert from the archive with history, added values and cutouts (as sent); NotFound if unknown."""
        ...

    def provenance(self, alert_id: int, survey: str) -> dict[str, str]:
        """Column -> module@version for the values added to this alert."""
        ...


class ObjectReader(Protocol):
    """Questions about objects."""

    def object(self, object_id: str) -> Row:
        """Summary of an object: position, first and last seen, counts, last mags, best scores; or NotFound."""
        ...

    def classes_of(self, object_id: str) -> list[Row]:
        """What an object was said to be, sorted by class and classifier; or NotFound.

        Each row has ``name``, ``by`` (module@version or catalogue@version), ``first_mjd`` and ``last_mjd`` said,
        ``n_alerts`` of which it was said, ``max_probability`` and ``last_probability`` (None where there is none).
        """
        ...

    def light_curve(self, object_id: str) -> pa.Table:
        """Points merged over all packets of the object, without duplicates, time-sorted, as ``POINT_TYPE`` columns."""
        ...

    def columns(self) -> list[Row]:
        """Columns of the stored alerts: name, dtype, unit, doc, ucd, indexed and aggregate."""
        ...


class LedgerReader(Protocol):
    """What happened to every packet."""

    def ledger(self, *, by: Literal["night", "run"] = "night") -> list[Row]:
        """Rows with survey, night or run, received, stored, duplicate, rejected and ``reasons`` {reason: n}."""
        ...

    def runs(self) -> list[Row]:
        """Runs, newest first: run, command, started, ended, status."""
        ...

    def topics(self, *, night: int | None = None) -> dict[str, int]:
        """Alerts per topic, over one night or all."""
        ...

    def classes(self, *, night: int | None = None) -> dict[str, int]:
        """Alerts per class that was said of them, over one night or all; what is said of a kind counts for it alone."""
        ...


class DeadLetters(Protocol):
    """Packets that could not be used."""

    def dead_letters(self, *, limit: int = 100, reason: str | None = None) -> list[Row]:
        """Newest first, without their bytes: id, received, source, position, reason, n_bytes."""
        ...

    def dead_letter(self, id: int) -> DeadLetter:
        """One dead letter with its bytes; NotFound if there is none."""
        ...

    def iter_dead_letters(self, reason: str | None = None) -> Iterator[DeadLetter]:
        """All dead letters with their bytes, oldest first."""
        ...

    def remove_dead_letters(self, ids: Sequence[int]) -> None:
        """Forget letters, because they were replayed."""
        ...

    def purge_dead_letters(self, reason: str | None = None, *, before: datetime | None = None) -> int:
        """Remove all letters, or those of one reason or received before a time; returns how many there were."""
        ...


class Maintenance(Protocol):
    """What is done to a store by night."""

    def compact(self, *, rows_per_pixel: int | None = None, progress: Progress = ...) -> list[Compacted]:
        """Sort all committed alerts by their place on the sky; answers stay the same, also while it runs."""
        ...

    def check(self, *, deep: bool = False, progress: Progress = ...) -> Report:
        """Compare index, archive and ledger in every row and, if `deep`, in every column."""
        ...
