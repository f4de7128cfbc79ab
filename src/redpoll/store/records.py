"""Plain data that the ports of the store take and return: what a run commits, and reports of checks and compaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

PacketOutcome = Literal["stored", "duplicate", "rejected"]


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
    """``n`` packets of one night had one outcome; ``night`` is None where the packet could not be read.

    ``reason`` is empty for stored packets.
    """

    survey: str | None
    night: int | None
    outcome: PacketOutcome
    reason: str
    n: int


@dataclass(frozen=True)
class RejectedAlert:
    """An alert that a quality cut rejected: ``reason`` begins with ``cut: ``; ``value`` is None if it was missing."""

    survey: str
    alert_id: int
    object_id: str
    night: int
    mjd: float
    reason: str
    value: str | None
    source: str
    position: str


@dataclass(frozen=True)
class Commit:
    """Everything one batch adds to the store, in one transaction.

    ``segment`` is the name of the archive segment holding ``alerts`` in the same order, already written and synced,
    or None if nothing is stored. Of ``alerts`` only the indexed columns, topics and classes are read (see
    ``indexed_columns``): ``pass_<topic>`` columns hold which filters an alert passed, and the metadata of each field
    (see ``Column.field``) holds unit, doc, whether it is indexed, and its maker. ``history_news`` has what each packet
    adds to the history of its object; without that column it is found from the light curves of the segment. The
    ``stored`` entries of the ledger may be left out; if given, they must agree with ``alerts``. ``rejected`` names each
    alert that the ledger counts as rejected by a cut. ``positions`` has source and position of the packet of each
    alert; empty if they are unknown. ``retried`` has, for each packet that an earlier commit counted as rejected, the
    reasons it may have there: that count is taken back, so that the ledger counts the packet once.
    """

    alerts: pa.RecordBatch | None
    segment: str | None
    dead_letters: Sequence[DeadLetter] = ()
    ledger: Sequence[LedgerEntry] = ()
    rejected: Sequence[RejectedAlert] = ()
    positions: Sequence[tuple[str, str]] = ()
    retried: Sequence[Sequence[str]] = ()


@dataclass(frozen=True)
class Revision:
    """New values of stored alerts of one survey, which one transaction makes count.

    Parameters
    ----------
    segment
        The name that `Revisions.write` returned; None if no alert of this step has new values.
    job
        Key of the reprocessing, which `Revisions.start` opened.
    after
        Where the job goes on, a token of a scan of alerts; None if it is finished.
    """

    segment: str | None
    job: str
    after: str | None


Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


def no_progress(what: str, done: int, total: int) -> None:
    """Report nothing."""


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
    """Result of a check; ``problems`` is empty if nothing is missing, doubled or damaged."""

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
