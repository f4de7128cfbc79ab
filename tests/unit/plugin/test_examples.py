"""The examples of the documentation for experts, as they are written there."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from redpoll import Column, alert_filter, science_module
from redpoll.plugin.columns import Columns
from redpoll.plugin.graph import Graph
from redpoll.schema.alert import COLUMNS
from redpoll.schema.light_curve import LIGHT_CURVE_TYPE
from redpoll.testing.conformance import conformance
from redpoll.testing.models import FakeModel

FEATURES = ("rise_time", "amplitude", "k_sig")


@science_module(version="1", per="object", outputs={"rise_rate": Column("float32", "mag/day")})
def rise_rate(mjd, band, mag):
    """Slope of the last two detections in the band of the newest one; null if fewer."""
    same = band == band[-1]
    if same.sum() < 2:
        return None
    (t0, t1), (m0, m1) = mjd[same][-2:], mag[same][-2:]
    return (m1 - m0) / (t1 - t0)


@science_module(version="1", model="early_ia", outputs={"p_early_ia": Column("float32", doc="0..1")})
def early_ia(rise_time, amplitude, k_sig, model):
    """Probability of SN Ia; null where the light-curve fit gave no features."""
    X = np.column_stack([rise_time, amplitude, k_sig])
    fitted = np.isfinite(X).all(axis=1)
    p = np.full(len(X), np.nan)
    if fitted.any():
        p[fitted] = model.predict_proba(X[fitted])[:, 1]
    return p


@alert_filter(topic="early_ia_rising")
def early_ia_rising(p_early_ia, rise_rate, *, min_p=0.5):
    """Probable SN Ia still brightening."""
    return (p_early_ia > min_p) & (rise_rate < 0)


def curve(bands: str, mags: list[float], kind: str = "detection") -> list[dict]:
    points = zip(bands, mags, strict=True)
    return [
        {"mjd": float(i), "band": b, "flux": 10 ** (0.4 * (31.4 - m)), "flux_err": 1.0, "kind": kind}
        for i, (b, m) in enumerate(points)
    ]


@pytest.fixture
def batch(sample_batch) -> pa.RecordBatch:
    rng = np.random.default_rng(1)
    for name in FEATURES:
        values = rng.normal(0, 2, sample_batch.num_rows)
        values[::7] = np.nan
        sample_batch = sample_batch.append_column(name, pa.array(values, from_pandas=True))
    return sample_batch


def test_latest_band_sets_the_rate(light_curve) -> None:
    lc = light_curve(band="ggr", mjd=[0, 1, 2], mag=[20, 19, 18])
    assert rise_rate(lc.mjd, lc.band, lc.mag) is None
    lc = light_curve(band="grg", mjd=[0, 1, 2], mag=[20, 19, 18])
    assert rise_rate(lc.mjd, lc.band, lc.mag) == -1


def test_rise_rate_sees_detections_only() -> None:
    limit = curve("g", [15.0], "upper_limit")
    curves = [curve("gg", [20.0, 19.5]), curve("gr", [20.0, 19.5]), limit + curve("g", [20.0]), None]
    columns = Columns(pa.record_batch({"light_curve": pa.array(curves, LIGHT_CURVE_TYPE)}))
    found = rise_rate.compute(columns, {})["rise_rate"]
    assert found.type == pa.float32()
    assert found.to_pylist() == [pytest.approx(-0.5, abs=1e-5), None, None, None]


def test_examples_run_in_one_graph(batch) -> None:
    columns = COLUMNS | {name: Column("float64") for name in FEATURES}
    graph = Graph.build([early_ia, rise_rate], [early_ia_rising], models={"early_ia": FakeModel("7")}, columns=columns)
    found = graph.run(batch)
    assert found.failures == {}
    p, rate, passed = (found.batch[c].to_pylist() for c in ("p_early_ia", "rise_rate", "pass_early_ia_rising"))
    assert passed == [a is not None and b is not None and a > 0.5 and b < 0 for a, b in zip(p, rate, strict=True)]
    assert 0 < sum(passed) < len(passed)
    assert found.batch.schema.field("p_early_ia").metadata[b"by"] == b"early_ia@1, early_ia@7"
    assert found.batch.schema.field("rise_rate").metadata[b"unit"] == b"mag/day"


@pytest.mark.parametrize("module", [rise_rate, early_ia], ids=str)
def test_examples_keep_the_contract(module, batch) -> None:
    conformance(module, batch)
