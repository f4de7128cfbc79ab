"""A light curve as small as a word, for the rows of a table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from redpoll.schema.bands import BANDS, DETECTION
from redpoll.schema.light_curve import POINT_TYPE
from redpoll.serve.curve import Curve

WIDTH, HEIGHT = 112.0, 28.0
_MAX_POINTS = 60
_DOT = "m-1.5-1.5h3v3h-3z"


@dataclass(frozen=True)
class Sparkline:
    """Path data per band, and a sentence for those who do not see it."""

    paths: list[tuple[str, str]]
    title: str


def sparkline(points: list[dict[str, object]] | None) -> Sparkline | None:
    """Sparkline of the detections among light-curve points (dicts of ``POINT_TYPE``); None for fewer than two."""
    known = pa.Table.from_pylist(list(points or ()), schema=pa.schema(list(POINT_TYPE)))
    curve = Curve.from_table(known)
    chosen = np.flatnonzero((curve.kind == DETECTION) & np.isfinite(curve.mag))[-_MAX_POINTS:]
    if len(chosen) < 2:
        return None
    mjd, mag, band = curve.mjd[chosen], curve.mag[chosen], curve.band[chosen]
    x = 3 + (mjd - mjd[0]) / max(float(mjd[-1] - mjd[0]), 1e-6) * (WIDTH - 6)
    y = 3 + (mag - mag.min()) / max(float(mag.max() - mag.min()), 0.2) * (HEIGHT - 6)
    paths = [
        (BANDS[b], "".join(f"M{x[i]:.1f} {y[i]:.1f}{_DOT}" for i in np.flatnonzero(band == b)))
        for b in range(len(BANDS))
        if (band == b).any()
    ]
    title = f"{len(chosen)} detections over {mjd[-1] - mjd[0]:.1f} days, {mag.max():.1f} to {mag.min():.1f} mag"
    return Sparkline(paths, title)
