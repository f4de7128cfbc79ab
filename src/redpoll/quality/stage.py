"""The quality stage: usable alerts that are new and within the cuts, with every flag filled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.config import Cuts
from redpoll.quality.cuts import cut_failures
from redpoll.quality.duplicates import Exists, duplicates, nothing_exists
from redpoll.quality.flags import fill_flags
from redpoll.quality.usable import unusable
from redpoll.schema.rows import take_rows

_NOT_CUT: Mapping[int, CutAlert] = MappingProxyType({})


@dataclass(frozen=True)
class CutAlert:
    """An alert that a cut rejected, and the value that failed as text; None if it is missing."""

    alert_id: int
    object_id: str
    mjd: float
    value: str | None


@dataclass(frozen=True)
class LeftOut:
    """Why an alert does not go on; ``is_dead_letter`` if its packet must be kept, ``cut`` if a cut rejected it."""

    survey: str
    night: int | None
    outcome: Literal["duplicate", "rejected"]
    reason: str
    is_dead_letter: bool = False
    cut: CutAlert | None = None


@dataclass(frozen=True)
class QualityResult:
    """Alerts that go on, the row of the given batch that each of them was, and the rows left out."""

    batch: pa.RecordBatch
    rows: NDArray[np.int64]
    left_out: dict[int, LeftOut]


class Quality:
    """Checks alerts in this order: usable, new, within the cuts; then fills the flags of those that go on.

    Parameters
    ----------
    exists
        Which alerts are stored already; by default none.
    cuts
        Cuts by survey; a survey that is not named has none.
    """

    name = "quality"

    def __init__(self, exists: Exists = nothing_exists, cuts: Mapping[str, Cuts] | None = None) -> None:
        self._exists, self._cuts = exists, cuts or {}

    def run(self, batch: pa.RecordBatch) -> QualityResult:
        """Check a batch of one survey."""
        left_out: dict[int, LeftOut] = {}
        rows = np.arange(batch.num_rows, dtype=np.int64)
        bad = unusable(batch)
        batch, rows = _without(batch, rows, bad, left_out, is_dead_letter=True)
        batch, rows = _without(batch, rows, duplicates(batch, self._exists), left_out, outcome="duplicate")
        if batch.num_rows and (cuts := self._cuts.get(batch["survey"][0].as_py())):
            failures = cut_failures(batch, cuts)
            named = {row: _cut_alert(batch, row, failure.value) for row, failure in failures.items()}
            reasons = {row: failure.reason for row, failure in failures.items()}
            batch, rows = _without(batch, rows, reasons, left_out, cut=named)
        return QualityResult(fill_flags(batch), rows, left_out)


class CheckedBefore:
    """Passes every alert on: those that are stored were checked, and their flags filled, before they were stored."""

    def run(self, batch: pa.RecordBatch) -> QualityResult:
        """The same batch, with nothing left out."""
        return QualityResult(batch, np.arange(batch.num_rows, dtype=np.int64), {})


def _cut_alert(batch: pa.RecordBatch, row: int, value: str | None) -> CutAlert:
    alert_id, object_id, mjd = (batch[name][row].as_py() for name in ("alert_id", "object_id", "mjd"))
    return CutAlert(alert_id, object_id, mjd, value)


def _without(
    batch: pa.RecordBatch,
    rows: NDArray[np.int64],
    reasons: Mapping[int, str],
    left_out: dict[int, LeftOut],
    *,
    outcome: Literal["duplicate", "rejected"] = "rejected",
    is_dead_letter: bool = False,
    cut: Mapping[int, CutAlert] = _NOT_CUT,
) -> tuple[pa.RecordBatch, NDArray[np.int64]]:
    """The batch and its row numbers without the rows that have a reason, which are added to `left_out`."""
    if not reasons:
        return batch, rows
    survey, nights = batch["survey"], batch["night"]
    for row, reason in reasons.items():
        facts = (survey[row].as_py(), nights[row].as_py(), outcome, reason, is_dead_letter)
        left_out[int(rows[row])] = LeftOut(*facts, cut.get(row))
    kept = np.setdiff1d(np.arange(batch.num_rows), list(reasons)).astype(np.int64)
    return take_rows(batch, kept), rows[kept]
