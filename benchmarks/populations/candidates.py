"""ZTF candidates of asteroids and of artefacts, real and simulated, and their features."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import fastavro
import numpy as np
import pandas as pd
from astropy.time import Time

from redpoll.learn.curves import half
from redpoll.simulate.night import draw_night
from redpoll.simulate.recipe import make_recipe
from redpoll.simulate.segment import Segment, Setting, kicks
from redpoll.simulate.ztf_candidates import candidate_columns, detection_columns

Row = dict[str, Any]
_DOUBTED = 0.3
_ASTEROID = ("nid", "fid", "jd", "magpsf", "sigmapsf", "diffmaglim", "ssmagnr", "distnr", "classtar", "drb")
_IMAGE = ("chipsf", "fwhm", "elong", "classtar", "seeratio", "nneg", "nbad", "sumrat", "aimagerat", "bimagerat")


def known_asteroids(data: Path, part: int) -> pd.DataFrame:
    """Alerts of the asteroids of one half."""
    table = pd.read_parquet(data / "solar_system" / "mpc_example.parquet")
    table = table.rename(columns={"i:ssnamenr": "object"} | {f"i:{name}": name for name in _ASTEROID})
    return table[[half(str(name)) == part for name in table.object]][["object", *_ASTEROID]]


def simulated_asteroids(seed: int) -> pd.DataFrame:
    """Alerts of simulated asteroids that are in the catalogue."""
    rows = simulated_candidates("asteroid", 9_000, seed, nights=59)
    table = pd.DataFrame(rows)
    return table[table.ssnamenr != "null"].assign(object=lambda t: "simulated " + t.ssnamenr)[["object", *_ASTEROID]]


def asteroid_nights(table: pd.DataFrame) -> list[Row]:
    """One row a night of an asteroid with alerts in g and r: ``cadence``, ``shape and colour``, ``noise``."""
    found = []
    for (name, _), night in table[table.fid < 3].groupby(["object", "nid"]):
        g, r = night[night.fid == 1], night[night.fid == 2]
        if len(g) and len(r):
            found.append(_asteroid_night(str(name), night, g, r))
    return found


def _asteroid_night(name: str, night: pd.DataFrame, g: pd.DataFrame, r: pd.DataFrame) -> Row:
    depth = night.magpsf + 2.5 * np.log10(1.0857 / night.sigmapsf / 5.0)
    return {
        "object": name, "mag": float(night.magpsf.min()),
        "cadence": {"alerts": float(len(night)), "hours between": 24 * abs(g.jd.mean() - r.jd.mean())},
        "shape and colour": {
            "g - r": g.magpsf.mean() - r.magpsf.mean(),
            "brightest less predicted": (night.magpsf - night.ssmagnr).min(),
            "r less predicted": r.magpsf.mean() - r.ssmagnr.mean(),
        },
        "noise": {
            "error": night.sigmapsf.median(), "upper limit": night.diffmaglim.median(), "implied depth": depth.median(),
        },
    }  # fmt: skip


def nearest(real: list[Row], made: list[Row], by: str) -> list[Row]:
    """For each real row the unused simulated one nearest in a magnitude."""
    mags, free, chosen = np.array([row[by] for row in made]), np.ones(len(made), bool), []
    for row in real:
        best = int(np.where(free, np.abs(mags - row[by]), np.inf).argmin())
        free[best] = False
        chosen.append(made[best])
    return chosen


def real_candidates(data: Path) -> list[Row]:
    """The candidate of every real packet, with its object."""
    found = []
    for path in sorted((data / "ztf").glob("*.tar.gz")):
        with tarfile.open(path) as tar:
            packets = [next(fastavro.reader(io.BytesIO(tar.extractfile(m).read()))) for m in tar]
        found += [packet["candidate"] | {"object": packet["objectId"]} for packet in packets]
    return found


def year(candidate: Row) -> str:
    """Year of a candidate, UTC."""
    return str(Time(candidate["jd"], format="jd").datetime.year)


def simulated_candidates(name: str, n: int, seed: int, *, night: str | None = None, nights: int = 1) -> list[Row]:
    """The candidates of simulated nights of one class, as the packets hold them."""
    recipe = make_recipe("ztf", n, seed, night, 1, None, "archive", {name: 1.0})
    setting, _, _, segments = draw_night(replace(recipe, nights=nights))
    return [row for segment in segments for row in _rows(setting, segment)]


def _rows(setting: Setting, segment: Segment) -> Iterator[Row]:
    """One row an alert of a segment."""
    sources, points = segment.sources, segment.points
    columns = detection_columns(setting, segment, points, kicks(setting, sources)[points])
    columns |= candidate_columns(setting, segment, points, columns)
    names = {"object": [f"simulated {serial}" for serial in sources.serial[sources.index[points]]]}
    for values in zip(*(names | columns).values(), strict=True):
        yield dict(zip(names | columns, values, strict=True))


def doubted(candidates: Iterable[Row]) -> list[Row]:
    """Candidates that the survey's own classifiers score low, without bad pixels, one an object."""
    low = {c["object"]: c for c in candidates if _score(c) < _DOUBTED and not c.get("nbad")}
    return [c for c in low.values() if all(c.get(name) is not None for name in _IMAGE)]


def _score(candidate: Row) -> float:
    score = candidate.get("drb") if candidate.get("drb") is not None else candidate.get("rb")
    return 1.0 if score is None else float(score)


def image_features(candidate: Row) -> Row:
    """Measurements on the difference image, without the scores that chose the candidate."""
    shape = {name: float(candidate[name]) for name in _IMAGE}
    sigma, limit = float(candidate["sigmapsf"]), float(candidate["diffmaglim"])
    aperture = float(candidate["magap"] - candidate["magpsf"])
    return {
        "object": candidate["object"], "mag": float(candidate["magpsf"]),
        "cadence": {"detections so far": float(candidate["ndethist"]), "exposures": float(candidate["ncovhist"])},
        "shape and colour": shape | {"aperture less PSF": aperture, "nearest source": float(candidate["distnr"])},
        "noise": {"error": sigma, "upper limit": limit},
    }  # fmt: skip
