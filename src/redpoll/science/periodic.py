"""Science module: whether the source varies with a period, and with which."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll import Column, science_module
from redpoll.astro.night_steps import night_steps
from redpoll.astro.periods import Periods, multiband_periods
from redpoll.astro.photometry import flux_from_mag
from redpoll.astro.ragged import owners, scattered
from redpoll.schema.bands import BANDS, DETECTION, FORCED
from redpoll.schema.light_curve import LightCurves

OUTPUTS = {
    "period": Column("float32", "d", "Best period, significant or not; null where none was looked for."),
    "period_err": Column("float32", "d", "One-sigma error of period, if its peak is the right one.", indexed=False),
    "period_log10_fap": Column(
        "float32", doc="Logarithm of the chance of such a peak in white noise.", aggregate="min"
    ),
    "period_power": Column("float32", doc="Share of the variance that the period explains, 0..1.", indexed=False),
    "period_log10_odds": Column(
        "float32", doc="Logarithm of the odds of period against the next best and its daily aliases.", indexed=False
    ),
    "period_amplitude": Column(
        "float32",
        "mag",
        "Half of the range in the alert's band, on top of the reference source; null without one.",
        indexed=False,
    ),
    "period_cycles": Column(
        "float32", doc="Periods between the first and the last of the searched points.", indexed=False
    ),
    "period_points": Column("int32", doc="Points that were searched; 0 without a search.", indexed=False),
    "is_periodic": Column(
        "bool", doc="The period is significant, and no other is nearly as good.", assigns="variable_star", indexed=False
    ),
}


@science_module(version="3", outputs=OUTPUTS, compile_group="statistics")
def periodic(
    mjd: NDArray[np.float64],
    band: NDArray[np.object_],
    roid: NDArray[np.int8],
    reference_mag: NDArray[np.float32],
    light_curve: LightCurves,
    *,
    min_points: int = 20,
    max_points: int = 200,
    days: float = 400.0,
    shortest: float = 0.1,
    max_log10_fap: float = -5.0,
    min_log10_odds: float = 3.0,
    min_power: float = 0.5,
    min_cycles: float = 4.0,
    min_nights: int = 8,
    min_ratio: float = 0.75,
    sure_power: float = 0.9,
) -> dict[str, NDArray[np.generic]]:
    """Best period of the difference fluxes of the last `days`, all bands together, from `shortest` days on.

    Fluxes need no reference; detections and forced photometry of both signs count, the newest `max_points` of them.
    Solar-system objects are left out. Few points fit many periods: one counts only if it is `min_log10_odds` more
    likely than the next best and than its daily aliases, and after `min_cycles` and `min_nights` with a detection. The
    chance of a peak is that of white noise, and any slow rise and fall, such as a supernova's, looks like one cycle or
    two. Nor does a period count if the curve is smooth from night to night (von Neumann's ratio below `min_ratio`) and
    it is shorter than two such steps, unless it explains `sure_power` of the variance: sampled slowly, a slow change
    fits many short ones.

    References
    ----------
    VanderPlas & Ivezic 2015, ApJ 812, 18; Baluev 2008, MNRAS 385, 1279.
    """
    recent = light_curve.of_kind(DETECTION, FORCED).since(mjd - days)
    found, amplitude = _search(recent, roid < 2, shortest, min_points, max_points)
    code = np.array([BANDS.index(b) if b in BANDS else -1 for b in band], np.int64)
    flux = np.where(code >= 0, np.take_along_axis(amplitude, np.maximum(code, 0)[:, None], 1)[:, 0], np.nan)
    is_periodic = (
        (found["cycles"] >= min_cycles)
        & (found["fap"] <= max_log10_fap)
        & (found["odds"] >= min_log10_odds)
        & (found["power"] >= min_power)
        & (found["nights"] >= min_nights)
        & ~_is_daily(found["period"], found["cycles"], min_cycles)
        & ~(_is_too_short(found, min_ratio) & (found["power"] < sure_power))
    )
    columns = (
        found["period"], found["err"], found["fap"], found["power"], found["odds"], _in_mag(flux, reference_mag),
        found["cycles"], np.nan_to_num(found["n"]).astype(np.int32), is_periodic,
    )  # fmt: skip
    return dict(zip(OUTPUTS, columns, strict=True))


def _search(
    curves: LightCurves, wanted: NDArray[np.bool_], shortest: float, min_points: int, max_points: int
) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.float64]]:
    """Numbers of the best period of each alert and its amplitude in each band, NaN where too few points are left."""
    n = len(curves)
    newest = curves.newest(max_points)
    rows = np.flatnonzero(wanted & (np.diff(newest.offsets) >= min_points))
    chosen = newest.of_alerts(rows)
    found: Periods = multiband_periods(
        chosen.mjd, chosen.flux, chosen.flux_err, chosen.band, chosen.offsets, shortest=shortest, n_bands=len(BANDS)
    )
    amplitude = np.full((n, len(BANDS)), np.nan)
    amplitude[rows] = found.amplitude
    tried = np.where(found.n_frequencies > 0, np.diff(chosen.offsets), np.nan)
    days = (
        np.fmax(chosen.mjd[chosen.offsets[1:] - 1] - chosen.mjd[chosen.offsets[:-1]], 0) if len(rows) else np.empty(0)
    )
    ratio, step = night_steps(chosen.mjd, chosen.band, chosen.flux, chosen.offsets, n_bands=len(BANDS))
    values = {
        "period": found.period, "err": found.period_err, "fap": found.log10_fap, "power": found.power,
        "odds": np.fmin(found.second_log10_odds, found.alias_log10_odds), "cycles": days / found.period, "n": tried,
        "nights": _nights(chosen.of_kind(DETECTION)), "ratio": ratio, "step": step,
    }  # fmt: skip
    return {name: scattered(value, rows, n) for name, value in values.items()}, amplitude


def _nights(seen: LightCurves) -> NDArray[np.int64]:
    """Number of nights with a point; two points half a day apart are of two nights."""
    row = owners(seen.offsets)
    begins = np.ones(len(row), bool)
    begins[1:] = (np.diff(row) != 0) | (np.diff(seen.mjd) >= 0.5)
    return np.bincount(row[begins], minlength=len(seen))


def _is_too_short(found: dict[str, NDArray[np.float64]], min_ratio: float) -> NDArray[np.bool_]:
    """Whether a curve that hardly changes between two nights cannot have a period below two of their steps."""
    return np.asarray((found["ratio"] < min_ratio) & (found["period"] < 2 * found["step"]))


def _is_daily(period: NDArray[np.float64], cycles: NDArray[np.float64], min_cycles: float) -> NDArray[np.bool_]:
    """Whether a period may be what daily sampling makes of something slow, which itself has too few cycles."""
    frequency = 1 / period
    nearest = np.round(frequency)
    return np.asarray((nearest >= 1) & (np.abs(frequency - nearest) * cycles * period < min_cycles))


def _in_mag(flux: NDArray[np.float64], reference_mag: NDArray[np.float32]) -> NDArray[np.float64]:
    """Half range [mag] of a source that swings by `flux` around its reference; NaN where it would reach zero."""
    share = flux / flux_from_mag(reference_mag)
    return 1.25 * np.log10((1 + share) / np.where(share < 1, 1 - share, np.nan))
