"""Magnitudes of the whole light by Fink's definition."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
from fink.comparison import Agreement, compare
from fink.packets import answers, number

from redpoll.astro.photometry import apparent_photometry
from redpoll.plugin.columns import Columns


def apparent(packets: list[dict[str, Any]]) -> list[Agreement]:
    """`apparent_photometry` of the decoded alerts against the sum of fluxes from the packets' magnitudes."""
    rows = answers(packets, _apparent_columns)
    print(
        "\nof ours, upper limits (the sum is below 1.0857 of its error):",
        sum(bool(row["is_upper_limit"]) for row in rows),
    )
    defined = np.array([_dc(packet["candidate"]) for packet in packets]).T
    measured = [dict.fromkeys(row) if row["is_upper_limit"] else row for row in rows]
    ours = np.array([[number(row[name]) for row in measured] for name in ("mag", "mag_err")])
    kinds = ("DC magnitude", "error of the DC magnitude")
    return [
        compare(name, a, b, scale=1, tolerance=1e-4, means="1e-4 mag")
        for name, a, b in zip(kinds, ours, defined, strict=True)
    ]


def _apparent_columns(batch: pa.RecordBatch) -> dict[str, pa.Array]:
    columns = Columns(batch)
    found = apparent_photometry(*(columns.numpy(n) for n in ("flux", "flux_err", "reference_mag", "reference_mag_err")))
    return {
        "mag": pa.array(found.mag),
        "mag_err": pa.array(found.mag_err),
        "is_upper_limit": pa.array(found.is_upper_limit),
    }


def _dc(candidate: dict[str, Any]) -> tuple[float, float]:
    """Magnitude and error of reference and difference flux together; NaN where the sum is not positive."""
    m, e, r, s = (candidate[k] for k in ("magpsf", "sigmapsf", "magnr", "sigmagnr"))
    if r is None or s is None or r < 0:
        return math.nan, math.nan
    reference, change = 10 ** (-0.4 * r), 10 ** (-0.4 * m)
    total = reference + (change if candidate["isdiffpos"] in ("t", "1") else -change)
    if total <= 0:
        return math.nan, math.nan
    return -2.5 * math.log10(total), math.hypot(change * e, reference * s) / total
