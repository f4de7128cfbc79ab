"""Configurable cuts: alerts beyond them are counted with the reason, and not processed.

The defaults are those that Fink applies: for ZTF no bad pixel, real-bogus score of at least 0.55, no i band; for
Rubin none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


@dataclass(frozen=True)
class Cuts:
    """Cuts of one survey; None switches a cut off. An alert that lacks the value does not pass the cut.

    Examples
    --------
    >>> batch = pa.record_batch({"real_bogus": pa.array([0.9, 0.2]), "band": ["g", "r"]})
    >>> Cuts(min_real_bogus=0.5).failures(batch)
    {1: 'cut: real_bogus < 0.5'}
    """

    min_real_bogus: float | None = None
    max_bad_pixels: int | None = None
    bands: tuple[str, ...] | None = None

    def failures(self, alerts: pa.RecordBatch) -> dict[int, str]:
        """Row -> reason for every alert beyond a cut; the first cut that fails is named."""
        reasons: dict[int, str] = {}
        for failed, reason in self._checks(alerts):
            for row in np.flatnonzero(failed):
                reasons.setdefault(int(row), f"cut: {reason}")
        return reasons

    def _checks(self, alerts: pa.RecordBatch) -> list[tuple[NDArray[np.bool_], str]]:
        checks = []
        if self.max_bad_pixels is not None:
            good = pc.less_equal(alerts["n_bad_pixels"], self.max_bad_pixels)
            checks.append((good, f"n_bad_pixels > {self.max_bad_pixels}"))
        if self.min_real_bogus is not None:
            good = pc.greater_equal(alerts["real_bogus"], pa.scalar(self.min_real_bogus, alerts["real_bogus"].type))
            checks.append((good, f"real_bogus < {self.min_real_bogus}"))
        if self.bands is not None:
            good = pc.is_in(alerts["band"].cast(pa.string()), value_set=pa.array(self.bands, pa.string()))
            checks.append((good, f"band not in {', '.join(self.bands)}"))
        return [(_false(good), reason) for good, reason in checks]


def _false(good: pa.Array) -> NDArray[np.bool_]:
    return ~np.asarray(good.fill_null(False).to_numpy(zero_copy_only=False), bool)
