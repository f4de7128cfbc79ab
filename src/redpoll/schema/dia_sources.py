"""Light-curve points of packets of Rubin's kind, in which each survey and version has its own names of fields."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from redpoll.schema.bands import BANDS, UPPER_LIMIT
from redpoll.schema.fields import codes_of, field, floats, identifier
from redpoll.schema.history import Points, items


@dataclass(frozen=True)
class SourceFields:
    """Names of the fields of a source; fluxes and errors in nJy, times MJD TAI."""

    mjd: str
    band: str
    flux: str
    flux_err: str
    noise: str = "diaNoise"

    def points(self, sources: pa.Array, row: NDArray[np.int64], kind: NDArray[np.int8]) -> Points:
        """One point a source, in their order."""
        flux, flux_err = floats(sources, self.flux).astype(np.float32), errors(sources, self.flux_err)
        return Points(row, floats(sources, self.mjd), self.bands(sources), flux, flux_err, kind)

    def bands(self, sources: pa.Array) -> NDArray[np.int8]:
        """Codes of the bands; "Y", as the filter is often written, is y."""
        codes = codes_of(field(sources, self.band, dtype=pa.string()), (*BANDS, "Y"))
        return np.where(codes == len(BANDS), np.int8(BANDS.index("y")), codes)

    def measured(self, lists: pa.Array, kind: int) -> Points:
        """Points of the sources in a list column that have a flux."""
        sources, row = items(lists)
        found = self.points(sources, row, np.full(len(row), kind, np.int8))
        return found.kept(np.isfinite(found.flux))

    def upper_limits(self, lists: pa.Array) -> Points:
        """Points of non-detections; the noise is the one-sigma depth."""
        limits, row = items(lists)
        depth, none = errors(limits, self.noise), np.full(len(row), np.nan, np.float32)
        kind = np.full(len(row), UPPER_LIMIT, np.int8)
        return Points(row, floats(limits, self.mjd), self.bands(limits), none, depth, kind).kept(np.isfinite(depth))


def errors(sources: pa.Array, path: str) -> NDArray[np.float32]:
    """One-sigma errors; NaN unless positive."""
    found = floats(sources, path).astype(np.float32)
    return np.where(found > 0, found, np.float32(np.nan))


def identifier_text(packets: pa.StructArray, *paths: str) -> pa.Array:
    """An identifier as text; null for 0, which Rubin sends for none."""
    number = identifier(packets, *paths)
    return pc.if_else(pc.equal(number, 0), None, number).cast(pa.string())
