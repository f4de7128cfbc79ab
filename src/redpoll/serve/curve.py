"""The light curve of an object as pages draw it: magnitudes, upper limits, and which point is which."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.astro.photometry import limiting_mag, mag_err_from_flux, mag_from_flux
from redpoll.schema.bands import BANDS, DETECTION, FORCED, KINDS, LOW_QUALITY, UPPER_LIMIT

FORCED_SIGMA = 3.0
"""A forced point below this many sigma is drawn as an upper limit on a magnitude axis."""


@dataclass(frozen=True)
class Curve:
    """Points of one object, time-sorted: mjd (TAI days), flux and flux_err (nJy, NaN where unknown), codes.

    ``band`` and ``kind`` index ``BANDS`` and ``KINDS``, -1 where unknown.
    """

    mjd: NDArray[np.float64]
    band: NDArray[np.int8]
    flux: NDArray[np.float64]
    flux_err: NDArray[np.float64]
    kind: NDArray[np.int8]

    @classmethod
    def from_table(cls, table: pa.Table) -> Curve:
        """Curve of a table with the columns of ``POINT_TYPE``; points without a time are left out."""
        numbers = [np.array(table[name].to_pylist(), np.float64) for name in ("mjd", "flux", "flux_err")]
        keep = np.isfinite(numbers[0])
        mjd, flux, flux_err = (n[keep] for n in numbers)
        band, kind = (
            _codes(table[name].to_pylist(), names)[keep] for name, names in (("band", BANDS), ("kind", KINDS))
        )
        return cls(mjd, band, flux, flux_err, kind)

    def __len__(self) -> int:
        return len(self.mjd)

    @cached_property
    def is_upper_limit(self) -> NDArray[np.bool_]:
        """Which points a magnitude axis shows as five-sigma upper limits."""
        faint = (self.kind == FORCED) & ~(self.flux >= FORCED_SIGMA * self.flux_err)
        return np.asarray((self.kind == UPPER_LIMIT) | faint)

    @cached_property
    def mag(self) -> NDArray[np.float64]:
        """AB magnitude of |flux|, or the five-sigma upper limit where `is_upper_limit`; NaN where neither is known."""
        return np.asarray(np.where(self.is_upper_limit, limiting_mag(self.flux_err), mag_from_flux(self.flux)))

    @cached_property
    def mag_err(self) -> NDArray[np.float64]:
        """One-sigma error of `mag`; NaN for upper limits."""
        return np.asarray(np.where(self.is_upper_limit, np.nan, mag_err_from_flux(self.flux, self.flux_err)))

    @cached_property
    def is_negative(self) -> NDArray[np.bool_]:
        """Points fainter than in the template, whose magnitude is that of the missing flux."""
        return np.asarray(~self.is_upper_limit & (self.flux < 0))

    def bands(self) -> list[tuple[str, dict[str, int]]]:
        """Each band that has points, in order, with how many points of each kind it has."""
        counts = {
            b: np.bincount(self.kind[(self.band == b) & (self.kind >= 0)], minlength=4) for b in range(len(BANDS))
        }
        return [
            (BANDS[b], {name: int(n) for name, n in zip(KINDS, count, strict=True)})
            for b, count in counts.items()
            if count.sum()
        ]

    def n_of(self, kind: int) -> int:
        """How many points are of this kind."""
        return int((self.kind == kind).sum())

    def summary(self) -> str:
        """One sentence for a reader who does not see the plot."""
        if not len(self):
            return "No photometry."
        span = f"{self.mjd[-1] - self.mjd[0]:.1f} days" if len(self) > 1 else "one moment"
        bands = ", ".join(f"{name} ({sum(n.values())})" for name, n in self.bands())
        counts = {
            "detections": DETECTION,
            "forced points": FORCED,
            "upper limits": UPPER_LIMIT,
            "of low quality": LOW_QUALITY,
        }
        kinds = ", ".join(f"{self.n_of(code)} {name}" for name, code in counts.items() if self.n_of(code))
        return f"{len(self)} points over {span}: {kinds or 'of unknown kind'}. Bands: {bands or 'unknown'}."


def _codes(names: list[str | None], known: tuple[str, ...]) -> NDArray[np.int8]:
    code = {name: i for i, name in enumerate(known)}
    return np.array([code.get(name, -1) if name is not None else -1 for name in names], np.int8)
