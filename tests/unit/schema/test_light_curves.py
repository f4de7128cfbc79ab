"""The ragged view of light curves and its way to Arrow and back."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from redpoll.schema.bands import BANDS, DETECTION, FORCED, KINDS, UPPER_LIMIT
from redpoll.schema.light_curve import LIGHT_CURVE_TYPE, LightCurves, concatenated

NAN = np.nan
CURVES = LightCurves(
    np.array([0, 3, 3, 5, 6]),
    np.array([1.0, 2.0, 3.0, 1.5, 2.5, NAN]),
    np.array([0, 1, -1, 5, 2, 0], np.int8),
    np.array([1.0, NAN, -3.0, 0.0, 5.0, 6.0], np.float32),
    np.array([0.1, 0.2, NAN, 0.0, 0.5, 0.6], np.float32),
    np.array([DETECTION, UPPER_LIMIT, FORCED, -1, DETECTION, DETECTION], np.int8),
)
FIELDS = ("offsets", "mjd", "band", "flux", "flux_err", "kind")


def same(one, other):
    return all(np.array_equal(getattr(one, f), getattr(other, f), equal_nan=True) for f in FIELDS) and all(
        getattr(one, f).dtype == getattr(other, f).dtype for f in FIELDS
    )


def empty(n=0):
    parts = (np.zeros(0, t) for t in (np.float64, np.int8, np.float32, np.float32, np.int8))
    return LightCurves(np.zeros(n + 1, np.int64), *parts)


@pytest.mark.parametrize("curves", [CURVES, empty(), empty(3), CURVES[0], CURVES[1]])
def test_there_and_back(curves):
    array = curves.to_arrow()
    array.validate(full=True)
    assert array.type == LIGHT_CURVE_TYPE
    assert same(LightCurves.from_arrow(array), curves)


def test_unknown_is_null_in_arrow():
    first = CURVES.to_arrow().to_pylist()[0]
    assert [p["flux"] for p in first] == [1.0, None, -3.0]
    assert [p["flux_err"] for p in first][2] is None
    assert [p["band"] for p in first] == ["u", "g", None]


@pytest.mark.parametrize(("start", "stop"), [(0, 2), (1, 4), (2, 3), (1, 1), (3, 4)])
def test_a_slice_holds_the_points_of_its_curves(start, stop):
    found = LightCurves.from_arrow(CURVES.to_arrow().slice(start, stop - start))
    assert len(found) == stop - start
    assert all(same(found[i], CURVES[start + i]) for i in range(stop - start))


def test_chunks_are_joined():
    array = CURVES.to_arrow()
    chunked = pa.chunked_array([array.slice(0, 1), array.slice(1)])
    assert same(LightCurves.from_arrow(chunked), CURVES)


@pytest.mark.parametrize("encode", [lambda a: a, lambda a: a.dictionary_encode()])
@pytest.mark.parametrize("names", [["y", None, "g"], ["x", "r", "u"], [None, None, None]])
def test_foreign_dictionaries_and_plain_names_are_understood(names, encode):
    names = [*names, *names]
    text = encode(pa.array(names, pa.string()))
    points = pa.StructArray.from_arrays(
        [pa.array(CURVES.mjd), text, pa.array(CURVES.flux), pa.array(CURVES.flux_err), text],
        names=["mjd", "band", "flux", "flux_err", "kind"],
    )
    found = LightCurves.from_arrow(pa.ListArray.from_arrays(pa.array([0, 6], pa.int32()), points))
    assert found.band.tolist() == [BANDS.index(n) if n in BANDS else -1 for n in names]
    assert found.kind.tolist() == [KINDS.index(n) if n in KINDS else -1 for n in names]


def test_the_usual_dictionary_is_not_copied():
    known = CURVES.of_kind(DETECTION)
    array = known.to_arrow()
    assert LightCurves.from_arrow(array).band.ctypes.data == array.values.field("band").indices.buffers()[1].address
    assert LightCurves.from_arrow(array).mjd.ctypes.data == known.mjd.ctypes.data


@pytest.mark.parametrize("kinds", [(), (DETECTION,), (DETECTION, UPPER_LIMIT), (FORCED,), (0, 1, 2, 3, -1)])
def test_points_of_some_kinds(kinds):
    found = CURVES.of_kind(*kinds)
    expected = [c.mjd[np.array([k in kinds for k in c.kind], bool)] for c in CURVES]
    assert all(np.array_equal(one.mjd, mjd, equal_nan=True) for one, mjd in zip(found, expected, strict=True))


def test_one_curve_by_its_number():
    assert CURVES[2].mjd.tolist() == CURVES[-2].mjd.tolist() == [1.5, 2.5]
    assert len(CURVES[1].mjd) == 0 and len(CURVES[1]) == 1


@pytest.mark.parametrize("i", [4, -5])
def test_a_curve_beyond_the_batch_is_refused(i):
    with pytest.raises(IndexError):
        CURVES[i]


def test_iteration_ends():
    assert [len(curve.mjd) for curve in CURVES] == [3, 0, 2, 1]


def test_points_can_be_chosen_by_time_and_number_and_curves_by_alert():
    curves = LightCurves(np.array([0, 3, 3, 5]), np.array([1.0, 2.0, 3.0, 8.0, 9.0]), *np.zeros((4, 5), np.int8))
    assert curves.since(np.array([2.0, 0.0, 9.0])).mjd.tolist() == [2, 3, 9]
    assert curves.since(np.array([2.0, 0.0, 9.0])).offsets.tolist() == [0, 2, 2, 3]
    assert curves.newest(1).mjd.tolist() == [3, 9] and curves.newest(9).mjd.tolist() == [1, 2, 3, 8, 9]
    some = curves.of_alerts(np.array([1, 2]))
    assert (some.offsets.tolist(), some.mjd.tolist()) == ([0, 0, 2], [8, 9])
    assert [len(one.mjd) for one in curves] == [3, 0, 2]
    assert curves.triggering.tolist() == [2, -1, 4]
    assert len(curves.of_alerts(np.array([], np.int64))) == 0


def of_kinds(*kinds):
    """One light curve, a point a day."""
    n = len(kinds)
    values = np.ones(n, np.float32)
    return LightCurves(np.array([0, n]), np.arange(float(n)), np.zeros(n, np.int8), values, values,
                       np.array(kinds, np.int8))  # fmt: skip


@pytest.mark.parametrize("n, n_counted", [
    (0, 0), (1, 1), (19, 19), (20, 20), (21, 20), (22, 20), (23, 22), (30, 28), (31, 30), (33, 30), (34, 33), (94, 86),
    (95, 94), (103, 94), (104, 103), (972, 884), (973, 972),
])  # fmt: skip
def test_a_stepwise_light_curve_grows_by_a_tenth_at_a_time(n, n_counted):
    stepwise = of_kinds(*[DETECTION] * n).stepwise
    assert len(stepwise.mjd) == n_counted and n_counted > 0.9 * n - 2
    assert stepwise.mjd.tolist() == list(range(n_counted))


def test_only_detections_count_and_what_comes_after_the_last_of_them_waits():
    others = [FORCED, UPPER_LIMIT, -1]
    curve = of_kinds(*others, *[DETECTION, *others] * 22)
    assert len(curve.stepwise.mjd) == 3 + 4 * 19 + 1  # up to the 20th detection
    assert curve.stepwise.kind[-1] == DETECTION
    assert len(of_kinds(DETECTION, FORCED).stepwise.mjd) == 1
    assert len(of_kinds(*others).stepwise.mjd) == 3  # nothing to wait for


def test_each_light_curve_of_a_batch_is_cut_alone():
    one, two = of_kinds(*[DETECTION] * 21), of_kinds(*[DETECTION] * 3)
    both = concatenated([one, two, empty(1), one])
    assert np.diff(both.stepwise.offsets).tolist() == [20, 3, 0, 20]
    assert both.stepwise.mjd.tolist() == [*range(20), *range(3), *range(20)]


def test_a_stepwise_light_curve_is_made_once_and_read_only():
    curve = of_kinds(*[DETECTION] * 21)
    assert curve.stepwise is curve.stepwise and not curve.stepwise.flux.flags.writeable
    assert curve.flux.flags.writeable and len(empty(2).stepwise) == 2
