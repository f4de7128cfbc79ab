"""Fink's modules from its packages, one round at a time; runs in Fink's environment, for `benchmarks/fink_speed.py`.

The first line of the standard input is a JSON object with the files, the alerts and the positions; every other names a
module to run once. Each answer is a line of JSON. The modules are called as functions on pandas Series of what Spark
would hand them; preparing these is not timed.
"""

from __future__ import annotations

import io
import json
import os
import platform
import sys
import tarfile
import time
import warnings
from importlib import import_module
from importlib.metadata import version

import fastavro
import numpy as np
import pandas as pd

HISTORY = {
    "magpsf": "f4", "sigmapsf": "f4", "diffmaglim": "f4", "jd": "f8", "fid": "i4", "distnr": "f4", "magnr": "f4",
    "sigmagnr": "f4", "isdiffpos": "O",
}  # fmt: skip
"""Fields that Fink joins from the history and the alert, with their types."""
CATALOGUES = (("gcvs", 1.5), ("vsx", 1.5), ("3hsp", 60.0), ("4lac", 60.0))
"""With the radii of Fink's chain [arcsec]."""
ELEPHANT = {
    "image_shape": [63, 63],
    "sigma_clipping_kwargs": {"sigma": 3, "maxiters": 10},
    "hostless_detection_with_clipping": {
        "crop_radius": 7, "max_number_of_pixels_clipped": 5, "min_number_of_pixels_clipped": 3
    },
}  # fmt: skip
"""The documented settings; the package lacks the file that holds them."""
DRAWS = 10_000
ABSENT = ("kilonova", "microlensing", "random_forest_snia", "snn", "hostless_detection")
"""Modules that are in the package, to see why they cannot be imported."""


class Alerts:
    """The alerts as Fink's modules get them."""

    def __init__(self, task):
        packets = {packet["candid"]: packet for name in task["files"] for packet in _packets(name)}
        self.packets = [packets[candid] for candid in task["alerts"]]
        self.lists = {name: [_joined(packet, name) for packet in self.packets] for name in HISTORY}
        self.series = {name: pd.Series([np.array(x, HISTORY[name]) for x in values])
                       for name, values in self.lists.items()}  # fmt: skip
        self.ids = pd.Series([packet["candid"] for packet in self.packets])
        self.objects = pd.Series([packet["objectId"] for packet in self.packets])
        chosen = set(task["cutouts"])
        self.cutouts = [
            (p["cutoutScience"]["stampData"], p["cutoutTemplate"]["stampData"])
            for p in self.packets if p["candid"] in chosen
        ]  # fmt: skip
        self.scores = {name: pd.Series(values) for name, values in task["scores"].items()}
        self.positions = {name: pd.Series(task[name]) for name in ("ra", "dec")}

    def candidate(self, name):
        """One field of the alerts themselves; NaN where there is none."""
        return pd.Series([packet["candidate"].get(name) for packet in self.packets], dtype=float)


def _packets(name):
    with tarfile.open(name) as archive:
        for member in archive:
            yield next(fastavro.reader(io.BytesIO(archive.extractfile(member).read())))


def _joined(packet, name):
    return [point.get(name) for point in [*(packet["prv_candidates"] or []), packet["candidate"]]]


def _plain(module, name):
    """The Python function in one of Spark's."""
    return getattr(import_module(module), name).func


def n_points(alerts):
    run = _plain("fink_science.ztf.nalerthist.processor", "nalerthist")
    return (lambda: run(alerts.series["magpsf"])), lambda found: int((found > 0).sum())


def roid(alerts):
    run = _plain("fink_science.ztf.asteroids.processor", "roid_catcher")
    one = [alerts.candidate(name) for name in ("ndethist", "sgscore1", "ssdistnr", "distpsnr1")]
    return (lambda: run(alerts.series["jd"], alerts.series["magpsf"], *one)), lambda found: int((found > 0).sum())


def statistics(alerts):
    run = import_module("fink_science.ztf.ad_features.processor").extract_features_ad_raw
    names = ("magpsf", "jd", "sigmapsf", "fid", "distnr", "magnr", "sigmagnr", "isdiffpos")
    rows = [[alerts.lists[name][i] for name in names] for i in range(len(alerts.packets))]
    rows = [[*row[:4], alerts.objects[i], *row[4:]] for i, row in enumerate(rows)]
    return (lambda: [run(*row) for row in rows]), lambda found: sum(map(_has_number, found))


def _has_number(features):
    return any(np.isfinite(value) for band in features.values() for value in band.values())


def rate(alerts):
    run = _plain("fink_science.ztf.fast_transient_rate.processor", "magnitude_rate")
    one = [alerts.candidate(name) for name in ("magpsf", "sigmapsf", "jd", "jdstarthist", "fid")]
    many = [alerts.series[name] for name in ("magpsf", "sigmapsf", "jd", "fid", "diffmaglim")]
    constants = [pd.Series([value] * len(alerts.packets)) for value in (DRAWS, 1)]
    return (lambda: run(*one, *many, *constants)), lambda found: int(found["mag_rate"].notna().sum())


def blazars(alerts):
    fluxes = _plain("fink_science.ztf.standardized_flux.processor", "standardized_flux")
    state = _plain("fink_science.ztf.blazar_low_state.processor", "quiescent_state")
    names = ("distnr", "magpsf", "sigmapsf", "magnr", "sigmagnr", "isdiffpos", "fid", "jd")
    many = [alerts.series[name] for name in names]

    def run():
        found = fluxes(alerts.ids, alerts.objects, *many)
        return state(alerts.ids, alerts.objects, pd.Series([row["flux"] for row in found]), alerts.series["jd"])

    return run, lambda found: int(sum(row["m2"] != -1 for row in found))


def catalogues(alerts):
    return _catalogues(alerts.ids, alerts.candidate("ra"), alerts.candidate("dec"))


def catalogues_large(alerts):
    ra, dec = alerts.positions["ra"], alerts.positions["dec"]
    return _catalogues(pd.Series(np.arange(len(ra))), ra, dec)


def _catalogues(ids, ra, dec):
    other = _plain("fink_science.ztf.xmatch.processor", "crossmatch_other_catalog")
    mangrove = _plain("fink_science.ztf.xmatch.processor", "crossmatch_mangrove")

    def run():
        found = [other(ids, ra, dec, pd.Series([name]), pd.Series([radius])) for name, radius in CATALOGUES]
        return found, mangrove(ids, ra, dec, pd.Series([60.0]))

    def count(found):
        galaxies = [set(row.values()) != {"None"} for row in found[1]]
        return sum(int((words != "Unknown").sum()) for words in found[0]) + sum(galaxies)

    return run, count


def label(alerts):
    run = import_module("fink_filters.ztf.classification").extract_fink_classification_
    score = alerts.scores
    one = {name: alerts.candidate(name) for name in ("ndethist", "drb", "classtar", "jd", "jdstarthist")}
    args = [score["simbad"], score["roid"], score["mulens"], score["sn_ia"], score["sn"], score["early"],
            *one.values(), score["kilonova"], pd.Series([""] * len(alerts.packets))]  # fmt: skip
    return (lambda: run(*args)), lambda found: int((found != "Unknown").sum())


def hostless(alerts):
    run = import_module("fink_science.ztf.hostless_detection.run_pipeline").HostLessExtragalactic(ELEPHANT)
    return (
        lambda: [run.process_candidate_fink(*pair) for pair in alerts.cutouts],
        lambda found: int(sum(pair[0] > -99 for pair in found)),
    )


MODULES = (n_points, roid, statistics, rate, blazars, catalogues, catalogues_large, label, hostless)


def main():
    warnings.filterwarnings("ignore")
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever the modules print is no answer
    alerts = Alerts(json.loads(sys.stdin.readline()))
    ready, failed = {}, {}
    for module in MODULES:
        found, why = _attempt(module, alerts)
        if why:
            failed[module.__name__] = why
        else:
            ready[module.__name__] = found
    names = ("fink-science", "fink-filters", "fink-utils", "numpy", "pandas", "light-curve", "astropy")
    versions = {"Python": platform.python_version(), **{name: version(name) for name in names}}
    _say(answer, {"versions": versions, "failed": failed, "absent": {name: _why(name) for name in ABSENT}})
    for line in sys.stdin:
        _say(answer, _round(*ready[line.strip()]))


def _round(run, count):
    start = time.process_time()
    found, why = _attempt(run)
    return {"error": why} if why else {"seconds": time.process_time() - start, "answers": count(found)}


def _why(name):
    _, why = _attempt(import_module, f"fink_science.ztf.{name}.processor")
    return why.replace(sys.prefix, "...") or "it can be imported"


def _attempt(function, *arguments):
    """What the function returns, and why it failed; the second is empty if it did not."""
    try:
        return function(*arguments), ""
    except Exception as error:
        return None, f"{type(error).__name__}: {error}"


def _say(answer, what):
    print(json.dumps(what), file=answer, flush=True)


if __name__ == "__main__":
    main()
