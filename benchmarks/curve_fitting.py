"""How fast the curve fits are, and whether their chi2 is as small as that of other fitters, on real light curves.

    python benchmarks/curve_fitting.py [--objects 150] [--repeats 3] [--only MODEL] [--set NAME]

Rates are the best of the repeats, of CPU seconds of this one thread. An object of a one-band model is its fits in two
bands. The other fitters (scipy, and the `light-curve` package with `iminuit`, which are no part of Redpoll) run on the
same `--objects` curves of each data set, and of the four real ones together, evenly chosen from those with at least as
many points as parameters (and, for Rainbow, two bands). A curve counts as no worse if chi2 <= theirs x 1.001 + 0.001;
where Redpoll gives no fit because no positive amplitude is any good, its chi2 is that of zero flux. The package's
Rainbow with a changing temperature has a prior on the change, which costs it chi2.
"""

from __future__ import annotations

import argparse
import os
import platform
import tarfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import fastavro
import light_curve
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from scipy.optimize import curve_fit, least_squares

from redpoll.astro.curve_fitting import bazin_fit, linexp_fit, paczynski_fit, rainbow_fit, sigmoid_fit
from redpoll.astro.extinction import WAVELENGTH
from redpoll.astro.photometry import flux_err_from_mag_err, flux_from_mag
from redpoll.astro.ragged import by_band

DATA = Path(os.environ.get("REDPOLL_DATA", Path(__file__).parents[2] / "shared" / "data"))
os.environ.setdefault("GLOG_minloglevel", "4")
CODES = {"u": 0, "g": 1, "r": 2, "R": 2, "i": 3, "z": 4, "Y": 5, "y": 5}
LENIENCE, FLOOR = 1.001, 0.001


class Curves(NamedTuple):
    """Light curves of many objects, all bands together, in time order."""

    name: str
    survey: str
    mjd: np.ndarray
    band: np.ndarray
    flux: np.ndarray
    err: np.ndarray
    offsets: np.ndarray


def curves(name: str, survey: str, owner, mjd, band, flux, err) -> Curves:
    """The objects of flat columns, sorted, without what is unknown."""
    table = pd.DataFrame({"owner": owner, "mjd": mjd, "band": band, "flux": flux, "err": err}).dropna()
    table = table[np.isfinite(table[["mjd", "flux", "err"]]).all(axis=1) & (table.err > 0)]
    table = table.sort_values(["owner", "mjd"], kind="stable")
    sizes = table.groupby("owner", sort=True).size().to_numpy()
    columns = [table[c].to_numpy(np.float64) for c in ("mjd", "band", "flux", "err")]
    columns[1] = columns[1].astype(np.int64)
    return Curves(name, survey, *columns, np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64))


def sn_ia() -> Curves:
    """ZTF alert magnitudes of 1,738 SNe Ia."""
    t = pd.read_parquet(DATA / "labelled/ztf_bts_snia_lightcurves.parquet")
    flux = flux_from_mag(t.mag)
    return curves(
        "ZTF SN Ia", "ztf", t.objectId, t.time, t.band.map(CODES), flux, flux_err_from_mag_err(t.magerr, flux)
    )


def tde() -> Curves:
    """ZTF forced photometry of 64 TDE, years long."""
    t = pd.read_parquet(DATA / "labelled/tde_lightcurves.parquet")
    t = t[t["filter"].isin(["g.ztf", "r.ztf", "i.ztf"])]
    return curves(
        "TDE, forced", "ztf", t.name, t.mjd, t["filter"].str[0].map(CODES), t.flux_Jy * 1e9, t.e_flux_Jy * 1e9
    )


def slsn() -> Curves:
    """ZTF detections of SLSNe I."""
    t = pd.read_parquet(DATA / "labelled/slsn_I_photometry.parquet")
    t = t[(t.Instrument == "ZTF") & (t.UL != "True") & (t.Ignore != "True") & (t.MagErr > 0)]
    flux = flux_from_mag(t.Mag)
    return curves("SLSN I", "ztf", t["name"], t.MJD, t.Filter.map(CODES), flux, flux_err_from_mag_err(t.MagErr, flux))


def snpcc() -> Curves:
    """Simulated DES supernovae in griz; every point, negative fluxes too."""
    t = pd.read_parquet(DATA / "snpcc/snpcc_lightcurves.parquet")
    t = t[t.snid.isin(np.unique(t.snid)[:2000])]
    unit = 10 ** (0.4 * (31.4 - 27.5))
    return curves("SNPCC (simulated)", "rubin", t.snid, t.mjd, t.band.map(CODES), t.fluxcal * unit, t.fluxcalerr * unit)


def elasticc() -> Curves:
    """Simulated Rubin supernovae: detections, and forced photometry where there was none."""
    t = pq.read_table(DATA / "elasticc/elasticc_sn_like.parquet", columns=["diaSource", "prvDiaForcedSources", "SNID"])
    rows = []
    for row in t.slice(0, 2500).to_pylist():
        rows += [(row["SNID"], p["midPointTai"], p["filterName"], p["psFlux"], p["psFluxErr"])
                 for p in [row["diaSource"], *(row["prvDiaForcedSources"] or [])]]  # fmt: skip
    f = pd.DataFrame(rows, columns=["id", "t", "b", "y", "e"]).drop_duplicates(["id", "t", "b"])
    return curves("ELAsTiCC (simulated)", "rubin", f.id, f.t, f.b.map(CODES), f.y, f.e)


def ztf_alerts() -> Curves:
    """Objects of the real ZTF packets: five long sequences and the sample."""
    rows = {}
    for archive in ("ztf_sequences", "ztf_sample"):
        with tarfile.open(DATA / f"ztf/{archive}.tar.gz") as tar:
            for member in tar:
                packet = next(fastavro.reader(tar.extractfile(member)))
                for c in [packet["candidate"], *(packet["prv_candidates"] or [])]:
                    if c.get("magpsf") is not None:
                        sign = 1 if c["isdiffpos"] in ("t", "1") else -1
                        rows[packet["objectId"], c["jd"]] = (c["fid"], sign, c["magpsf"], c["sigmapsf"])
    keys, values = np.array(list(rows)), np.array(list(rows.values()))
    flux = flux_from_mag(values[:, 2], values[:, 1] > 0)
    mjd = keys[:, 1].astype(float) - 2400000.5
    return curves("ZTF alerts", "ztf", keys[:, 0], mjd, values[:, 0], flux, flux_err_from_mag_err(values[:, 3], flux))


def together(name: str, sets: list[Curves]) -> Curves:
    """The objects of several sets of one survey as one."""
    offsets = np.concatenate([[0], *(np.diff(c.offsets) for c in sets)]).cumsum()
    columns = (np.concatenate([getattr(c, f) for c in sets]) for f in ("mjd", "band", "flux", "err"))
    return Curves(name, sets[0].survey, *columns, offsets)


def in_each_band(c: Curves) -> Curves:
    """Every band of every object as a curve of its own; empty ones dropped."""
    order, offsets = by_band(c.offsets, c.band.astype(np.int8), np.ones(len(c.mjd), bool), 6)
    offsets = np.unique(offsets)
    return Curves(c.name, c.survey, c.mjd[order], c.band[order], c.flux[order], c.err[order], offsets)


def rise_of(c: Curves) -> Curves:
    """The points up to the surely brightest one (highest flux less its error) of each curve."""
    keep = np.zeros(len(c.mjd), bool)
    for a, b in zip(c.offsets[:-1], c.offsets[1:], strict=True):
        keep[a : a + 1 + np.argmax((c.flux - c.err)[a:b])] = True
    sizes = np.add.reduceat(keep, c.offsets[:-1])
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    return Curves(c.name, c.survey, *(x[keep] for x in (c.mjd, c.band, c.flux, c.err)), offsets)


# --- the other fitters: chi2 of one curve, infinite where they fail -------------------------------------------------


def scipy_chi2(shape: Callable, starts, t, y, e) -> float:
    """Best of scipy's two ways to fit, each from every start."""
    best = np.inf
    for start in starts:
        for way in (_by_curve_fit, _by_least_squares):
            try:
                chi2 = way(shape, start, t, y, e)
            except (RuntimeError, TypeError, ValueError, np.linalg.LinAlgError):  # no convergence; too few; overflow
                continue
            best = min(best, chi2) if np.isfinite(chi2) else best
    return best


def _by_curve_fit(shape: Callable, start, t, y, e) -> float:
    p, _ = curve_fit(shape, t, y, start, e, absolute_sigma=True, maxfev=2000)
    return float(np.sum(((shape(t, *p) - y) / e) ** 2))


def _by_least_squares(shape: Callable, start, t, y, e) -> float:
    return 2 * least_squares(lambda p: (shape(t, *p) - y) / e, start, x_scale="jac", max_nfev=200).cost


def sigmoid(t, a, tau, t0):
    return a / (1 + np.exp(-(t - t0) / tau))


def bazin(t, a, t0, fall, rise, b):
    return abs(a) * np.exp(-(t - t0) / abs(fall)) / (1 + np.exp(-(t - t0) / abs(rise))) + b


def linexp(t, a, t0, tau, b):
    x = np.maximum((t - t0) / tau, 0)
    return abs(a) * x * np.exp(1 - x) + b


def lens(t, f, t0, te, u0, b):
    u2 = u0**2 + ((t - t0) / te) ** 2
    return abs(f) * ((u2 + 2) / np.sqrt(u2 * (u2 + 4)) - 1) + b


def sigmoid_theirs(t, y, e, band) -> float:
    half = t[np.argmin(np.abs(y - y.max() / 2))]
    span = max(np.ptp(t), 1)
    return scipy_chi2(sigmoid, [(y.max(), span / 8, half), (y.max(), -span / 8, half)], t, y, e)


def bazin_theirs(t, y, e, band) -> float:
    best, span, peak = np.inf, max(np.ptp(t), 1), t[np.argmax(y)]
    if len(t) > 5:
        scale = np.abs(y).max()
        for way in ("lmsder", "ceres"):
            answer = light_curve.BazinFit(way)(t - t[0], y / scale, e / scale, sorted=True, check=False)
            best = min(best, answer[-1] * (len(t) - 5))
    return min(best, scipy_chi2(bazin, [(2 * y.max(), peak, span / 4, span / 20, 0.0)], t, y, e))


def linexp_theirs(t, y, e, band) -> float:
    span, peak = max(np.ptp(t), 1), t[np.argmax(y)]
    return scipy_chi2(
        linexp, [(y.max(), peak - span / 8, span / 8, 0), (y.max(), peak + span / 8, -span / 8, 0)], t, y, e
    )


def linexp_package(t, y, e, band) -> float:
    """The package's linexp has no foot: it goes on below zero."""
    if len(t) < 5:
        return np.inf
    scale = np.abs(y).max()
    args = t - t[0], y / scale, e / scale
    answers = [light_curve.LinexpFit(w)(*args, sorted=True, check=False) for w in ("lmsder", "ceres")]
    return min(a[-1] for a in answers) * (len(t) - 4)


def paczynski_theirs(t, y, e, band) -> float:
    span, peak, base = max(np.ptp(t), 1), t[np.argmax(y)], np.median(y)
    return scipy_chi2(lens, [(np.ptp(y) / 2, peak, span / k, 0.4, base) for k in (5, 40)], t, y, e)


def rainbow_theirs(bolometric: str, temperature: str) -> Callable:
    """The package's RainbowFit with iminuit, at our wavelengths; in 'survey' the bands are known by their codes."""

    def chi2(t, y, e, band, survey) -> float:
        waves = {str(i): 10 * w for i, w in enumerate(WAVELENGTH[survey]) if np.isfinite(w)}
        fit = light_curve.RainbowFit.from_angstrom(
            waves, with_baseline=False, temperature=temperature, bolometric=bolometric, fail_on_divergence=False
        )
        try:
            *params, _ = fit(t, y, e, band.astype(str), sorted=True, check=False)
        except (RuntimeError, ValueError):  # no convergence; fewer points than it takes
            return np.inf
        return float(np.sum(((fit.model(t, band.astype(str), *params) - y) / e) ** 2))

    return chi2


# --- the comparison --------------------------------------------------------------------------------------------------


def ours(fit: Callable, **options) -> Callable[[Curves], np.ndarray]:
    """A fit of one band, called with the columns it takes."""
    return lambda c: fit(c.mjd, c.flux, c.err, c.offsets, **options)


def our_rainbow(bolometric: str, temperature: str) -> Callable[[Curves], np.ndarray]:
    return lambda c: rainbow_fit(
        c.mjd, c.band, c.flux, c.err, c.offsets, bolometric=bolometric, temperature=temperature, survey=c.survey
    )


def our_lens(c: Curves) -> np.ndarray:
    return paczynski_fit(c.mjd, c.band, c.flux, c.err, c.offsets)


def compare(
    name: str, sets: list[Curves], fit: Callable, theirs: Callable, options, bar: float, per_object: int
) -> None:
    """One table: rate on every curve of each set, fraction of the sampled curves with a chi2 no worse."""
    print(f"\n{name}\n{'':22}{'curves':>8}{'points':>8}{'fitted':>8}{'objects/s':>11}{'compared':>10}"
          f"{'no worse':>10}{'better':>8}{'theirs/s':>10}")  # fmt: skip
    for c in sets:
        fit(c)
        seconds = min(_seconds(lambda c=c: fit(c)) for _ in range(options.repeats))
        answer = fit(c)
        is_fitted = np.isfinite(answer.chi2)
        rate = is_fitted.sum() / seconds / per_object
        sample = np.flatnonzero((answer.n_points >= answer.n_params) & (_n_bands(c) >= (2 if per_object == 1 else 1)))
        sample = sample[:: max(1, len(sample) // options.objects)][: options.objects]
        begin = time.process_time()
        other = np.array([_one(theirs, c, i) for i in sample])
        their_rate = len(sample) / (time.process_time() - begin) / per_object
        zero = np.add.reduceat((c.flux / c.err) ** 2, c.offsets[:-1])
        chi2 = np.where(is_fitted, answer.chi2, zero)[sample]
        no_worse = np.mean(chi2 <= other * LENIENCE + FLOOR)
        better = np.mean(chi2 * LENIENCE + FLOOR < other)
        per_curve = np.median(np.diff(c.offsets)[is_fitted])
        print(f"{c.name:22}{len(c.offsets) - 1:8,}{per_curve:8.0f}{is_fitted.sum():8,}{rate:11,.0f}{len(sample):10}"
              f"{100 * no_worse:9.1f}%{100 * better:7.1f}%{their_rate:10,.0f}", flush=True)  # fmt: skip
    if bar:
        print(f"bar of issue 4: {bar:,} objects/s")


def _n_bands(c: Curves) -> np.ndarray:
    seen = [np.logical_or.reduceat(c.band == b, c.offsets[:-1]) for b in range(6)]
    return np.sum(seen, axis=0)


def _seconds(call: Callable) -> float:
    begin = time.process_time()
    call()
    return time.process_time() - begin


def _one(theirs: Callable, c: Curves, i: int) -> float:
    part = slice(c.offsets[i], c.offsets[i + 1])
    args = [c.mjd[part], c.flux[part], c.err[part], c.band[part]]
    with warnings.catch_warnings(), _quiet():
        warnings.simplefilter("ignore")
        chi2 = theirs(*args, c.survey) if theirs.__name__ == "chi2" else theirs(*args)
    return chi2 if np.isfinite(chi2) else np.inf


@contextmanager
def _quiet() -> Iterator[None]:
    """Nothing on the standard error while compiled code of others runs: it writes megabytes there."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objects", type=int, default=150)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", default="")
    parser.add_argument("--set", default="", help="only the data sets whose names contain this")
    options = parser.parse_args()
    versions = ", ".join(f"{p} {metadata.version(p)}" for p in ("numba", "scipy", "light-curve", "iminuit"))
    print(f"machine: {_processor()}, Python {platform.python_version()}, {versions}")
    print(f"date:    {time.strftime('%Y-%m-%d')}; best of {options.repeats}, CPU time of one thread")
    every = [load() for load in (sn_ia, tde, slsn, ztf_alerts, snpcc, elasticc)]
    every = [c for c in (*every, together("all real curves", every[:4])) if options.set.lower() in c.name.lower()]
    single = [in_each_band(c) for c in every]
    tables = {
        "sigmoid, up to the maximum": ([rise_of(c) for c in single], ours(sigmoid_fit), sigmoid_theirs, 10_000, 2),
        "sigmoid, whole curve": (single, ours(sigmoid_fit), sigmoid_theirs, 10_000, 2),
        "Bazin": (single, ours(bazin_fit), bazin_theirs, 0, 2),
        "linexp": (single, ours(linexp_fit), linexp_theirs, 0, 2),
        "linexp, the package's form": (single, ours(linexp_fit), linexp_package, 0, 2),
        "Paczynski": (single, our_lens, paczynski_theirs, 0, 2),
    }
    rises = [rise_of(c) for c in every]
    for bolometric in ("sigmoid", "bazin", "linexp"):
        for temperature in ("constant", "sigmoid"):
            table = our_rainbow(bolometric, temperature), rainbow_theirs(bolometric, temperature)
            sets = rises if bolometric == "sigmoid" else every
            tables[f"Rainbow, {bolometric} x {temperature}"] = (sets, *table, 4_000, 1)
    for name, (sets, fit, theirs, bar, per_object) in tables.items():
        if options.only.lower() in name.lower():
            compare(name, sets, fit, theirs, options, bar, per_object)


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").is_file() else []
    models = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return f"{models[0]}, {len(models)} cores" if models else platform.processor()


if __name__ == "__main__":
    main()
