"""A synthetic night in a real store: supernovae with histories, upper limits, forced points, cutouts; from one seed."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.astro.photometry import flux_err_from_mag_err, flux_from_mag
from redpoll.astro.sky import hpx29
from redpoll.schema.alert import alert_schema
from redpoll.schema.bands import BANDS, DETECTION, FORCED, LOW_QUALITY, UPPER_LIMIT
from redpoll.schema.classifications import CLASSES_COLUMN
from redpoll.schema.column import Column
from redpoll.schema.light_curve import LightCurves
from redpoll.schema.taxonomy import taxonomy
from redpoll.store import Commit, DeadLetter, LedgerEntry, Store, open_store

NIGHT = 20260310
MJD = 61109.25
ADDED = {
    "p_early_ia": (
        "early_ia@1",
        Column("float32", doc="Chance of a young type Ia supernova, 0 to 1.", aggregate="max"),
    ),
    "rise_rate": ("rise_rate@2", Column("float32", "mag/day", "Slope of the last points; negative is brightening.")),
    "rise_rate_err": ("rise_rate@2", Column("float32", "mag/day", "One-sigma error of rise_rate.")),
} | {
    f"lc_{name}_{band}": (
        "light_curve_stats@1",
        Column("float32", "mag", f"Statistic '{name}' in {band}.", indexed=False),
    )
    for name in ("amplitude", "mean", "skew", "slope", *(f"statistic_{i}" for i in range(22)))
    for band in BANDS
}
TOPICS = ("bright_new_transients", "fast_risers", "solar_system_candidates")


@dataclass
class SyntheticObject:
    """One object: its identifier and position, the light curve known tonight, and how many of its points are alerts."""

    object_id: str
    ra: float
    dec: float
    curve: LightCurves
    n_alerts: int = 1
    survey: str = "ztf"
    topics: Sequence[str] = ()
    text: dict[str, str] = field(default_factory=dict)
    cutouts: bool = True
    classes: Sequence[tuple[str, float | None, str]] = ()


def supernova(rng: np.random.Generator, n: int = 40, peak: float = 18.0, end: float = MJD) -> LightCurves:
    """Rise and fall in g and r with upper limits before, forced points between, and a few points of low quality."""
    span = max(20.0, n * 1.1)
    mjd = np.sort(rng.uniform(end - span, end, n))
    mjd[-1] = end
    age = mjd - (end - 0.55 * span)
    band = rng.choice([1, 2, 2, 3], n, p=[0.45, 0.25, 0.2, 0.1]).astype(np.int8)
    mag = peak + np.where(age < 0, (age / (0.18 * span)) ** 2, 2.4 * (1 - np.exp(-age / (0.35 * span))))
    mag = mag + 0.25 * (band == 2) + rng.normal(0, 0.05, n)
    kind = rng.choice([DETECTION, FORCED, LOW_QUALITY], n, p=[0.78, 0.18, 0.04]).astype(np.int8)
    kind[mag > 20.6] = UPPER_LIMIT
    kind[-1] = DETECTION
    mag[-1] = min(mag[-1], 20.0)
    flux = flux_from_mag(mag)
    err = flux_err_from_mag_err(np.clip(0.02 * 10 ** (0.33 * (mag - 17.5)), 0.015, 0.4), flux)
    err[kind == UPPER_LIMIT] = flux_from_mag(rng.uniform(20.2, 20.8, n))[kind == UPPER_LIMIT] / 5
    flux[kind == UPPER_LIMIT] = np.nan
    return LightCurves(np.array([0, n]), mjd, band, flux.astype(np.float32), err.astype(np.float32), kind)


def fits(pixels: NDArray[np.float32]) -> bytes:
    """A FITS file of one float32 image."""
    cards = ["SIMPLE  =                    T", "BITPIX  =                  -32", "NAXIS   =                    2"]
    cards += [f"NAXIS1  = {pixels.shape[1]:20d}", f"NAXIS2  = {pixels.shape[0]:20d}", "END"]
    header = "".join(card.ljust(80) for card in cards).ljust(2880).encode()
    body = pixels.astype(">f4").tobytes()
    return header + body + b"\0" * (-len(body) % 2880)


def cutouts(rng: np.random.Generator, size: int = 63) -> list[bytes]:
    """Science, template and difference: a host, some stars, and the source in the middle; gzipped FITS."""
    y, x = np.mgrid[:size, :size] - size // 2
    host = 900 * np.exp(-np.hypot((x - 5) / 1.6, y + 3) / 4.5)
    stars = sum(
        a * np.exp(-((x - u) ** 2 + (y - v) ** 2) / 4.5) for a, u, v in rng.uniform(-26, 26, (5, 3)) * [180, 1, 1]
    )
    source = 2400 * np.exp(-(x**2 + y**2) / 4.5)
    noise = rng.normal(0, 14, (3, size, size))
    images = (host + np.abs(stars) + source + 150 + noise[0], host + np.abs(stars) + 150 + noise[1], source + noise[2])
    return [gzip.compress(fits(image.astype(np.float32)), 6, mtime=0) for image in images]


def batch_of(
    objects: Sequence[SyntheticObject], seed: int = 0, first_id: int = 1_105_522_281_015_015_000
) -> pa.RecordBatch:
    """Canonical batch of the objects' alerts: the last `n_alerts` detections of each, with the history up to them."""
    rng = np.random.default_rng(seed)
    rows = [(o, i) for o in objects for i in _alert_points(o)]
    columns = _columns(rows, rng, first_id)
    fields = [*alert_schema(), *(column.field(name, by=by) for name, (by, column) in ADDED.items())]
    fields += [pa.field(f"pass_{topic}", pa.bool_()) for topic in TOPICS]
    fields += [CLASSES_COLUMN.field("classes", by="taxonomy@1")]
    packet = pa.array([{"candid": v, "schemavsn": "4.02"} for v in columns["alert_id"]])
    arrays = [_array(columns.get(f.name), f, len(rows)) for f in fields]
    return pa.RecordBatch.from_arrays([*arrays, packet], schema=pa.schema([*fields, pa.field("packet", packet.type)]))


def _alert_points(o: SyntheticObject) -> list[int]:
    return [int(i) for i in np.flatnonzero(o.curve.kind == DETECTION)[-o.n_alerts :]]


def _array(values: object, f: pa.Field, n: int) -> pa.Array:
    if isinstance(values, pa.Array):
        return values
    return pa.nulls(n, f.type) if values is None else pa.array(values, f.type, from_pandas=True)


def _columns(rows: list[tuple[SyntheticObject, int]], rng: np.random.Generator, first_id: int) -> dict[str, object]:
    n = len(rows)
    flux, err = (np.array([getattr(o.curve, name)[i] for o, i in rows], np.float64) for name in ("flux", "flux_err"))
    mjd = np.array([o.curve.mjd[i] for o, i in rows])
    ra, dec = (np.array([getattr(o, name) for o, _ in rows]) for name in ("ra", "dec"))
    images = {id(o): cutouts(rng) for o, _ in rows if o.cutouts}
    columns: dict[str, object] = {
        "survey": [o.survey for o, _ in rows],
        "alert_id": list(range(first_id, first_id + n)),
        "object_id": [o.object_id for o, _ in rows],
        "night": [NIGHT] * n,
        "mjd": mjd,
        "ra": ra,
        "dec": dec,
        "hpx29": hpx29(ra, dec),
        "band": [BANDS[o.curve.band[i]] for o, i in rows],
        "flux": flux,
        "flux_err": err,
        "mag": 31.4 - 2.5 * np.log10(np.abs(flux)),
        "mag_err": 1.0857 * err / np.abs(flux),
        "limiting_mag": rng.uniform(20.2, 20.9, n),
        "is_positive": flux > 0,
        "real_bogus": rng.uniform(0.5, 1, n),
        "deep_real_bogus": rng.uniform(0.8, 1, n),
        "n_detections": [int((o.curve.kind[: i + 1] == DETECTION).sum()) for o, i in rows],
        "first_mjd": [float(o.curve.mjd[o.curve.kind == DETECTION][0]) for o, _ in rows],
        "star_distance_arcsec": rng.uniform(0, 8, n),
        "star_score": rng.uniform(0, 1, n),
        "has_bad_pixels": [False] * n,
        "is_edge": [False] * n,
        "is_streak": [False] * n,
        "is_dipole": [False] * n,
        "is_photometry_bad": [False] * n,
        "light_curve": _histories(rows),
    }
    columns |= {name: [o.text.get(name) for o, _ in rows] for name in ("sso_name",)}
    for k, name in enumerate(("cutout_science", "cutout_template", "cutout_difference")):
        columns[name] = [images[id(o)][k] if o.cutouts else None for o, _ in rows]
    columns |= {name: np.where(rng.random(n) < 0.1, np.nan, rng.normal(0.4, 0.2, n)) for name in ADDED}
    columns |= {name: None for name in ADDED if name.startswith("lc_") and name[-1] in "uzy"}
    columns["classes"] = [_assigned(o.classes, i == _alert_points(o)[-1]) for o, i in rows]
    return columns | {f"pass_{topic}": [topic in o.topics for o, _ in rows] for topic in TOPICS}


def _assigned(classes: Sequence[tuple[str, float | None, str]], is_last: bool) -> list[dict[str, object]]:
    """The classes of an alert; scores are lower in all alerts but the last of an object."""
    fraction = 1.0 if is_last else 0.75
    return [{"name": name, "probability": p and p * fraction, "by": by} for name, p, by in classes]


def _histories(rows: list[tuple[SyntheticObject, int]]) -> pa.Array:
    """Each alert's own history: at most 60 points, its own the last."""
    parts = [(o.curve, slice(max(0, i - 59), i + 1)) for o, i in rows]
    offsets = np.concatenate([[0], np.cumsum([p.stop - p.start for _, p in parts])])
    names = ("mjd", "band", "flux", "flux_err", "kind")
    columns = [np.concatenate([getattr(curve, name)[p] for curve, p in parts]) for name in names]
    return LightCurves(offsets, *columns).to_arrow()


KINDS = taxonomy().descendants("variable_star")
"""Classes assigned to objects that passed no filter."""


def night_objects(n: int = 48, seed: int = 7) -> list[SyntheticObject]:
    """A night's objects; the first is `ZTF26aaaaaaa`."""
    rng = np.random.default_rng(seed)
    letters = "abcdefghijklmnopqrstuvwxyz"
    made = []
    for i in range(n):
        name = "ZTF26" + "".join(letters[(i * 7 + 11 * k * k) % 26] for k in range(7)) if i else "ZTF26aaaaaaa"
        topics = [
            t for t, p in zip(TOPICS, (0.5, 0.3, 0.15), strict=True) if rng.random() < p or (i == 0 and t != TOPICS[2])
        ]
        curve = supernova(rng, int(rng.integers(3, 60)) if i else 60, float(rng.uniform(16, 19.2)), MJD + i * 7e-4)
        text = {"sso_name": "433 Eros"} if i == 5 else {}
        assigned = [("agn", None, "milliquas@8"), ("sn_ia", 0.93, "early_ia@1")] if i == 0 else []
        assigned += [] if topics else [(KINDS[(2 * i + k) % len(KINDS)], None, "vsx@2") for k in (0, 1)]
        position = float(rng.uniform(0, 360)), float(np.degrees(np.arcsin(rng.uniform(-0.4, 1))))
        made.append(SyntheticObject(name, *position, curve, 1 if i else 12, topics=topics, text=text, classes=assigned))
    return made


def commit(store: Store, batch: pa.RecordBatch, *, n_duplicate: int = 0, letters: Sequence[DeadLetter] = ()) -> None:
    """Store a batch and account for it."""
    survey = str(batch["survey"][0])
    ledger = [LedgerEntry(survey, NIGHT, "stored", "", len(batch))]
    ledger += [LedgerEntry(survey, NIGHT, "duplicate", "already stored", n_duplicate)] if n_duplicate else []
    ledger += [LedgerEntry(None, None, "rejected", letter.reason, 1) for letter in letters]
    store.runs.commit(Commit(batch, store.segments.write(batch), dead_letters=letters, ledger=ledger))


def make_store(path: Path, objects: Sequence[SyntheticObject] | None = None) -> Path:
    """A store with one night of objects, some duplicates, and two packets that could not be read."""
    with open_store(path, mode="write") as store:
        store.runs.start("synthetic night")
        letters = [DeadLetter(b"not avro", "packets.tar", str(i), "not an Avro container") for i in range(2)]
        commit(store, batch_of(objects or night_objects()), n_duplicate=3, letters=letters)
        rejected = [
            LedgerEntry("ztf", NIGHT, "rejected", reason, n)
            for reason, n in (("real_bogus < 0.55", 9), ("n_bad_pixels > 0", 4))
        ]
        store.runs.commit(Commit(None, None, ledger=rejected))
        store.runs.end("done")
    return path


def long_object(n: int, seed: int = 3) -> SyntheticObject:
    """An object of `n` alerts, named ZTF26zzzzzzz."""
    curve = supernova(np.random.default_rng(seed), n)
    curve.kind[:] = DETECTION
    curve.flux[:] = np.nan_to_num(curve.flux, nan=5e3)
    return SyntheticObject("ZTF26zzzzzzz", 120.5, -12.25, curve, n_alerts=n, topics=TOPICS[:1])
