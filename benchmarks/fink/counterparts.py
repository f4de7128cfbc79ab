"""Redpoll's modules beside Fink's, on the same alerts; each from Arrow and back to Arrow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
from fink.packets import DATA, ZTF

from redpoll.astro.sky import hpx29
from redpoll.config import Config
from redpoll.crossmatch.stage import Stage
from redpoll.cutouts import read_cutouts
from redpoll.ingest.files import open_sources
from redpoll.light_curves import DETECTION, LOW_QUALITY, count_of_each
from redpoll.pipeline.assemble import open_enrichment
from redpoll.pipeline.timing import sample_batches
from redpoll.plugin.columns import Columns
from redpoll.science.blazar_state import blazar_state
from redpoll.science.fink_class import fink_class
from redpoll.science.hostless import hostless
from redpoll.science.light_curve_statistics import light_curve_statistics
from redpoll.science.rise_rate import rise_rate
from redpoll.science.roid import roid

Job = tuple[Callable[[], Any], Callable[[Any], int]]
"""What is timed, and how many answers its result has."""
CATALOGUES = ("gcvs", "vsx", "hsp", "fermi_4lac", "fermi_4lac_low", "mangrove")
SCORES = {"sn_ia": "p_sn_ia", "sn": "p_sn", "early": "p_early_sn_ia", "kilonova": "p_kilonova"}
"""Names in the task of Fink's side -> columns."""


class Alerts:
    """Every usable ZTF alert of the data folder with all columns, as one batch.

    The scores that need a trained model are drawn, the same for both sides, as is SIMBAD's type.
    """

    def __init__(self, config: Config, n_cutouts: int, n_positions: int) -> None:
        self.files = [DATA / "ztf" / name for name in ZTF if (DATA / "ztf" / name).is_file()]
        enrich = open_enrichment(config)
        parts = sample_batches(open_sources([str(name) for name in self.files]), config, limit=100_000)
        whole = pa.Table.from_batches([enrich(part).batch.drop_columns(["packet"]) for part in parts]).combine_chunks()
        self.batch = _with_drawn(whole.to_batches()[0])
        self.stage = enrich.crossmatch.only(CATALOGUES)
        self.cutouts = _with_images(self.batch, n_cutouts)
        self.positions = _moved(self.batch, n_positions)

    def task(self) -> dict[str, Any]:
        """What Fink's side has to know."""
        numbers = {"not_sso": 0, "first_detection": 1, "candidate": 2, "known": 3}
        scores = {name: self.batch[column].to_pylist() for name, column in SCORES.items()}
        scores["simbad"] = [word or "Unknown" for word in self.batch["simbad_type"].to_pylist()]
        scores["roid"] = [numbers[word] for word in self.batch["roid"].to_pylist()]
        scores["mulens"] = [float(flag) for flag in self.batch["is_microlensing_candidate"].to_pylist()]
        return {
            "files": [str(name) for name in self.files], "alerts": self.batch["alert_id"].to_pylist(),
            "cutouts": self.cutouts["alert_id"].to_pylist(), "scores": scores,
            "ra": self.positions["ra"].to_pylist(), "dec": self.positions["dec"].to_pylist(),
        }  # fmt: skip

    def jobs(self) -> dict[str, Job]:
        """By the name of Fink's side."""
        return {
            "n_points": (lambda: _n_points(self.batch), lambda found: int((found > 0).sum())),
            "roid": _module(roid, self.batch, lambda out: _n(out["roid"].to_numpy(False) != "not_sso")),
            "statistics": _module(light_curve_statistics, self.batch, _any_known),
            "rate": _module(rise_rate, self.batch, lambda out: _n(out["mag_rate"].is_valid().to_numpy(False))),
            "blazars": _module(blazar_state, self.batch, _any_known),
            "catalogues": _matches(self.stage, self.batch),
            "catalogues_large": _matches(self.stage, self.positions),
            "label": _module(fink_class, self.batch, lambda out: _n(out["fink_class"].to_numpy(False) != "Unknown")),
            "hostless": (lambda: _hostless(self.cutouts), lambda found: _n(np.isfinite(found["hostless_ks_science"]))),
        }


def _with_drawn(batch: pa.RecordBatch) -> pa.RecordBatch:
    rng, n = np.random.default_rng(1), batch.num_rows
    drawn = {column: pa.array(rng.uniform(0, 1, n), batch[column].type) for column in SCORES.values()}
    words = rng.choice(np.array([None, "RRLyr", "QSO", "Galaxy"], object), n, p=[0.7, 0.1, 0.1, 0.1])
    drawn["simbad_type"] = pa.array(words, pa.string()).cast(batch["simbad_type"].type)
    arrays = [drawn.get(name, batch[name]) for name in batch.schema.names]
    return pa.RecordBatch.from_arrays(arrays, schema=batch.schema)


def _with_images(batch: pa.RecordBatch, n: int) -> pa.RecordBatch:
    """Alerts, evenly drawn, of those with two cutouts of full size."""
    images = batch.select(["alert_id", "cutout_science", "cutout_template"])
    columns = Columns(images)
    shapes = [read_cutouts(columns.numpy(name)).shapes for name in images.schema.names[1:]]
    full = np.flatnonzero((np.hstack(shapes) == 63).all(axis=1))
    some = full[np.linspace(0, len(full) - 1, min(n, len(full))).astype(int)].tolist()
    return pa.concat_batches([images.slice(i, 1) for i in some])


def _moved(batch: pa.RecordBatch, n: int) -> pa.RecordBatch:
    """Alerts at the positions of real ones, each moved by up to 0.5 arcsec."""
    rng = np.random.default_rng(1)
    some = batch.select(["object_id", "mjd", "ra", "dec"]).take(rng.integers(0, batch.num_rows, n))
    ra, dec = some["ra"].to_numpy(), some["dec"].to_numpy() + rng.uniform(-0.5, 0.5, n) / 3600
    return pa.record_batch(
        {"object_id": some["object_id"], "mjd": some["mjd"], "ra": ra, "dec": dec, "hpx29": hpx29(ra, dec)}
    )


def _module(module: Any, batch: pa.RecordBatch, count: Callable[[dict[str, pa.Array]], int]) -> Job:
    return (lambda: module.compute(Columns(batch), module.settings)), count


def _n_points(batch: pa.RecordBatch) -> np.ndarray:
    curve = Columns(batch).numpy("packet_light_curve")
    return count_of_each(curve, np.isin(curve.kind, (DETECTION, LOW_QUALITY)))


def _matches(stage: Stage, batch: pa.RecordBatch) -> Job:
    names = [next(iter(context.columns)) for context in stage.contexts]
    return (
        lambda: stage.run(batch).batch,
        lambda found: sum(len(found) - found[name].null_count for name in names),
    )


def _hostless(batch: pa.RecordBatch) -> dict[str, np.ndarray]:
    """The module with columns that make every alert a candidate."""
    columns, n = Columns(batch), batch.num_rows
    unknown = np.full(n, np.nan)
    return hostless(
        columns.numpy("cutout_science"), columns.numpy("cutout_template"), np.ones(n, bool),
        np.full(n, "not_sso", object), np.zeros(n), np.full(n, 10), np.full(n, 1e6), np.ones(n), unknown, unknown,
        unknown,
    )  # fmt: skip


def _any_known(out: dict[str, pa.Array]) -> int:
    numbers = [array for array in out.values() if pa.types.is_floating(array.type)]
    return _n(np.any([array.is_valid().to_numpy(zero_copy_only=False) for array in numbers], axis=0))


def _n(flags: np.ndarray) -> int:
    return int(flags.sum())
