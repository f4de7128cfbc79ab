"""SLSNe-I as ZTF saw them, real and simulated, reduced to the same photometry and the same nights.

The real curves are a mixture: forced photometry of Chen et al. 2023 (ApJ 943, 41) and of Gomez et al. 2024 (MNRAS
535, 471), of 2018 to 2020, in part from nightly fields of ZTF's partnership, and alerts of the public survey since. All
are corrected for the dust of the Milky Way; half have no other magnitudes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from populations.seen import Seen, is_covered, matched, one_a_night, seen, spaced
from populations.simulated_curves import forced, simulated
from redpoll.astro.photometry import flux_err_from_mag_err, flux_from_mag
from redpoll.learn.curves import LabelledCurve, half
from redpoll.schema.bands import BANDS, DETECTION
from redpoll.simulate.dust import dimming

_NIGHTS = 3
"""A night is left out if it follows the last by less: the public survey's step in 2018 to 2020."""
_FAINTEST = 20.2
_NIGHTS_SIMULATED = 1650
_DECIMALS = 2


@dataclass(frozen=True)
class Photometry:
    """A way of measuring: which sources of the table use it, the nights of its objects, and what it does to a curve."""

    sources: tuple[str, ...]
    first: int
    last: int
    measured: Callable[[LabelledCurve], LabelledCurve]


_PHOTOMETRY = (
    Photometry(("2023ApJ...943...41C", "ThisWork"), 58250, 59200, forced),
    Photometry(("ZTF",), 59140, 59950, lambda curve: curve),
)


def superluminous_pairs(data: Path, part: int, seed: int) -> tuple[list[Seen], list[Seen]]:
    """Real objects of one half, and for each the simulated one of the same photometry nearest in brightness."""
    real, made = [], []
    for way in _PHOTOMETRY:
        some = [s for c in _measured_by(data, way) if half(c.name) == part and _is_kept(s := reduced(c))]
        real += some
        made += matched(some, _simulated(way, 8 * len(some), seed))
    return real, made


def reduced(curve: LabelledCurve) -> Seen:
    """One exposure of each band a night, on nights three or more apart, to a hundredth of a magnitude."""
    some = spaced(one_a_night(seen(curve)), nights=_NIGHTS)
    return replace(some, mag=some.mag.round(_DECIMALS), mag_err=some.mag_err.round(_DECIMALS).clip(min=0.01))


def _is_kept(some: Seen) -> bool:
    return is_covered(some, at_least=10) and some.mag.min() < _FAINTEST


def _simulated(way: Photometry, n: int, seed: int) -> list[Seen]:
    def as_measured(curve: LabelledCurve) -> Seen:
        return reduced(_without_dust(way.measured(curve)))

    def keep(curve: LabelledCurve) -> bool:
        some = as_measured(curve)
        return _is_kept(some) and bool(way.first < some.mjd[some.brightest] < way.last)

    first = way.last - _NIGHTS_SIMULATED + 100
    curves = simulated("slsn", n, seed, first=first, nights=_NIGHTS_SIMULATED, depth=_FAINTEST, keep=keep)
    return [as_measured(curve) for curve in curves]


def _without_dust(curve: LabelledCurve) -> LabelledCurve:
    """The curve corrected for the dust of the Milky Way before it."""
    factor = 10.0 ** (0.4 * dimming(np.array([curve.about["ebv"]]))[0, curve.band])
    return replace(curve, flux=curve.flux * factor, flux_err=curve.flux_err * factor)


def _measured_by(data: Path, way: Photometry) -> list[LabelledCurve]:
    """Detections of the objects that most were measured in this way, and only the points of this way."""
    p = pd.read_parquet(data / "labelled" / "slsn_I_photometry.parquet").sort_values("MJD")
    p = p[
        (p.Instrument == "ZTF") & (p.Ignore != "True") & (p.UL != "True") & (p.MagErr > 0) & p.Filter.isin(["g", "r"])
    ]
    p = p.assign(chosen=p.Source.isin(way.sources))
    p = p[p.chosen & (p.groupby("name").chosen.transform("mean") > 0.5)]
    return [_curve(str(name), points) for name, points in p.groupby("name")]


def _curve(name: str, points: pd.DataFrame) -> LabelledCurve:
    flux = flux_from_mag(points.Mag.to_numpy(float))
    err = flux_err_from_mag_err(points.MagErr.to_numpy(float), flux)
    kind = np.full(len(flux), DETECTION)
    return LabelledCurve(
        name, "slsn", points.MJD.to_numpy(), points.Filter.map(BANDS.index).to_numpy(), flux, err, kind
    )
