"""Arrow columns as modules read them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from redpoll.errors import PluginError, SchemaError
from redpoll.plugin.columns import Columns
from redpoll.schema.bands import DETECTION, UPPER_LIMIT
from redpoll.schema.light_curve import BAND_TYPE, LIGHT_CURVE_TYPE, LightCurves
from redpoll.testing.batches import sample_batch

POINT = {"mjd": 1.0, "band": "g", "flux": 10.0, "flux_err": 1.0, "kind": "detection"}


def columns(**arrays) -> Columns:
    return Columns(pa.record_batch(arrays))


def read(array: pa.Array) -> np.ndarray:
    return columns(x=array).numpy("x")


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_null_float_becomes_nan_in_the_same_dtype(kind) -> None:
    found = read(pa.array([1.5, None], kind))
    assert found.dtype == kind
    np.testing.assert_array_equal(found, [1.5, np.nan])


@pytest.mark.parametrize("kind", ["int8", "int32", "int64"])
def test_integer_keeps_its_dtype_without_nulls_and_becomes_float_with_them(kind) -> None:
    assert read(pa.array([1, 2], kind)).dtype == kind
    found = read(pa.array([1, None], kind))
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, [1, np.nan])


def test_large_ids_stay_exact() -> None:
    assert read(pa.array([2**63 - 1]))[0] == 2**63 - 1


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), BAND_TYPE])
def test_strings_become_objects_with_none(kind) -> None:
    found = read(pa.array(["g", None], kind))
    assert found.dtype == object
    assert found.tolist() == ["g", None]
    assert (found == "g").tolist() == [True, False]


def test_boolean_with_null_is_refused_by_name() -> None:
    bad = columns(is_edge=pa.array([True, None]))
    for reader in (bad.numpy, bad.python):
        with pytest.raises(PluginError, match="'is_edge' is a boolean with 1 nulls"):
            reader("is_edge")


@pytest.mark.parametrize("kind", [pa.binary(), pa.binary_view()])
def test_cutouts_are_views_of_the_stored_bytes(kind) -> None:
    found = read(pa.array([b"cutout" * 10, None, b""], kind))
    assert bytes(found[0]) == b"cutout" * 10
    assert found[1] is None
    assert found[0].readonly
    assert len(found[2]) == 0


def test_lists_become_objects_even_when_equally_long() -> None:
    assert read(pa.array([[1, 2], [3, 4], None])).tolist() == [[1, 2], [3, 4], None]


def test_light_curve_is_ragged_and_null_is_a_curve_without_points() -> None:
    batch = columns(light_curve=pa.array([[POINT], None, []], LIGHT_CURVE_TYPE))
    curves = batch.numpy("light_curve")
    assert isinstance(curves, LightCurves)
    assert np.diff(curves.offsets).tolist() == [1, 0, 0]


def test_every_array_is_read_only() -> None:
    batch = sample_batch()
    view = Columns(batch)
    for name in batch.schema.names:
        found = view.numpy(name)
        arrays = vars(found).values() if isinstance(found, LightCurves) else [found]
        assert not any(array.flags.writeable for array in arrays), name
    assert not any(array.flags.writeable for array in vars(view.detections()[1]).values())


def test_a_slice_of_a_batch_shows_its_own_rows() -> None:
    batch = sample_batch()
    part, whole = Columns(batch.slice(10, 5)), Columns(batch)
    np.testing.assert_array_equal(part.numpy("flux"), whole.numpy("flux")[10:15])
    np.testing.assert_array_equal(part.numpy("light_curve")[0].flux, whole.numpy("light_curve")[10].flux)
    assert part.python("cutout_science") == whole.python("cutout_science")[10:15]


def test_detections_leave_out_limits_and_speak_magnitudes() -> None:
    limit = POINT | {"flux": None, "kind": "upper_limit"}
    unknown = POINT | {"band": None, "flux": 0.0}
    view = columns(light_curve=pa.array([[limit, POINT], [unknown]], LIGHT_CURVE_TYPE))
    offsets, found = view.detections()
    assert offsets.tolist() == [0, 1, 2]
    assert found.band.tolist() == ["g", ""]
    np.testing.assert_allclose(found.mag, [31.4 - 2.5, np.nan])
    np.testing.assert_allclose(found.mag_err, [2.5 / np.log(10) / 10, np.nan])


def test_an_unknown_column_is_named() -> None:
    with pytest.raises(SchemaError, match="no column 'y'"):
        columns(x=pa.array([1])).numpy("y")


def test_sample_batch_has_points_of_every_use() -> None:
    curves = Columns(sample_batch()).numpy("light_curve")
    assert {DETECTION, UPPER_LIMIT} <= set(curves.kind.tolist())
