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
    "period_err": Column("float32", "d", "One-sigma error of period, if its peak is the right one.", hot=False),
    "period_log10_fap": Column("float32", doc="Logarithm of the chance of such a peak in white noise.", best="min"),
    "period_power": Column("float32", doc="Share of the variance that the period explains, 0..1.", hot=False),
    "period_alias_ratio": Column("float32", doc="Power of the best daily alias over that of period.", hot=False),
    "period_amplitude": Column(
        "float32",
        "mag",
        "Half of the range in the alert's band, on top of the reference source; null without one.",
        hot=False,
    ),
    "period_cycles": Column("float32", doc="Periods between the first and the last of the searched points.", hot=False),
    "period_points": Column("int32", doc="Points that were searched; 0 without a search.", hot=False),
    "is_periodic": Column(
        "bool", doc="The period is significant and no alias of a day.", says="variable_star", hot=False
    ),
}


@science_module(version="2", outputs=OUTPUTS)
def periodic(
    mjd: NDArray[np.float64],
    band: NDArray[np.object_],
    roid: NDArray[np.int8],
    reference_mag: NDArray[np.float32],
    light_curve: LightCurves,
    *,
    min_points: int = 20,
    max_points: int = 200,
    shortest: float = 0.1,
    short_days: float = 40.0,
    long_days: float = 400.0,
    shortest_long: float = 5.0,
    max_log10_fap: float = -5.0,
    min_power: float = 0.5,
    min_cycles: float = 4.0,
    min_nights: int = 5,
    min_ratio: float = 0.75,
    sure_power: float = 0.9,
) -> dict[str, NDArray[np.generic]]:
    """Best period of the difference fluxes, all bands together, in two searches.

    The newest `max_points` of the last `short_days` are searched from `shortest` days on, those of the last `long_days`
    from `shortest_long` on; the less probable of the two by chance counts. A search of a year down to hours would cost
    a hundred times as much and finds little more, as rapid variables show their period within weeks. Fluxes need no
    reference; detections and forced photometry of both signs count. Solar-system objects are left out. A period counts
    only after `min_cycles`: the chance of a peak is that of white noise, and any slow rise and fall, such as a
    supernova's, looks like one cycle or two. Nor does it count if the source was detected in fewer than `min_nights`,
    or if the curve is smooth from night to night (von Neumann's ratio below `min_ratio`) and the period shorter than
    two such steps, unless it explains `sure_power` of the variance: sampled slowly, a slow change fits many short ones.

    References
    ----------
    VanderPlas & Ivezic 2015, ApJ 812, 18; Baluev 2008, MNRAS 385, 1279.
    """
    usable = light_curve.of_kind(DETECTION, FORCED)
    numbers = [
        _search(usable.since(mjd - days), roid < 2, least, min_points, max_points)
        for days, least in ((short_days, shortest), (long_days, shortest_long))
    ]
    fast, slow = numbers
    use_slow = np.nan_to_num(slow["fap"], nan=np.inf) < np.nan_to_num(fast["fap"], nan=np.inf)
    found = {
        name: np.where(use_slow, slow[name], fast[name])
        for name in ("period", "err", "fap", "power", "alias", "cycles", "n", "nights", "ratio", "step")
    }
    amplitude = np.where(use_slow[:, None], slow["amplitude"], fast["amplitude"])
    code = np.array([BANDS.index(b) if b in BANDS else -1 for b in band], np.int64)
    flux = np.where(code >= 0, np.take_along_axis(amplitude, np.maximum(code, 0)[:, None], 1)[:, 0], np.nan)
    is_periodic = (
        (found["cycles"] >= min_cycles)
        & (found["fap"] <= max_log10_fap)
        & (found["power"] >= min_power)
        & (found["nights"] >= min_nights)
        & ~_is_daily(found["period"], found["cycles"], min_cycles)
        & ~(_is_too_short(found, min_ratio) & (found["power"] < sure_power))
    )
    columns = (
        found["period"], found["err"], found["fap"], found["power"], found["alias"], _in_mag(flux, reference_mag),
        found["cycles"], np.nan_to_num(found["n"]).astype(np.int32), is_periodic,
    )  # fmt: skip
    return dict(zip(OUTPUTS, columns, strict=True))


def _search(
    curves: LightCurves, wanted: NDArray[np.bool_], shortest: float, min_points: int, max_points: int
) -> dict[str, NDArray[np.float64]]:
    """Numbers of the best period of each alert, NaN where too few points are left."""
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
        "alias": found.alias_power / found.power, "cycles": days / found.period, "n": tried,
        "nights": _nights(chosen.of_kind(DETECTION)), "ratio": ratio, "step": step,
    }  # fmt: skip
    return {name: scattered(value, rows, n) for name, value in values.items()} | {"amplitude": amplitude}


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
