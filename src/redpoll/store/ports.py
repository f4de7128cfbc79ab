"""The ports of the store: for the pipeline to write, and for server, command line and learning to read.

Answers are Arrow tables; a `Scan` or `StoredRows` returns one, or plain rows if they are asked for. The metadata of
each field holds unit, UCD, doc and, for a column that a module or catalogue made, its maker ``by`` (see
``Column.field``). No port knows a path, SQL or a driver. An adapter passes the conformance suite in
``redpoll.testing.store_suite``; ``redpoll.store.open_store`` gives the composition of all ports.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol

import pyarrow as pa
from numpy.typing import NDArray

from redpoll.store.answer import StoredRows
from redpoll.store.records import Commit, Compacted, DeadLetter, Progress, Report, Revision
from redpoll.store.scan import Scan
from redpoll.store.selection import Order, Selection


class Segments(Protocol):
    """Writing of archive segments, in any process of any machine that reaches the store."""

    def write(self, alerts: pa.RecordBatch) -> str:
        """Write and sync a segment that does not count until it is committed; returns its name."""
        ...


class Runs(Protocol):
    """Runs of the one writer of a store."""

    def start(self, command: str) -> int:
        """Open a run and return its number; removes what a crashed run left behind."""
        ...

    def commit(self, commit: Commit) -> int:
        """Commit segment, alerts, topics, classes, dead letters, ledger and rejected alerts; returns the new alerts.

        Alerts that are stored already are left out and counted as duplicates in the ledger.
        """
        ...

    def end(self, status: str) -> None:
        """Close the run: done, interrupted or failed."""
        ...

    def table(self) -> pa.Table:
        """Runs, newest first: run, command, started, ended, status."""
        ...


class Revisions(Protocol):
    """New values of alerts that are stored already; the values before are kept.

    Every reader returns the newest values. What came with the packet cannot be revised: the columns of the data model,
    the packet, cutouts and light curves.
    """

    def write(self, values: pa.RecordBatch, replaced: pa.RecordBatch) -> str:
        """Write and sync new values that do not count until they are committed, in any process; returns their name.

        Parameters
        ----------
        values
            ``survey`` (one), ``alert_id`` (each once), and the columns with new values, null where the new value is
            unknown; ``pass_<topic>`` columns and the whole new ``classes`` of each alert among them. The metadata of
            each field (see ``Column.field``) holds unit, doc, whether it is indexed, and its maker ``by``.
        replaced
            The same alerts in the same order, and the values before, of those columns that existed.

        Raises
        ------
        StoreError
            If a column cannot be revised, the two tables do not belong together, or the disk does not take them.
        """
        ...

    def start(self, job: str, command: str) -> str | None:
        """Open a job, or go on with one; returns the token to go on after, None at its beginning.

        A job that is done or superseded begins again. Removes what a crashed process left behind.
        """
        ...

    def commit(self, revision: Revision) -> int:
        """Make new values and the position of the job count, or nothing; returns how many alerts have new values.

        A segment that was committed before changes nothing, and 0 is returned. StoreError if an alert is not stored,
        the job was not started, or a type does not fit the stored values.
        """
        ...

    def jobs(self) -> pa.Table:
        """Jobs, newest first: job, command, started, updated, status, n_alerts, after.

        A job is running, interrupted, done, or superseded: another one replaced some of its values.
        """
        ...

    def of_alert(self, alert_id: int, survey: str) -> pa.Table:
        """Replaced values of an alert, newest first; no rows if it was never revised, NotFound if it is unknown.

        Columns: column, value_before and value_after (JSON), by_before and by_after (their makers; null if there is
        none), revised (when, ISO 8601), job.
        """
        ...


class Alerts(Protocol):
    """Alerts; safe beside a running writer.

    Besides the stored columns there are ``topics``, the topics an alert passed, ``classes``, every classification of
    it, and, in a scan with a cone, ``separation_arcsec``.
    """

    def exists(self, survey: str, alert_ids: NDArray[Any]) -> NDArray[Any]:
        """Boolean per identifier: is this alert stored already?"""
        ...

    def scan(
        self,
        columns: Sequence[str] | None = None,
        selection: Selection = ...,
        *,
        order_by: Order | None = None,
        after: str | None = None,
        limit: int | None = None,
    ) -> Scan:
        """Any columns of the selected alerts as record batches, in bounded memory however many there are.

        Parameters
        ----------
        columns
            Indexed or archived columns; by default the indexed ones, ``topics`` and ``classes``.
        selection
            Which alerts.
        order_by
            By default nearest first for a cone, else newest first.
        after
            ``Scan.after`` of the page before; rows after that page.
        limit
            Maximum number of rows; all by default.

        Raises
        ------
        UnknownColumn, ExpressionError
            If a column does not exist, or the condition does not fit the columns.
        UsageError
            If the order does not fit the selection, or the token is not of this selection and order.
        """
        ...

    def get(self, alert_id: int, survey: str, columns: Sequence[str] | None = None) -> pa.Table:
        """One alert from the archive, one row: history, added values and cutouts as sent; NotFound if unknown."""
        ...

    def provenance(self, alert_id: int, survey: str) -> dict[str, str]:
        """Column -> module@version for the values added to this alert."""
        ...

    def schema(self) -> pa.Schema:
        """Every stored column with type, unit, UCD, doc, maker, and whether it is indexed and aggregated."""
        ...


class Objects(Protocol):
    """Objects."""

    def get(self, object_id: str) -> StoredRows:
        """Summary, one row: position, first and last time, counts, last magnitudes, aggregates; or NotFound."""
        ...

    def get_all(self, object_ids: Sequence[str]) -> StoredRows:
        """Summaries of objects, one row each, in this order; or NotFound, which names the first that is unknown."""
        ...

    def classifications(self, object_id: str) -> StoredRows:
        """How an object was classified, sorted by class and classifier; or NotFound.

        Columns: ``name``, ``by`` (module@version or catalogue@version), ``first_mjd`` and ``last_mjd`` of the alerts
        so classified, their number ``n_alerts``, ``max_probability`` and ``last_probability`` (null where there is
        none).
        """
        ...

    def light_curve(self, object_id: str) -> pa.Table:
        """Points that the packets of an object brought, sorted by time, as ``POINT_TYPE`` columns; or NotFound.

        One point per exposure and band, at most 2,000: the newest 1,000 and a thinned past (see `HistoryReader`). Every
        point is in the ``light_curve`` of the object's alerts. StoreError if the stored history is damaged.
        """
        ...


class Ledger(Protocol):
    """Counts of packets by outcome, and of alerts by topic and class."""

    def table(self, *, by: Literal["night", "run"] = "night") -> pa.Table:
        """Per survey and night or run, newest first: received, stored, duplicate, rejected, reasons {reason: n}."""
        ...

    def origin(self, alert_id: int, survey: str) -> pa.Table:
        """Run, segment and packet of a stored alert, one row; or NotFound.

        Columns: run, segment, row, and of its packet source and position. Run, source and position are null if a
        rebuild lost them.
        """
        ...

    def topics(self, *, night: int | None = None) -> dict[str, int]:
        """Alerts per topic, over one night or all."""
        ...

    def classes(self, *, night: int | None = None) -> dict[str, int]:
        """Alerts per assigned class, over one night or all; an alert of a subclass is not counted for the class."""
        ...


class Rejected(Protocol):
    """Alerts that a quality cut rejected."""

    def find(
        self,
        *,
        alert_id: int | None = None,
        object_id: str | None = None,
        survey: str | None = None,
        limit: int = ...,
    ) -> pa.Table:
        """Rejected alerts with this identifier or of this object, or all; newest first, at most `limit`.

        Columns: survey, alert_id, object_id, night, mjd, reason, value, and of the last time that it was received:
        run, source, position; ``n`` counts the times. An alert has one row for each reason.
        """
        ...


class DeadLetters(Protocol):
    """Packets that could not be used."""

    def table(self, *, limit: int = 100, reason: str | None = None) -> pa.Table:
        """Newest first, without their bytes: id, received, source, position, reason, n_bytes."""
        ...

    def get(self, id: int) -> DeadLetter:
        """One dead letter with its bytes; NotFound if there is none."""
        ...

    def stream(self, reason: str | None = None) -> Iterator[DeadLetter]:
        """All dead letters with their bytes, oldest first, one at a time; letters may be removed meanwhile."""
        ...

    def dropped(self) -> pa.Table:
        """Letters that were dropped because the limit on their size was reached: reason, n and n_bytes."""
        ...

    def remove(
        self, ids: Sequence[int] | None = None, *, reason: str | None = None, before: datetime | None = None
    ) -> int:
        """Remove letters by their numbers, or all of one reason or received before a time; returns how many."""
        ...


class Maintenance(Protocol):
    """Care of a store."""

    def compact(self, *, rows_per_pixel: int | None = None, progress: Progress = ...) -> list[Compacted]:
        """Sort all committed alerts by position; answers stay the same, also while it runs."""
        ...

    def check(self, *, deep: bool = False, progress: Progress = ...) -> Report:
        """Compare index, archive and ledger in every row and, if `deep`, in every column."""
        ...
