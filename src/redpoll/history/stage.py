"""Stored measurements joined to the packet's own: `light_curve`, `history_days` and `n_points` of a batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.astro.time import NIGHT_OFFSET, night_start
from redpoll.errors import SchemaError
from redpoll.schema.alert import COLUMNS, PACKET
from redpoll.schema.column import Column
from redpoll.schema.light_curve import LightCurves
from redpoll.schema.merging import joined
from redpoll.schema.table import extent, packet_light_curves
from redpoll.store import open_store
from redpoll.store.columns import HISTORY_NEWS
from redpoll.store.histories import Histories, HistoryReader, packed_news

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
NEWS = HISTORY_NEWS
NEWS_FIELD = pa.field(NEWS, pa.binary(), metadata={"indexed": "0", "doc": "What the packet adds to stored history."})


class HistoryStage:
    """Joins the stored history of each object to the light curves of a batch.

    An alert sees the points that packets of earlier nights brought that were received before it, and its own packet's.
    It does not see what other packets of its night bring: which of those are stored already depends on how a night is
    cut into blocks and on which worker is ahead, and the survey repeats their measurements in the alert's own packet
    anyway. The alerts of a batch are in the order in which they were received, and what one adds to the history of its
    object is seen by those after it. So the same packets in the same order give the same columns however they are cut,
    if batches are processed as `redpoll.pipeline.night_order.NightOrder` demands.

    Parameters
    ----------
    histories
        What is stored; see `HistoryReader`.
    """

    name = "history"
    columns: Mapping[str, Column] = {
        name: COLUMNS[name] for name in ("light_curve", "packet_light_curve", "history_days", "n_points")
    }

    def __init__(self, histories: HistoryReader) -> None:
        self._histories = histories

    def join(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch of one survey with the joined `light_curve`, `history_days` and `n_points`, and `NEWS`.

        `packet_light_curve`, where it is null or missing, becomes what `light_curve` was.

        Raises
        ------
        SchemaError
            If the batch has alerts of several surveys.
        StoreError
            If a stored history is damaged.
        """
        packets = _packets(batch)
        if not batch.num_rows:
            return _with(batch, {"packet_light_curve": packets, NEWS: pa.nulls(0, pa.binary())})
        own, mjd = LightCurves.from_arrow(packets), _floats(batch, "mjd")
        survey, night, before = _survey(batch), _floats(batch, "night"), _before(batch)
        curves, news = self._in_rounds(survey, batch["object_id"].to_pylist(), night, (before, mjd), own)
        added: dict[str, pa.Array] = {"light_curve": curves.to_arrow(), "packet_light_curve": packets}
        added |= extent(curves, mjd) | {NEWS: pa.array([blob or None for blob in news], pa.binary())}
        return _with(batch, added)

    def _in_rounds(
        self, survey: str, names: list[str], night: Floats, times: tuple[Floats, Floats], own: LightCurves
    ) -> tuple[LightCurves, list[bytes]]:
        """Joined light curves and news; of an object with several nights in the batch, one alert after the other.

        A later alert of such an object sees the news of those before it as if they were stored.
        """
        before, mjd = times
        rounds = _rounds(names, night)
        pending: dict[str, list[bytes]] = {}
        news = [b""] * len(names)
        parts: list[tuple[Rows, LightCurves]] = []
        for number in range(int(rounds.max()) + 1):
            rows = np.flatnonzero(rounds == number)
            some = [names[row] for row in rows]
            packets = own.of_alerts(rows)
            stored = self._histories.read(survey, some, before[rows], pending)
            parts.append((rows, joined(stored, packets)))
            for row, name, blob in zip(rows.tolist(), some, packed_news(stored, packets, mjd[rows]), strict=True):
                news[row] = blob
                if blob:
                    pending.setdefault(name, []).append(blob)
        return _together(parts), news


class StoredHistoryStage:
    """Joins the history of each object again to alerts that are stored, whose packets' points are part of it.

    An alert sees what it saw when it was stored, but for three things: points of alerts of earlier nights that were
    received after it; values that were superseded more than 30 days before the newest packet of the object; and points
    that were thinned out since (see `redpoll.store.history_bounds`).

    Parameters
    ----------
    histories
        What is stored; see `HistoryReader`.
    """

    name, columns = HistoryStage.name, HistoryStage.columns

    def __init__(self, histories: HistoryReader) -> None:
        self._histories = histories

    def join(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch of one survey with the joined `light_curve`, `packet_light_curve`, `history_days` and `n_points`.

        Its ``light_curve`` is that of the packets, as the archive has it. SchemaError and StoreError as in
        `HistoryStage.join`.
        """
        packets, mjd = _packets(batch), _floats(batch, "mjd")
        if not batch.num_rows:
            return _with(batch, {"packet_light_curve": packets})
        stored = self._histories.read(_survey(batch), batch["object_id"].to_pylist(), _before(batch))
        curves = joined(stored, LightCurves.from_arrow(packets))
        added: dict[str, pa.Array] = {"light_curve": curves.to_arrow(), "packet_light_curve": packets}
        return _with(batch, added | extent(curves, mjd))


class UnreadHistory:
    """Passes every batch on as it is: for alerts of which no module reads light curves."""

    def join(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The same batch."""
        return batch


def split_news(batch: pa.RecordBatch) -> tuple[pa.RecordBatch, pa.Array | None]:
    """A joined batch without `NEWS`, and that column; None if it has none. Modules and sinks need not see it."""
    return (batch.drop_columns([NEWS]), batch[NEWS]) if NEWS in batch.schema.names else (batch, None)


def with_news(batch: pa.RecordBatch, news: pa.Array | None) -> pa.RecordBatch:
    """The batch with the column `NEWS` again, as the store takes it."""
    return batch if news is None else batch.append_column(NEWS_FIELD, news)


def open_history(store: Path | None) -> HistoryStage:
    """The stage with the histories of the store in a folder, open for reading; StoreError if there is none there.

    With None, every light curve is the packet's own.
    """
    return HistoryStage(Histories(lambda sql, parameters: []) if store is None else open_store(store).histories)


def open_stored_history(store: Path) -> StoredHistoryStage:
    """The stage for alerts of the store in a folder, open for reading; StoreError if there is none."""
    return StoredHistoryStage(open_store(store).histories)


def _rounds(names: Sequence[str], night: Floats) -> Rows:
    """For each alert, how many alerts of its object come before it; 0 for all in a batch of one night."""
    found = np.zeros(len(names), np.int64)
    if len(np.unique(night)) > 1:
        seen: Counter[str] = Counter()
        for row, name in enumerate(names):
            found[row] = seen[name]
            seen[name] += 1
    return found


def _together(parts: Sequence[tuple[Rows, LightCurves]]) -> LightCurves:
    """The light curves of all rows, in the order of the rows."""
    if len(parts) == 1:
        return parts[0][1]
    order = np.argsort(np.concatenate([rows for rows, _ in parts]))
    curves = pa.concat_arrays([curves.to_arrow() for _, curves in parts])
    return LightCurves.from_arrow(curves.take(pa.array(order)))


def _packets(batch: pa.RecordBatch) -> pa.Array:
    """The packets' own light curves, an unknown one being empty."""
    curves = packet_light_curves(batch)
    return curves.fill_null([]) if curves.null_count else curves


def _before(batch: pa.RecordBatch) -> Floats:
    """The time before which a point must have been received for each alert to see it [MJD TAI]."""
    return np.fmin(night_start(_floats(batch, "night"), NIGHT_OFFSET[_survey(batch)]), _floats(batch, "mjd"))


def _survey(batch: pa.RecordBatch) -> str:
    names = batch["survey"].unique().to_pylist()
    if len(names) != 1 or names[0] not in NIGHT_OFFSET:
        raise SchemaError(f"history: a batch holds alerts of one survey; this one of {names}")
    return str(names[0])


def _floats(batch: pa.RecordBatch, name: str) -> NDArray[np.float64]:
    return np.asarray(batch[name].to_numpy(zero_copy_only=False))


def _with(batch: pa.RecordBatch, columns: dict[str, pa.Array]) -> pa.RecordBatch:
    """The batch with these columns replaced, or added before ``packet``."""
    own = [field for field in batch.schema if field.name != PACKET and field.name not in columns]
    made = [NEWS_FIELD if name == NEWS else COLUMNS[name].field(name) for name in columns]
    packet = [field for field in batch.schema if field.name == PACKET]
    order = {name: i for i, name in enumerate(COLUMNS)}
    fields = [*sorted([*own, *made], key=lambda field: order.get(field.name, len(order))), *packet]
    arrays = [columns[f.name] if f.name in columns else batch[f.name] for f in fields]
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields, metadata=batch.schema.metadata))
