"""Quality cuts: alerts that fail one are counted with the reason, and not processed.

The defaults in `redpoll.config` are those that Fink applies: for ZTF no bad pixel, a real-bogus score of at least 0.55
and no i band; for Rubin none.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from redpoll.config import Cuts
from redpoll.schema.names import CUT


class CutFailure(NamedTuple):
    """The cut that an alert fails, and the value that fails it as text; None if it is missing."""

    reason: str
    value: str | None


def cut_failures(alerts: pa.RecordBatch, cuts: Cuts) -> dict[int, CutFailure]:
    """Row -> failure of every alert that fails a cut, by the first cut that fails; a missing value fails.

    >>> batch = pa.record_batch({"real_bogus": pa.array([0.9, 0.2]), "band": ["g", "r"]})
    >>> cut_failures(batch, Cuts(min_real_bogus=0.5))
    {1: CutFailure(reason='cut: real_bogus < 0.5', value='0.2')}
    """
    failures: dict[int, CutFailure] = {}
    for failed, name, limit in _checks(alerts, cuts):
        for row in np.flatnonzero(failed).tolist():
            if row not in failures:
                failures[row] = CutFailure(f"{CUT}{name} {limit}", _text(alerts[name], row))
    return failures


def _checks(alerts: pa.RecordBatch, cuts: Cuts) -> list[tuple[NDArray[np.bool_], str, str]]:
    checks = []
    if cuts.max_bad_pixels is not None:
        good = pc.less_equal(alerts["n_bad_pixels"], cuts.max_bad_pixels)
        checks.append((good, "n_bad_pixels", f"> {cuts.max_bad_pixels}"))
    if cuts.min_real_bogus is not None:
        good = pc.greater_equal(alerts["real_bogus"], pa.scalar(cuts.min_real_bogus, alerts["real_bogus"].type))
        checks.append((good, "real_bogus", f"< {cuts.min_real_bogus}"))
    if cuts.bands is not None:
        good = pc.is_in(alerts["band"].cast(pa.string()), value_set=pa.array(cuts.bands, pa.string()))
        checks.append((good, "band", f"not in {', '.join(cuts.bands)}"))
    return [(_is_false(good), name, limit) for good, name, limit in checks]


def _is_false(good: pa.Array) -> NDArray[np.bool_]:
    return ~np.asarray(good.fill_null(False).to_numpy(zero_copy_only=False), bool)


def _text(column: pa.Array, row: int) -> str | None:
    """A value with no more digits than its type has: 0.41 of float32 is not 0.4099999964237213."""
    value = column[row].as_py()
    return None if value is None else str(np.float32(value) if column.type == pa.float32() else value)
