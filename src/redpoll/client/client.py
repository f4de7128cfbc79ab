"""The client of one store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.client import objects, tables
from redpoll.client.columns import ColumnNames, checked_columns
from redpoll.client.result import QueryResult, lower
from redpoll.client.selection import Moc, plain_errors, select
from redpoll.errors import NotFound, UsageError
from redpoll.schema.alert import CUTOUTS

if TYPE_CHECKING:
    from redpoll.store import Selection, Store
    from redpoll.store.selection import Order


def open(store: str | PathLike[str]) -> Client:
    """Open a store for reading; a run may write to it at the same time.

    Parameters
    ----------
    store
        Folder of the store, as a path or ``file://`` URL.

    Raises
    ------
    StoreError
        If there is no store, or it cannot be read.

    Examples
    --------
    ::

        with redpoll.open("redpoll-demo/store") as store:
            bright = store.alerts("mag < 18", columns=["object_id", "mag"]).to_pandas()
    """
    if not isinstance(store, str | PathLike):
        raise UsageError(f"a store is named by a path or a URL, not by {type(store).__name__}")
    from redpoll.store import open_store  # brings numba, which an import of the client must not

    return Client(open_store(store if isinstance(store, str) else Path(store), mode="read"))


class Client:
    """Reads alerts, objects, light curves and cutouts of a store; made by `open`.

    Answers are of the time when they are read. It may be shared between threads; close it, or use it in ``with``.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def alerts(
        self,
        where: str | None = None,
        columns: ColumnNames = None,
        *,
        topic: str | None = None,
        class_: str | None = None,
        night: int | None = None,
        cone: Sequence[float] | Sequence[str] | None = None,
        moc: Moc | None = None,
        survey: str | None = None,
        order_by: Order | None = None,
        limit: int | None = None,
    ) -> QueryResult:
        """Alerts that fulfil every condition given; nothing is read before the answer is used.

        Parameters
        ----------
        where
            Expression over any columns, as in filters: ``"mag < 18 and is_rising"``.
        columns
            Names, or ``"all"``; by default the indexed columns, ``topics`` and ``classes``.
        topic
            Alerts that passed this filter.
        class_
            Alerts classified as this class or a subclass of it.
        night
            Alerts of this night, YYYYMMDD.
        cone
            Right ascension, declination (ICRS degrees) and radius (arcsec) of a circle.
        moc
            A region: a file (MOC or STC-S), a ``mocpy.MOC``, or ranges [start, stop) of ``hpx29``.
        survey
            ``"ztf"``, ``"rubin"`` or ``"elasticc"``.
        order_by
            ``"newest"``, ``"oldest"``, ``"separation"`` or ``"hpx29"``; by default nearest first for a cone, else
            newest first.
        limit
            Maximum number of rows; all by default.

        Raises
        ------
        UsageError
            If an argument is invalid, or a column, class or topic does not exist; the message names near ones.
        """
        selection = select(
            self._store, where=where, topic=topic, class_=class_, night=night, cone=cone, moc=moc, survey=survey
        )
        names = checked_columns(columns, self._store.alerts.schema(), has_cone=cone is not None)
        return self._scan(names, selection, order_by, limit)

    def objects(
        self,
        where: str | None = None,
        columns: ColumnNames = None,
        *,
        topic: str | None = None,
        class_: str | None = None,
        night: int | None = None,
        cone: Sequence[float] | Sequence[str] | None = None,
        moc: Moc | None = None,
        survey: str | None = None,
        limit: int | None = None,
    ) -> QueryResult:
        """Summaries of the objects that have an alert that fulfils every condition given, in the order of the alerts.

        The conditions are those of `alerts`; `columns` and `limit` are of the objects.
        """
        selection = select(
            self._store, where=where, topic=topic, class_=class_, night=night, cone=cone, moc=moc, survey=survey
        )
        found = self._scan(["object_id"], selection, None, None)
        return objects.summaries(self._store, found, columns, tables.checked_limit(limit))

    def light_curve(self, object_id: str) -> QueryResult:
        """Measurements of an object from all its packets, in time; NotFound if there is no such object.

        At most 2,000: the newest 1,000 and a thinned past. The ``light_curve`` of the object's alerts has every one.
        """
        return QueryResult.of_table(tables.light_curve(self._store, object_id))

    def cutouts(self, alert_id: int, survey: str | None = None) -> dict[str, NDArray[np.float32]]:
        """Pixels of each cutout of an alert: ``science``, ``template`` and ``difference``, as far as they were sent.

        The first row is the lowest; masked pixels are NaN. `survey` is needed only if alerts of two surveys have the
        identifier. PacketError if a cutout is damaged.
        """
        from redpoll.astro.cutout_file import read_cutout  # brings isal, which only cutouts need

        return {kind: read_cutout(data) for kind, data in self._cutouts(alert_id, survey)}

    def cutout_files(self, alert_id: int, survey: str | None = None) -> dict[str, bytes]:
        """The FITS file of each cutout of an alert, uncompressed."""
        from redpoll.astro.cutout_file import fits_bytes

        return {kind: bytes(fits_bytes(data)) for kind, data in self._cutouts(alert_id, survey)}

    def columns(self) -> QueryResult:
        """The columns that `alerts` can return: name, type, unit, UCD, meaning, and what made them."""
        return QueryResult.of_table(tables.columns(self._store))

    def topics(self, *, night: int | None = None) -> QueryResult:
        """Topics with their number of alerts, over one night or all."""
        counts = self._store.ledger.topics(night=tables.checked_night(night))
        return QueryResult.of_table(tables.counted(counts, "topic", "Filter that the alerts passed."))

    def classes(self, *, night: int | None = None) -> QueryResult:
        """Assigned classes with their number of alerts, over one night or all; subclasses are not counted."""
        counts = self._store.ledger.classes(night=tables.checked_night(night))
        return QueryResult.of_table(tables.counted(counts, "class", "Class of the taxonomy."))

    def ledger(self) -> QueryResult:
        """Packets per survey and night: received, stored, duplicate, rejected, and the reasons."""
        return QueryResult.of_table(self._store.ledger.table())

    def close(self) -> None:
        """Close the store; harmless if done before."""
        self._store.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"redpoll.open({self._store.url!r})"

    def _scan(
        self, names: Sequence[str] | None, selection: Selection, order_by: Order | None, limit: int | None
    ) -> QueryResult:
        limit = tables.checked_limit(limit)
        if not self._store.alerts.schema().names:
            return QueryResult.of_table(tables.no_alerts(names))

        def read(columns: Sequence[str] | None, max_rows: int | None) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
            wanted = names if columns is None else columns
            with plain_errors():
                scan = self._store.alerts.scan(wanted, selection, order_by=order_by, limit=lower(limit, max_rows))
            return scan.schema, iter(scan)

        return QueryResult(read, count_column="alert_id")

    def _cutouts(self, alert_id: int, survey: str | None) -> Iterator[tuple[str, bytes]]:
        number = tables.checked_id(alert_id)
        survey = tables.survey_of(self._store, number, survey)
        row = self._store.alerts.get(number, survey, CUTOUTS)
        found = [(name.removeprefix("cutout_"), row[name][0].as_py()) for name in CUTOUTS]
        if all(data is None for _, data in found):
            raise NotFound(f"alert {alert_id} of {survey} came without cutouts")
        yield from ((kind, data) for kind, data in found if data is not None)
