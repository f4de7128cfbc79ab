"""Real objects and simulated ones of the same class, cut and thinned alike, with their features."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from populations.candidates import (
    Row,
    asteroid_nights,
    doubted,
    image_features,
    known_asteroids,
    nearest,
    real_candidates,
    simulated_asteroids,
    simulated_candidates,
    year,
)
from populations.labelled import tidal_disruptions, type_ia
from populations.pulsating import pulsating, pulsation
from populations.realism_features import Features, cadence, noise, shape
from populations.seen import Seen, is_covered, matched, nightly, seen, thinned
from populations.simulated_curves import forced, simulated
from populations.superluminous import superluminous_pairs
from redpoll.learn.curves import LabelledCurve, half

_SURVEY = {"first": 58240, "nights": 1650}
"""Nights of the BTS curves, 2018-05 to 2022-11."""
_LUNATION = 30
_TDE_DEPTH = 19.8
_TDE_SURVEY = {"first": 58700, "nights": 1650}
_SN_DAYS, _TDE_DAYS = (-10.0, -5.0, 0.0, 5.0, 10.0, 15.0, 20.0, 30.0), (-20.0, -10.0, 0.0, 15.0, 30.0, 60.0, 90.0)


@dataclass(frozen=True)
class Sample:
    """Features of the real and of the simulated rows by group, and the object of each row, real ones first."""

    real: dict[str, list[Features]]
    made: dict[str, list[Features]]
    objects: list[str]

    def groups(self) -> dict[str, tuple[list[Features], list[Features]]]:
        """Rows of each group of features, and of all together."""
        found = {name: (self.real[name], self.made[name]) for name in self.real}
        return found | {"all": (_joined(self.real), _joined(self.made))}


def _joined(groups: dict[str, list[Features]]) -> list[Features]:
    rows: list[Features] = [{} for _ in next(iter(groups.values()))]
    for group in groups.values():
        rows = [a | b for a, b in zip(rows, group, strict=True)]
    return rows


def _of_curves(real: list[Seen], made: list[Seen], days: tuple[float, ...]) -> Sample:
    """Features of curves, the simulated ones matched to the real ones."""
    return _of_matched(real, matched(real, made), days)


def _of_matched(real: list[Seen], made: list[Seen], days: tuple[float, ...]) -> Sample:
    sides = [
        {"cadence": [cadence(s) for s in some], "shape and colour": [shape(s, days) for s in some],
         "noise": [noise(s) for s in some]}
        for some in (real, made)
    ]  # fmt: skip
    return Sample(*sides, [s.name for s in real + made])


def _of_rows(real: list[Row], made: list[Row]) -> Sample:
    """Features that rows hold by group."""
    groups = ("cadence", "shape and colour", "noise")
    sides = [{group: [row[group] for row in rows] for group in groups} for rows in (real, made)]
    return Sample(*sides, [row["object"] for row in real + made])


def sn_ia(data: Path, part: int, seed: int) -> Sample:
    """SNe Ia of the Bright Transient Survey, thinned by their download."""

    def reduced(curve: LabelledCurve) -> Seen:
        return thinned(seen(curve))

    def keep(some: Seen) -> bool:
        return is_covered(some, at_least=10) and some.mag.min() < 19.1

    real = [s for c in type_ia(data) if half(c.name) == part and keep(s := reduced(c))]
    made = simulated("sn_ia", 3 * len(real), seed, **_SURVEY, depth=19.2, keep=lambda c: keep(reduced(c)))
    return _of_curves(real, [reduced(c) for c in made], _SN_DAYS)


def tde(data: Path, part: int, seed: int) -> Sample:
    """TDEs with forced photometry: one point a night and band."""

    def reduced(curve: LabelledCurve) -> Seen:
        return nightly(seen(forced(curve) if "forced_error" in curve.about else curve))

    def keep(some: Seen) -> bool:
        return is_covered(some, at_least=10) and some.mag.min() < _TDE_DEPTH

    curves = tidal_disruptions(data)
    real = [s for c in curves if half(c.name) == part and keep(s := reduced(c))]
    made = simulated("tde", 8 * len(real), seed, **_TDE_SURVEY, depth=_TDE_DEPTH, keep=lambda c: keep(reduced(c)))
    return _of_curves(real, [reduced(c) for c in made], _TDE_DAYS)


def slsn(data: Path, part: int, seed: int) -> Sample:
    """SLSNe-I with photometry of ZTF."""
    return _of_matched(*superluminous_pairs(data, part, seed), _TDE_DAYS)


def rr_lyrae_ab(data: Path, part: int, seed: int) -> Sample:
    """RR Lyrae stars of type ab in Stripe 82; the simulated ones at the exposures of the real ones, of equal errors."""
    real, made = pulsating(data, part, seed)
    sides = [{"shape and colour": [pulsation(c) for c in some]} for some in (real, made)]
    return Sample(*sides, [c.name for c in real + made])


def asteroids(data: Path, part: int, seed: int) -> Sample:
    """Nights of asteroids with alerts in g and r: 30 real asteroids, simulated ones of equal brightness."""
    real = asteroid_nights(known_asteroids(data, part))
    made = nearest(real, asteroid_nights(simulated_asteroids(seed)), "mag")
    return _of_rows(real, made)


def artefacts(data: Path, part: int, seed: int) -> Sample:
    """Packets that ZTF's own classifiers score below 0.3, of both sides; no person has labelled them.

    For each real one the simulated one of a lunation in the same year that is nearest in magnitude. Brokers pass no
    packet with bad pixels: none of the real ones has any.
    """
    real = [candidate for candidate in doubted(real_candidates(data)) if half(candidate["object"]) == part]
    real.sort(key=year)
    made = [row for when, some in groupby(real, year) for row in nearest(list(some), _doubted_in(when, seed), "magpsf")]
    return _of_rows([image_features(c) for c in real], [image_features(c) for c in made])


def _doubted_in(when: str, seed: int) -> list[Row]:
    return doubted(simulated_candidates("bogus", 4_000, seed, night=f"{when}0901", nights=_LUNATION))


POPULATIONS: dict[str, Callable[[Path, int, int], Sample]] = {
    "SN Ia": sn_ia, "TDE": tde, "SLSN-I": slsn, "RR Lyrae": rr_lyrae_ab, "asteroid": asteroids, "artefact": artefacts,
}  # fmt: skip
"""Every class with real data, and the function that reads and simulates it."""
