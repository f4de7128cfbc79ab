"""Light curves of one simulated class over years of ZTF, as Redpoll's own simulator draws and observes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from redpoll.learn.curves import LabelledCurve
from redpoll.schema.bands import DETECTION, FORCED
from redpoll.simulate import ztf_cadence
from redpoll.simulate.classes.contract import Window
from redpoll.simulate.exposures import Exposures
from redpoll.simulate.instrument import ZTF
from redpoll.simulate.population import Sources, draw_sources
from redpoll.simulate.ztf_forced import forced_error

_FIELDS, _ALERTS, _ROUNDS = 100, 6_000, 60


def simulated(
    name: str, n: int, seed: int, *, first: int, nights: int, depth: float, keep: Callable[[LabelledCurve], bool]
) -> list[LabelledCurve]:
    """`n` curves that pass `keep`, of nights from MJD `first` on, of objects drawn as for a survey of this depth."""
    kept: list[LabelledCurve] = []
    for number in range(_ROUNDS):
        rng = np.random.default_rng([seed, number])
        fields = ztf_cadence.draw_fields(rng, _FIELDS, first + int(rng.integers(365)))
        past = ztf_cadence.PAST_DAYS
        exposures = ztf_cadence.draw_exposures(rng, fields, first + past, nights - past)
        window = Window(first, first + nights, depth, ZTF.bright)
        sources = draw_sources(rng, _ALERTS, window, fields, exposures, ZTF, {name: 1.0})
        kept += [curve for curve in _curves(name, sources, exposures, f"{seed} {number}") if keep(curve)]
        if len(kept) >= n:
            break
    return kept[:n]


def _curves(name: str, sources: Sources, exposures: Exposures, prefix: str) -> Iterator[LabelledCurve]:
    """Every object with all its points; its dust and the errors that forced photometry would have are in `about`."""
    for k, (low, high) in enumerate(zip(sources.offsets[:-1], sources.offsets[1:], strict=True)):
        part = slice(low, high)
        row, flux = sources.row[part], sources.flux[part]
        yield LabelledCurve(
            f"{name} {prefix} {k}", name, exposures.mjd[row], exposures.band[row], flux, sources.flux_err[part],
            np.where(sources.detected[part], DETECTION, FORCED),
            {"forced_error": forced_error(flux, exposures.limiting_mag[row]), "ebv": sources.parameters["ebv"][k]},
        )  # fmt: skip


def forced(curve: LabelledCurve) -> LabelledCurve:
    """The curve as forced photometry has it: other errors, and so other detections."""
    error = curve.about["forced_error"]
    return replace(curve, flux_err=error, kind=np.where(curve.flux > 5 * error, DETECTION, FORCED))
