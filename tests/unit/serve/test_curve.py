"""The light curve as pages show it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from redpoll.schema.light_curve import POINT_TYPE
from redpoll.serve.curve import Curve
from redpoll.serve.portal.plot import HEIGHT, TOP, label, light_curve_plot, ticks
from redpoll.serve.portal.sparkline import sparkline


def curve(*points: tuple[object, ...]) -> Curve:
    rows = [dict(zip(("mjd", "band", "flux", "flux_err", "kind"), point, strict=True)) for point in points]
    return Curve.from_table(pa.Table.from_pylist(rows, schema=pa.schema(list(POINT_TYPE))))


def test_magnitudes_are_golden() -> None:
    c = curve((1.0, "g", 1000.0, 100.0, "detection"), (2.0, "r", 36307.8, 363.078, "forced"))
    np.testing.assert_allclose(c.mag, [23.9, 20.0], atol=1e-5)
    np.testing.assert_allclose(c.mag_err, [0.10857, 0.010857], rtol=1e-4)


def test_a_limit_is_five_times_the_noise() -> None:
    c = curve((1.0, "g", None, 200.0, "upper_limit"))
    assert c.is_upper_limit.tolist() == [True]
    assert c.mag[0] == pytest.approx(23.9, abs=1e-5)
    assert np.isnan(c.mag_err[0])


@pytest.mark.parametrize(("flux", "is_upper_limit"), [(301.0, False), (299.0, True), (-500.0, True), (None, True)])
def test_faint_forced_points_are_upper_limits(flux: float | None, is_upper_limit: bool) -> None:
    assert curve((1.0, "g", flux, 100.0, "forced")).is_upper_limit.tolist() == [is_upper_limit]


def test_a_faded_source_is_no_limit() -> None:
    c = curve((1.0, "g", -1000.0, 100.0, "detection"))
    assert (c.is_upper_limit.tolist(), c.is_negative.tolist()) == ([False], [True])
    assert c.mag[0] == pytest.approx(23.9)


def test_points_without_a_time_are_left_out_and_unknown_words_kept_unknown() -> None:
    c = curve((None, "g", 1.0, 1.0, "detection"), (1.0, None, 1.0, 1.0, "detection"), (2.0, "w", 1.0, 1.0, "guess"))
    assert c.band.tolist() == [-1, -1]
    assert c.kind.tolist() == [0, -1]


def test_bands_are_counted_by_kind() -> None:
    c = curve(
        (1.0, "r", 1e4, 1e2, "detection"), (2.0, "g", None, 1e2, "upper_limit"), (3.0, "r", 1e4, 1e2, "detection")
    )
    assert [name for name, _ in c.bands()] == ["g", "r"]
    assert c.bands()[1][1] == {"detection": 2, "forced": 0, "upper_limit": 0, "low_quality": 0}
    assert c.summary() == "3 points over 2.0 days: 2 detections, 1 upper limits. Bands: g (1), r (2)."


def test_brighter_is_higher() -> None:
    plot = light_curve_plot(curve((1.0, "g", 1e4, 1e2, "detection"), (2.0, "g", 1e5, 1e2, "detection")))
    assert plot is not None
    faint, bright = (float(part.split()[1].split("m")[0]) for part in plot.marks[0].marks.split("M")[1:])
    assert TOP < bright < faint < HEIGHT
    values = [float(text) for _, text in plot.y_ticks]
    assert values == sorted(values)  # and down the page
    assert [y for y, _ in plot.y_ticks] == sorted(y for y, _ in plot.y_ticks)


def test_a_curve_without_a_magnitude_has_no_plot() -> None:
    assert light_curve_plot(curve()) is None
    assert light_curve_plot(curve((1.0, "g", None, None, "detection"))) is None
    assert light_curve_plot(curve((1.0, "g", 0.0, 0.0, "low_quality"))) is None


def test_low_quality_points_do_not_widen_the_axis() -> None:
    good = [(float(t), "g", 1e4, 1e2, "detection") for t in range(5)]
    plain, odd = light_curve_plot(curve(*good)), light_curve_plot(curve(*good, (9.0, "g", 1e9, 1e2, "low_quality")))
    assert plain is not None and odd is not None
    assert plain.y_ticks == odd.y_ticks


def test_a_thousand_points_take_a_handful_of_paths() -> None:
    points = [(float(t), "gri"[t % 3], 1e4, 1e2, ("detection", "forced")[t % 2]) for t in range(1000)]
    plot = light_curve_plot(curve(*points))
    assert plot is not None
    assert len(plot.marks) == 6


@pytest.mark.parametrize(("low", "high"), [(17.2, 19.9), (59000.0, 61109.3), (18.0, 18.001), (-5.0, 5.0)])
def test_ticks_are_few_round_and_inside(low: float, high: float) -> None:
    values = ticks(low, high, 6)
    assert 2 <= len(values) <= 15
    assert low <= values[0] and values[-1] <= high + 1e-9
    assert len({label(v, values) for v in values}) == len(values)


def test_a_sparkline_needs_two_detections() -> None:
    point = {"mjd": 1.0, "band": "g", "flux": 1e4, "flux_err": 1e2, "kind": "detection"}
    assert sparkline(None) is None
    assert sparkline([point, point | {"kind": "upper_limit", "flux": None}]) is None
    line = sparkline([point, point | {"mjd": 3.5, "band": "r"}])
    assert line is not None
    assert [name for name, _ in line.paths] == ["g", "r"]
    assert line.title == "2 detections over 2.5 days, 21.4 to 21.4 mag"
