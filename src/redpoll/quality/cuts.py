"""Quality cuts: alerts that fail one are counted with the reason, and not processed.

The defaults in `redpoll.config` are those that Fink applies: for ZTF no bad pixel, a real-bogus score of at least 0.55
and no i band; for Rubin none.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from redpoll.config import Cuts


def cut_failures(alerts: pa.RecordBatch, cuts: Cuts) -> dict[int, str]:
    """Row -> reason for every alert that fails a cut, by the first cut that fails; a missing value fails.

    >>> batch = pa.record_batch({"real_bogus": pa.array([0.9, 0.2]), "band": ["g", "r"]})
    >>> cut_failures(batch, Cuts(min_real_bogus=0.5))
    {1: 'cut: real_bogus < 0.5'}
    """
    reasons: dict[int, str] = {}
    for failed, reason in _checks(alerts, cuts):
        for row in np.flatnonzero(failed):
            reasons.setdefault(int(row), f"cut: {reason}")
    return reasons


def _checks(alerts: pa.RecordBatch, cuts: Cuts) -> list[tuple[NDArray[np.bool_], str]]:
    checks = []
    if cuts.max_bad_pixels is not None:
        good = pc.less_equal(alerts["n_bad_pixels"], cuts.max_bad_pixels)
        checks.append((good, f"n_bad_pixels > {cuts.max_bad_pixels}"))
    if cuts.min_real_bogus is not None:
        good = pc.greater_equal(alerts["real_bogus"], pa.scalar(cuts.min_real_bogus, alerts["real_bogus"].type))
        checks.append((good, f"real_bogus < {cuts.min_real_bogus}"))
    if cuts.bands is not None:
        good = pc.is_in(alerts["band"].cast(pa.string()), value_set=pa.array(cuts.bands, pa.string()))
        checks.append((good, f"band not in {', '.join(cuts.bands)}"))
    return [(_is_false(good), reason) for good, reason in checks]


def _is_false(good: pa.Array) -> NDArray[np.bool_]:
    return ~np.asarray(good.fill_null(False).to_numpy(zero_copy_only=False), bool)
