"""Modules called once per alert."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from redpoll import Column, alert_filter, science_module
from redpoll.plugin.columns import Columns
from redpoll.schema.bands import DETECTION
from redpoll.schema.light_curve import LIGHT_CURVE_TYPE, LightCurves


@science_module(version="1", per="object", outputs={"seen": Column("string")})
def describe(object_id, n_detections, real_bogus, light_curve, cutout_science):
    """What the function was given."""
    kinds = [type(value).__name__ for value in (object_id, n_detections, real_bogus, light_curve, cutout_science)]
    return " ".join([*kinds, str(len(light_curve))])


@science_module(version="1", per="object", outputs={"n": Column("int32"), "last_mag": Column("float64")})
def count(mag, mjd):
    """Detections and the magnitude of the last one."""
    return (len(mag), mag[-1]) if len(mag) > 1 else None


def test_scalars_are_python_values_or_none() -> None:
    point = {"mjd": 1.0, "band": "g", "flux": None, "flux_err": 1.0, "kind": "upper_limit"}
    batch = {
        "object_id": ["a", "b"],
        "n_detections": pa.array([3, None], "int32"),
        "real_bogus": pa.array([0.5, None], "float32"),
        "light_curve": pa.array([[point, point], None], LIGHT_CURVE_TYPE),
        "cutout_science": pa.array([b"x", None], pa.binary_view()),
    }
    found = describe.compute(Columns(pa.record_batch(batch)), {})["seen"].to_pylist()
    assert found == ["str int float LightCurves memoryview 1", "str NoneType NoneType LightCurves NoneType 1"]


def test_light_curve_holds_all_points_and_detections_are_its_part(sample_batch) -> None:
    seen = []

    @science_module(version="1", per="object", outputs={"out": Column("int32")})
    def compare(light_curve, mjd, flux, flux_err, band, mag, mag_err):
        own = light_curve.kind == DETECTION
        seen.append(np.array_equal(light_curve.mjd[own], mjd) and np.array_equal(light_curve.flux[own], flux))
        assert len(mjd) == len(flux_err) == len(band) == len(mag) == len(mag_err)
        assert band.dtype == "U1"
        assert (np.diff(mjd) >= 0).all()
        assert isinstance(light_curve, LightCurves)
        return len(mjd)

    compare.compute(Columns(sample_batch), {})
    assert seen == [True] * sample_batch.num_rows


def test_none_is_no_answer_for_every_output(sample_batch) -> None:
    found = count.compute(Columns(sample_batch), {})
    n = np.diff(Columns(sample_batch).detections()[0])
    assert found["n"].to_pylist() == [int(i) if i > 1 else None for i in n]
    assert found["last_mag"].null_count == (n <= 1).sum() > 0


def test_filter_without_an_answer_passes_nothing(sample_batch) -> None:
    @alert_filter(per="object")
    def second(mag):
        """Has a second detection."""
        return True if len(mag) > 1 else None

    found = second.compute(Columns(sample_batch), {})["pass_second"]
    assert found.null_count == 0
    assert found.to_pylist() == [bool(i > 1) for i in np.diff(Columns(sample_batch).detections()[0])]


def test_settings_reach_the_function(sample_batch) -> None:
    @science_module(version="1", per="object", outputs={"out": Column("float32")})
    def scaled(ra, *, factor=2.0):
        return factor

    assert set(scaled.compute(Columns(sample_batch), {})["out"].to_pylist()) == {2.0}
    assert set(scaled.compute(Columns(sample_batch), {"factor": 3.0})["out"].to_pylist()) == {3.0}
