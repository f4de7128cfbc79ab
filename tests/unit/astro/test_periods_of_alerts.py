"""Periods from the thirty days of history in simulated ZTF packets, whose truth is known."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from redpoll.astro.periods import multiband_periods
from redpoll.config import Config
from redpoll.ingest.files import file_source
from redpoll.pipeline.timing import sample_batches
from redpoll.schema.bands import DETECTION
from redpoll.schema.light_curve import LightCurves


def test_well_observed_rr_lyrae_stars_of_a_simulated_night_have_their_periods(ztf_night):
    sources = [file_source(str(path)) for path in sorted(ztf_night.glob("*.tar.gz"))]
    alerts = pa.Table.from_batches(sample_batches(sources, Config(), limit=300))
    truth = pq.read_table(ztf_night / "truth.parquet").to_pandas().set_index("alert_id")
    truth = truth.loc[alerts["alert_id"].to_pylist()]
    curves = LightCurves.from_arrow(alerts["light_curve"].combine_chunks()).of_kind(DETECTION)
    found = multiband_periods(curves.mjd, curves.flux, curves.flux_err, curves.band, curves.offsets, shortest=0.15)
    is_chosen = (truth["class"] == "rr_lyrae").to_numpy() & (np.diff(curves.offsets) >= 18)
    is_right = np.abs(found.period / truth["period"].to_numpy() - 1) < 0.02
    assert is_chosen.sum() >= 8 and np.mean(is_right[is_chosen]) > 0.6
