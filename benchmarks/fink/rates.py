"""Magnitude rates by Fink's definition, from random draws."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from fink.comparison import Agreement, compare
from fink.packets import answers, number

from redpoll.plugin.columns import Columns
from redpoll.science.rise_rate import rise_rate

DRAWS = 10_000


RATES = {"mag_rate": 0.05, "mag_rate_err": 0.05, "mag_rate_lower": 0.1, "mag_rate_upper": 0.1}


def rates(packets: list[dict[str, Any]]) -> list[Agreement]:
    """`rise_rate` against 10,000 draws from the latest epoch of any kind in the band, as Fink takes it.

    Differences are in units of the rate's own error. A mean of the draws is off by some hundredth of it.
    """
    draws = [_draws(packet, np.random.default_rng(i)) for i, packet in enumerate(packets)]
    rows = answers(packets, lambda batch: rise_rate.compute(Columns(batch), {}))
    days = np.array([math.nan if d is None else d.days for d in draws])
    ours = {name: np.array([number(row[name]) for row in rows]) for name in (*RATES, "mag_rate_days")}
    is_same = np.abs(ours["mag_rate_days"] - days) < 1e-4
    reasons = Counter(_why_other(p, d) for p, d, s in zip(packets, draws, is_same, strict=True) if d and not s)
    print("\nepochs that differ: " + ", ".join(f"{why} {n}" for why, n in reasons.most_common()))
    is_faded = np.array([p["candidate"]["isdiffpos"] not in ("t", "1") for p in packets])
    print(f"same epoch, but no rate of ours: {int((is_same & np.isnan(ours['mag_rate'])).sum())}, of which the alert "
          f"is fainter than the template: {int((is_same & np.isnan(ours['mag_rate']) & is_faded).sum())}")  # fmt: skip
    found = [
        compare("time since the previous epoch", ours["mag_rate_days"], days, scale=1, tolerance=1e-4, means="1e-4 d")
    ]
    for what, shifts in (("as documented", (0.0, 0.0)), ("as coded (shifted fluxes)", _shifts(draws))):
        theirs = np.array(
            [_summary(d, shifts) if d and s else [math.nan] * 4 for d, s in zip(draws, is_same, strict=True)]
        ).T
        for (name, tolerance), values in zip(RATES.items(), theirs, strict=True):
            mine = np.where(is_same, ours[name], np.nan)
            found.append(compare(f"{name}, {what}", mine, values, scale=theirs[1], tolerance=tolerance,
                                 means=f"{tolerance} of its error"))  # fmt: skip
    return found


@dataclass(frozen=True)
class Draws:
    """Fluxes (zero point 27.5) of an alert and of the epoch before it; whether that was a limit; days between them."""

    flux: np.ndarray
    before: np.ndarray
    from_limit: bool
    days: float


def _draws(packet: dict[str, Any], rng: np.random.Generator) -> Draws | None:
    """Draws of the two fluxes; None without an earlier epoch in the band."""
    own, last = packet["candidate"], _last(packet)
    if last is None or (last["magpsf"] is None and last["diffmaglim"] is None):
        return None
    if from_limit := last["magpsf"] is None:
        before = rng.uniform(0, _flux(last["diffmaglim"]), DRAWS)
    else:
        before = _flux(last["magpsf"]) * rng.normal(1.0, last["sigmapsf"] / 1.0857, DRAWS)
    flux = _flux(own["magpsf"]) * rng.normal(1.0, own["sigmapsf"] / 1.0857, DRAWS)
    return Draws(flux, before, from_limit, own["jd"] - last["jd"])


def _last(packet: dict[str, Any]) -> dict[str, Any] | None:
    earlier = [p for p in packet["prv_candidates"] or [] if p["fid"] == packet["candidate"]["fid"]]
    return earlier[-1] if earlier else None


def _flux(mag: float) -> float:
    return float(10 ** (0.4 * (27.5 - mag)))


def _shifts(draws: list[Draws | None]) -> tuple[float, float]:
    """What Fink's code adds to all fluxes of a batch, to have none that is negative: the size of the smallest draw."""
    known = [d for d in draws if d]
    return abs(min(d.flux.min() for d in known)), abs(min(d.before.min() for d in known if not d.from_limit))


def _summary(d: Draws, shifts: tuple[float, float]) -> list[float]:
    flux, before = d.flux + shifts[0], d.before + (0.0 if d.from_limit else shifts[1])
    with np.errstate(all="ignore"):
        rate = -2.5 * np.log10(flux / before) / d.days
    rate = rate[np.isfinite(rate)]
    return [np.mean(rate), np.std(rate), *np.percentile(rate, [5, 95])]


def _why_other(packet: dict[str, Any], d: Draws) -> str:
    """Why Redpoll takes another epoch."""
    last = _last(packet) or {}
    if d.days < 0.01:
        return "less than 0.01 d before"
    if d.from_limit:
        return "limit that denies a brighter detection before"
    return "low quality (rb < 0.55 or bad pixels)" if (last["nbad"] or 0) > 0 or (last["rb"] or 0) < 0.55 else "other"
