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
from redpoll.simulate import simulate_night


def test_well_observed_rr_lyrae_stars_of_a_simulated_night_have_their_periods(tmp_path):
    simulate_night(tmp_path, survey="ztf", n_alerts=400, seed=5, fractions={"rr_lyrae": 1}, workers=1)
    sources = [file_source(str(path)) for path in sorted(tmp_path.glob("*.tar.gz"))]
    alerts = pa.Table.from_batches(sample_batches(sources, Config(), limit=400))
    truth = pq.read_table(tmp_path / "truth.parquet").to_pandas().set_index("alert_id")
    truth = truth.loc[alerts["alert_id"].to_pylist()]
    curves = LightCurves.from_arrow(alerts["light_curve"].combine_chunks()).of_kind(DETECTION)
    found = multiband_periods(curves.mjd, curves.flux, curves.flux_err, curves.band, curves.offsets, shortest=0.15)
    is_right = np.abs(found.period / truth["period"].to_numpy() - 1) < 0.02
    is_chosen = np.diff(curves.offsets) >= 18
    is_sure = is_chosen & (np.fmin(found.second_margin, found.alias_margin) > 1.5)
    assert is_chosen.sum() > 150 and np.mean(is_right[is_chosen]) > 0.6
    assert is_sure.sum() > 90 and np.mean(is_right[is_sure]) > 0.85
