"""The port Maintenance on the embedded store."""

from __future__ import annotations

from redpoll.store import database
from redpoll.store.check import check
from redpoll.store.compaction import compact
from redpoll.store.layout import Layout
from redpoll.store.pool import ReadPool
from redpoll.store.records import Compacted, Progress, Report, no_progress
from redpoll.store.write_access import WriteAccess


class EmbeddedMaintenance:
    """The port Maintenance on the embedded store."""

    def __init__(self, pool: ReadPool, access: WriteAccess, layout: Layout) -> None:
        self._pool, self._access, self._layout = pool, access, layout

    def compact(self, *, rows_per_pixel: int | None = None, progress: Progress = no_progress) -> list[Compacted]:
        """Sort all committed alerts into one HATS catalogue per survey, in ``archive/hats/<survey>``.

        Parameters
        ----------
        rows_per_pixel
            Maximum number of alerts in one file of the catalogue; by default as many as fit in 256 MB of memory.
        progress
            Called with what is being done, how much is done, and how much there is.

        Raises
        ------
        StoreError
            If the store is open for reading, or the disk is full; the old catalogue then still counts.
        """
        connection = self._access.connection()
        with database.sql_errors(self._layout.index):
            return compact(connection, self._layout, rows_per_pixel=rows_per_pixel, progress=progress)

    def check(self, *, deep: bool = False, progress: Progress = no_progress) -> Report:
        """Compare index, archive and ledger in every row and, if `deep`, in every column."""
        with self._pool.lease() as connection:
            connection.execute("COMMIT")  # the check begins a transaction of its own, after it has listed the files
            return check(connection, self._layout, deep=deep, progress=progress)
