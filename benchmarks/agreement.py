"""How far Redpoll agrees with values that Fink published, or where none are at hand with what it says it computes.

``python benchmarks/agreement.py`` needs the enriched copies in REDPOLL_DATA (default ../shared/data); docs/explanation/
agreement.md explains every difference. *Published* values are Fink's own, stored beside the survey's fields. *Defined*
ones are worked out here, slowly and from the packets' own fields, by the definition that Fink documents. The catalogues
of the data folder are built first, unless ``--catalogs`` names a folder of built ones.
"""

from __future__ import annotations

import argparse
import datetime as dt
import io
import math
import os
import platform
import sys
import tarfile
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fastavro
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parent))

from chain import with_catalogs

from redpoll.astro.light_curve_statistics import FEATURES, light_curve_statistics
from redpoll.astro.photometry import apparent_photometry
from redpoll.config import Config, load_config
from redpoll.ingest.block import Block
from redpoll.ingest.decode import PacketDecoder
from redpoll.ingest.files import open_sources
from redpoll.ingest.schemas import BuiltIn, Chain
from redpoll.pipeline.timing import open_steps, sample_batches
from redpoll.plugin.columns import Columns
from redpoll.schema.bands import BANDS, LOW_QUALITY
from redpoll.science.fink_class import fink_class
from redpoll.science.light_curve_statistics import light_curve_statistics as statistics_module
from redpoll.science.rise_rate import rise_rate
from redpoll.science.roid import roid
from redpoll.testing.batches import sample_batch
from redpoll.testing.real_data import build_catalogues

DATA = Path(os.environ.get("REDPOLL_DATA", Path(__file__).parents[2] / "shared" / "data"))
RUBIN = DATA / "rubin" / "rubin_v10_2026-03-10_enriched.parquet"
ASTEROIDS = DATA / "solar_system" / "mpc_example.parquet"
ZTF = ("ztf_originals.tar.gz", "ztf_sequences.tar.gz", "ztf_sample.tar.gz")
DRAWS = 10_000
SLOPES = {"linear_trend": "linear_trend_sigma", "linear_fit_slope": "linear_fit_slope_sigma"}


@dataclass(frozen=True)
class Agreement:
    """One line: how many values both have, how many of them are equal within the tolerance, the largest difference."""

    quantity: str
    tolerance: str
    n: int
    equal: int
    largest: float
    only_ours: int = 0
    only_theirs: int = 0

    def line(self) -> str:
        share = f"{100 * self.equal / self.n:.2f} %" if self.n else "-"
        return (f"{self.quantity:<46}{self.n:>7,}{share:>11}{self.largest:>11.2g}  {self.tolerance:<26}"
                f"{self.only_ours:>7,}{self.only_theirs:>8,}")  # fmt: skip


HEADING = f"{'':<46}{'n':>7}{'equal':>11}{'largest':>11}  {'equal means':<26}{'ours':>7}{'theirs':>8}"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, help="settings, such as where the catalogues are")
    parser.add_argument("--catalogs", type=Path, help="folder of built catalogues; default: build those of the data")
    options = parser.parse_args()
    print(f"{dt.date.today()}, Python {platform.python_version()}, numpy {np.__version__}")
    print("ours, theirs: values that only the one or the other has; largest: of the difference as 'equal means' has it")
    with tempfile.TemporaryDirectory() as folder:
        if not options.catalogs:
            build_catalogues(DATA, Path(folder))
        config = with_catalogs(load_config(options.config), options.catalogs or Path(folder))
        for title, rows in tables(config):
            print(f"\n{title}\n{HEADING}")
            for row in rows:
                print(row.line())


def tables(config: Config) -> Iterator[tuple[str, list[Agreement]]]:
    """Every comparison whose data are there."""
    if ASTEROIDS.is_file():
        yield f"published by Fink: {ASTEROIDS.name}", [flag_of_asteroids(), label_of_asteroids()]
    if RUBIN.is_file():
        yield f"published by Fink: {RUBIN.name}, quantities of the alert", alert_facts(config)
        yield f"published by Fink: {RUBIN.name}, lc_features, from the packets' own points", features_of_points()
        yield f"published by Fink: {RUBIN.name}, lc_features, as the module answers (on fluxes)", features_of_module()
    if found := [DATA / "ztf" / name for name in ZTF if (DATA / "ztf" / name).is_file()]:
        packets = [packet for path in found for packet in _avro(path)]
        yield "defined by Fink: magnitude rates of the ZTF packets", rates(packets)
        yield "defined by Fink: DC magnitudes of the ZTF packets", apparent(packets)


def compare(quantity: str, ours: Any, theirs: Any, *, scale: Any, tolerance: float, means: str) -> Agreement:
    """Numbers, NaN where there is none; the difference is measured in `scale`."""
    ours, theirs = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    both = np.isfinite(ours) & np.isfinite(theirs) & np.isfinite(scale)
    with np.errstate(invalid="ignore", divide="ignore"):
        off = np.abs(ours - theirs)[both] / np.broadcast_to(scale, ours.shape)[both]
    off = np.where(ours[both] == theirs[both], 0.0, off)
    only = [int((np.isfinite(a) & ~np.isfinite(b)).sum()) for a, b in ((ours, theirs), (theirs, ours))]
    return Agreement(quantity, means, len(off), int((off <= tolerance).sum()), float(off.max(initial=0.0)), *only)


def same(quantity: str, ours: Sequence[Any], theirs: Sequence[Any]) -> Agreement:
    """Words and flags, None where there is none."""
    both = [(a, b) for a, b in zip(ours, theirs, strict=True) if a is not None and b is not None]
    only = [
        sum(a is not None and b is None for a, b in zip(x, y, strict=True)) for x, y in ((ours, theirs), (theirs, ours))
    ]
    n_equal = sum(a == b for a, b in both)
    return Agreement(quantity, "the same", len(both), n_equal, float(n_equal < len(both)), *only)


def flag_of_asteroids() -> Agreement:
    """`roid` of known asteroids; the copies have no history, so that each is a curve of one point."""
    names = ("ndethist", "sgscore1", "distpsnr1", "ssdistnr")
    table = pq.read_table(ASTEROIDS, columns=["d:roid", *(f"i:{name}" for name in names)])
    values = {name: table[f"i:{name}"].to_numpy().astype(float) for name in names}
    v = {name: np.where(value == -999, np.nan, value) for name, value in values.items()}
    one = Columns(sample_batch(1)).numpy("light_curve")
    last = slice(len(one) - 1, len(one))
    n = table.num_rows
    curve = type(one)(
        np.arange(n + 1), *(np.repeat(x[last], n) for x in (one.mjd, one.band, one.flux, one.flux_err, one.kind))
    )
    found = roid(np.full(n, "ztf", object), v["ndethist"], v["sgscore1"], v["distpsnr1"], v["ssdistnr"],
                 np.full(n, None), curve)  # fmt: skip
    return same("roid", found.tolist(), table["d:roid"].to_pylist())


def label_of_asteroids() -> Agreement:
    """`fink_class` from Fink's own scores: what is compared is the precedence."""
    names = ("d:cdsxmatch", "d:roid", "d:mulens", "d:rf_kn_vs_nonkn", "d:rf_snia_vs_nonia", "d:snn_sn_vs_all",
             "d:snn_snia_vs_nonia", "i:ndethist", "i:jd", "i:jdstarthist", "i:drb", "v:classification")  # fmt: skip
    table = pq.read_table(ASTEROIDS, columns=[*names])
    v = {name: table[name].to_numpy() for name in names}
    found = fink_class(
        v["d:cdsxmatch"], v["d:roid"], v["i:ndethist"], v["i:jd"] - v["i:jdstarthist"], v["i:drb"],
        v["d:snn_sn_vs_all"], v["d:snn_snia_vs_nonia"], v["d:rf_snia_vs_nonia"], v["d:rf_kn_vs_nonkn"],
        v["d:mulens"] > 0,
    )  # fmt: skip
    return same("class label (fink_class) of Fink's scores", found.tolist(), v["v:classification"].tolist())


def alert_facts(config: Config) -> list[Agreement]:
    """First detection, solar-system flag and catalogue matches."""
    batch = _enriched(config)
    theirs = _rubin(["diaSource", "misc", "pred", "xm"])
    rows = batch.to_pylist()
    order = [theirs[row["alert_id"]] for row in rows]
    first = [t["misc"]["firstDiaSourceMjdTaiFink"] or math.nan for t in order]
    ours = [math.nan if row["first_mjd"] is None else row["first_mjd"] for row in rows]
    found = [
        compare("first detection (first_mjd)", ours, first, scale=1, tolerance=1e-6, means="1e-6 d"),
        same(
            "solar-system object (roid = 3)", [row["roid"] == 3 for row in rows], [t["pred"]["is_sso"] for t in order]
        ),
    ]
    for name in order[0]["xm"]:
        if (column := _ours(name)) in batch.schema.names and not _is_missing(batch.schema.field(column)):
            found.append(_match(name, column, rows, order))
    return found


def _match(name: str, column: str, rows: list[dict[str, Any]], order: list[dict[str, Any]]) -> Agreement:
    ours, theirs = [row[column] for row in rows], [t["xm"][name] for t in order]
    theirs = [None if value == "None" else value for value in theirs]
    label = f"xm.{name} ({column})"
    if any(isinstance(value, float) for value in [*ours, *theirs]):
        numbers = [[math.nan if v is None else v for v in values] for values in (ours, theirs)]
        return compare(label, *numbers, scale=np.abs(numbers[1]), tolerance=1e-5, means="1e-5 of the value")
    return same(label, ours, theirs)


CATALOGUE_COLUMNS = {
    "simbad_otype": "simbad_type", "x3hsp_type": "hsp_name", "x4lac_type": "fermi_4lac_name", "mangrove_HyperLEDA_name":
    "mangrove_name", "mangrove_2MASS_name": "mangrove_2mass", "mangrove_lum_dist": "mangrove_luminosity_distance",
    "mangrove_ang_dist": "mangrove_angular_distance",
}  # fmt: skip
"""Names that differ by more than their case."""


def _ours(name: str) -> str:
    return CATALOGUE_COLUMNS.get(name, name.lower())


def _is_missing(field: pa.Field) -> bool:
    return b"@" not in (field.metadata or {}).get(b"by", b"")


def features_of_points() -> list[Agreement]:
    """The 26 statistics of prvDiaSources and diaSource as they stand, in double precision."""
    ours, theirs, distinct = [], [], []
    for row in _rubin(["diaSource", "prvDiaSources", "lc_features"]).values():
        for band, values in row["lc_features"] or []:
            points = [p for p in [*(row["prvDiaSources"] or []), row["diaSource"]] if p["band"] == band]
            points.sort(key=lambda p: p["midpointMjdTai"])
            t, m, sigma = np.array([[p[k] for k in ("midpointMjdTai", "psfFlux", "psfFluxErr")] for p in points]).T
            ours.append(light_curve_statistics(t, m, sigma, [0, len(t)])[0])
            theirs.append(_features(values))
            distinct.append(len(np.unique(t)) == len(t))
    return _statistics(np.array(ours), np.array(theirs), np.array(distinct))


def features_of_module() -> list[Agreement]:
    """The module's columns: low-quality points are left out, two points at one time are not."""
    theirs = _rubin(["diaSource", "lc_features"])
    ours, published, whole = [], [], []
    for batch in sample_batches(open_sources([RUBIN]), Config(), limit=10_000):
        made = statistics_module.compute(Columns(batch), {"quantity": "flux"})
        curves = Columns(batch).numpy("light_curve")
        for i, alert_id in enumerate(batch["alert_id"].to_pylist()):
            own = slice(curves.offsets[i], curves.offsets[i + 1])
            poor = curves.band[own][curves.kind[own] == LOW_QUALITY]
            for band, values in theirs[alert_id]["lc_features"] or []:
                ours.append([_number(made[f"{name}_{band}"][i].as_py()) for name in FEATURES])
                published.append(_features(values))
                t = curves.mjd[own][(curves.band[own] == BANDS.index(band)) & np.isin(curves.kind[own], (0, 3))]
                whole.append(BANDS.index(band) not in poor and len(np.unique(t)) == len(t))
    return _statistics(np.array(ours), np.array(published), np.array(whole), "no low-quality point, distinct times")[:2]


def _features(values: dict[str, float | None]) -> list[float]:
    return [_number(values[{"stetson_k": "stetson_K"}.get(name, name)]) for name in FEATURES]


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _statistics(
    ours: np.ndarray, theirs: np.ndarray, chosen: np.ndarray, which: str = "distinct times"
) -> list[Agreement]:
    """Relative differences; those of a slope, which may be zero, relative to value and error together."""
    scale = np.abs(theirs)
    for slope, error in SLOPES.items():
        scale[:, FEATURES.index(slope)] += np.abs(theirs[:, FEATURES.index(error)])
    rows = [(f"all 26, {which}", chosen, slice(None))]
    rows += [("all 26", np.ones(len(ours), bool), slice(None))]
    rows += [(name, np.ones(len(ours), bool), i) for i, name in enumerate(FEATURES)]
    return [
        compare(name, ours[keep][:, column], theirs[keep][:, column], scale=scale[keep][:, column],
                tolerance=1e-5, means="1e-5 of the value")
        for name, keep, column in rows
    ]  # fmt: skip


def rates(packets: list[dict[str, Any]]) -> list[Agreement]:
    """`rise_rate` against 10,000 draws from the latest epoch of any kind in the band, as Fink takes it.

    Differences are in units of the rate's own error. A mean of the draws is off by some hundredth of it.
    """
    draws = [_draws(packet, np.random.default_rng(i)) for i, packet in enumerate(packets)]
    rows = _answers(packets, lambda batch: rise_rate.compute(Columns(batch), {}))
    days = np.array([math.nan if d is None else d.days for d in draws])
    ours = {name: np.array([_number(row[name]) for row in rows]) for name in (*RATES, "mag_rate_days")}
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


RATES = {"mag_rate": 0.05, "mag_rate_err": 0.05, "mag_rate_lower": 0.1, "mag_rate_upper": 0.1}


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
    """What Fink's code adds to all fluxes of a batch, to have none that is negative: the size of the least draw."""
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


def apparent(packets: list[dict[str, Any]]) -> list[Agreement]:
    """`apparent_photometry` of the decoded alerts against the sum of fluxes from the packets' magnitudes."""
    rows = _answers(packets, _apparent_columns)
    print(
        f"\nof ours, upper limits (the sum is below 1.0857 of its error): {sum(bool(row['is_limit']) for row in rows)}"
    )
    defined = np.array([_dc(packet["candidate"]) for packet in packets]).T
    measured = [dict.fromkeys(row) if row["is_limit"] else row for row in rows]
    ours = np.array([[_number(row[name]) for row in measured] for name in ("mag", "mag_err")])
    kinds = ("DC magnitude", "error of the DC magnitude")
    return [
        compare(name, a, b, scale=1, tolerance=1e-4, means="1e-4 mag")
        for name, a, b in zip(kinds, ours, defined, strict=True)
    ]


def _apparent_columns(batch: pa.RecordBatch) -> dict[str, pa.Array]:
    columns = Columns(batch)
    found = apparent_photometry(*(columns.numpy(n) for n in ("flux", "flux_err", "reference_mag", "reference_mag_err")))
    return {"mag": pa.array(found.mag), "mag_err": pa.array(found.mag_err), "is_limit": pa.array(found.is_limit)}


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


def _answers(
    packets: list[dict[str, Any]], compute: Callable[[pa.RecordBatch], dict[str, pa.Array]]
) -> list[dict[str, Any]]:
    """What `compute` makes of each packet, in the order of the packets; a row of None where it was not decoded."""
    found: dict[int, dict[str, Any]] = {}
    names: list[str] = []
    for batch, _ in PacketDecoder(Chain(BuiltIn()))(Block.of([packet["bytes"] for packet in packets])).batches:
        made = compute(batch)
        names = list(made)
        rows = pa.table(made).to_pylist()
        found |= dict(zip(batch["alert_id"].to_pylist(), rows, strict=True))
    return [found.get(packet["candid"], dict.fromkeys(names)) for packet in packets]


def _enriched(config: Config) -> pa.Table:
    steps = open_steps(config).steps
    done = []
    for batch in sample_batches(open_sources([RUBIN]), config, limit=10_000):
        for step in steps:
            batch = step.run(batch).batch
        done.append(pa.Table.from_batches([batch]).drop_columns(["packet", "light_curve"]))
    return pa.concat_tables(done)


def _rubin(columns: list[str]) -> dict[int, dict[str, Any]]:
    rows = pq.read_table(RUBIN, columns=columns).to_pylist()
    return {row["diaSource"]["diaSourceId"]: row for row in rows}


def _avro(path: Path) -> Iterator[dict[str, Any]]:
    """Packets as fastavro reads them, with their bytes."""
    with tarfile.open(path) as archive:
        for member in archive:
            data = archive.extractfile(member).read()  # type: ignore[union-attr]
            yield next(fastavro.reader(io.BytesIO(data))) | {"bytes": data}  # type: ignore[operator]


if __name__ == "__main__":
    main()
