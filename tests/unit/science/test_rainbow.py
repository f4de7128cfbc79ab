"""Blackbodies fitted to rising and to whole light curves."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest

from redpoll.astro.photometry import flux_err_from_mag_err, flux_from_mag
from redpoll.schema.bands import BANDS, DETECTION
from redpoll.schema.light_curve import LightCurves
from redpoll.science.rainbow_rise import OUTPUTS as RISE
from redpoll.science.rainbow_rise import rainbow_rise
from redpoll.science.rainbow_shape import OUTPUTS as SHAPE
from redpoll.science.rainbow_shape import rainbow_shape

START = 60000.0


def _source(rng, times, rise=4.0, fall=30.0, peak=20.0, bands="gr", temperature=(1.3, 1.0)):
    """A rise and fall with brighter g, and 1 % noise."""
    points = []
    for i, t in enumerate(times):
        shape = np.exp(-(t - peak) / fall) / (1 + np.exp(-(t - peak) / rise))
        band = bands[i % len(bands)]
        flux = 50_000 * temperature[bands.index(band) % 2] * shape
        points.append((band, START + t, flux + rng.normal(0, 400), 400.0))
    return points


def _run(module, curves, batch, survey="ztf", age=20.0):
    curve = curves(*batch)
    mjd = np.array([points[-1][1] if points else START for points in batch])
    n = len(batch)
    return module(np.array([survey] * n, object), mjd, np.full(n, age, np.float32), curve)


def test_a_young_rise_is_rising_and_a_decline_is_not(curves):
    rng = np.random.default_rng(1)
    young, old = np.arange(4.0, 20.0, 2.0), np.arange(24.0, 50.0, 2.0)
    found = _run(rainbow_rise, curves, [_source(rng, young), _source(rng, old)])
    assert found["is_rising"].tolist() == [True, False]
    assert found["rainbow_rise_time"][0] == pytest.approx(4.5, rel=0.17)  # scatter of 40 seeds 8 %
    assert found["rainbow_rise_points"].tolist() == [len(young), len(old)]


def test_two_points_in_g_and_three_in_r_are_enough(curves):
    found = _run(rainbow_rise, curves, [_source(np.random.default_rng(2), [8, 10, 12, 15, 17], bands="rg")])
    assert np.isfinite(found["rainbow_rise_time"][0]) and found["is_rising"][0]


@pytest.mark.parametrize("survey, bands", [("ztf", "gri"), ("rubin", "ugrizy")])
def test_one_code_serves_both_surveys(curves, survey, bands):
    found = _run(rainbow_rise, curves, [_source(np.random.default_rng(3), np.arange(2.0, 20.0), bands=bands)], survey)
    assert np.isfinite(found["rainbow_temperature"][0])


def test_old_sources_few_points_one_band_and_nothing_have_no_answer(curves):
    rng = np.random.default_rng(4)
    young = np.arange(4.0, 20.0, 2.0)
    for batch, age in (([_source(rng, young)], 70.0), ([_source(rng, young[:4])], 5.0), ([[]], 5.0), ([], 5.0)):
        found = _run(rainbow_rise, curves, batch, age=age)
        assert not found["is_rising"].any() and not found["rainbow_rise_points"].any()
    found = _run(rainbow_rise, curves, [_source(rng, young, bands="r")])
    assert np.isnan(found["rainbow_rise_time"][0]) and not found["is_rising"][0]


def test_a_whole_light_curve_has_its_times_and_phase(curves, every_point):
    found = _run(rainbow_shape, curves, [_source(np.random.default_rng(5), np.arange(0.0, 90.0, 1.5))], age=90.0)
    assert found["shape_rise_time"][0] == pytest.approx(4.63, rel=0.04)  # scatter of 40 seeds 1.4 %
    assert found["shape_fall_time"][0] == pytest.approx(30.0, rel=0.12)  # 4.9 %
    assert found["shape_phase"][0] == pytest.approx(61.0, abs=1.5)  # 0.5 d
    assert found["shape_points"][0] == 60 and found["shape_days"][0] == pytest.approx(88.5)


def test_a_whole_light_curve_is_asked_of_no_young_source(curves):
    found = _run(rainbow_shape, curves, [_source(np.random.default_rng(6), np.arange(0.0, 14.0))], age=14.0)
    assert np.isnan(found["shape_rise_time"][0]) and set(found) == set(SHAPE)
    assert set(_run(rainbow_rise, curves, [])) == set(RISE)


def test_most_real_supernovae_have_an_answer_when_first_they_could(data_dir):
    """At the first alert with four points in g and four in r, before the peak or after; the old test kept 29 %."""
    points = pq.read_table(data_dir / "labelled" / "ztf_bts_snia_lightcurves.parquet").to_pandas()
    points = points[points["band"].isin(["g", "R"])].sort_values(["objectId", "time"])
    curves = []
    for _, one in points.groupby("objectId"):
        is_g = (one["band"] == "g").to_numpy()
        enough = np.flatnonzero((np.cumsum(is_g) >= 4) & (np.cumsum(~is_g) >= 4))
        if len(enough):
            curves.append(one.iloc[: enough[0] + 1])
    found = _bts(curves)
    assert np.isfinite(found["rainbow_temperature"]).mean() > 0.97
    assert np.isfinite(found["rainbow_rise_time"]).mean() > 0.85  # others rise within one gap: a limit of the search
    assert np.nanmax(found["rainbow_temperature"]) < 9e5


def _bts(curves):
    band = np.concatenate([np.where(one["band"] == "g", BANDS.index("g"), BANDS.index("r")) for one in curves])
    mjd, mag, err = (np.concatenate([one[name] for one in curves]) for name in ("time", "mag", "magerr"))
    flux = flux_from_mag(mag)
    offsets = np.concatenate([[0], np.cumsum([len(one) for one in curves])])
    curve = LightCurves(
        offsets, mjd, band.astype(np.int8), flux.astype(np.float32),
        flux_err_from_mag_err(err, flux).astype(np.float32), np.full(len(mjd), DETECTION, np.int8),
    )  # fmt: skip
    n = len(curves)
    return rainbow_rise(np.array(["ztf"] * n, object), mjd[offsets[1:] - 1], np.full(n, 20.0, np.float32), curve)


@pytest.mark.parametrize("hours, n_fitted", [(11.0, 60), (13.0, 90)])
def test_points_of_half_a_day_are_averaged(curves, every_point, hours, n_fitted):
    nights = np.arange(0.0, 90.0, 3.0)
    source = _source(np.random.default_rng(6), np.repeat(nights, 2))
    again = [(band, t + hours / 24, flux, err) for band, t, flux, err in source[::2]]
    found = _run(rainbow_shape, curves, [sorted([*source, *again], key=lambda point: point[1])], age=90.0)
    assert found["shape_points"][0] == n_fitted


RISE_FIT = {"t0": 60010.0, "t0_err": 0.5, "rise_time": 4.0, "rise_time_err": 0.5, "temperature_start": 9000.0,
            "temperature_start_err": 300.0, "reduced_chi2": 1.5, "n_points": 12}  # fmt: skip
SHAPE_FIT = RISE_FIT | {
    "fall_time": 20.0, "fall_time_err": 1.0, "temperature_end": 5000.0, "temperature_end_err": 200.0,
    "colour_time": 7.0, "colour_time_err": 1.0, "amplitude": 30.0, "amplitude_err": 1.5,
}  # fmt: skip


@pytest.fixture
def answered(curves, monkeypatch, every_point):
    """``answered(module, points, **fit)``: the answers if the fit answers so, and what the fit was given."""

    def run(module, *batch, age=20.0, mjd=None, survey="ztf", **fit):
        given = []
        usual = RISE_FIT if module is rainbow_rise else SHAPE_FIT

        def fake(*data, **options):
            given.append((data, options))
            n = len(data[-1]) - 1
            return SimpleNamespace(**{name: np.full(n, value) for name, value in (usual | fit).items()})

        monkeypatch.setattr(f"redpoll.science.{module.name}.rainbow_fit", fake)
        n = len(batch)
        trigger = np.full(n, mjd or max([p[1] for p in batch[0]], default=START))
        found = module(
            np.array(np.broadcast_to(survey, n), object), trigger, np.full(n, age, np.float32), curves(*batch)
        )
        return {name: column.tolist() for name, column in found.items()}, given[0]

    return run


def _days(*days, flux=5000.0, err=100.0):
    return [("gr"[i % 2], START + day, flux, err) for i, day in enumerate(days)]


@pytest.mark.parametrize("change, mjd, is_rising", [
    ({}, 60017.99, True), ({}, 60018.0, False),  # two rise times after half of the plateau
    ({"t0": np.nan}, 60011.0, False),
])  # fmt: skip
def test_a_source_rises_until_two_rise_times_after_half_of_the_plateau(answered, change, mjd, is_rising):
    found, _ = answered(rainbow_rise, _days(0, 2, 4, 6, 8), mjd=mjd, **change)
    assert found["is_rising"] == [is_rising]
    assert found["rainbow_rise_points"] == [0 if change else 12]


@pytest.mark.parametrize("snr, is_rising", [(2.9, False), (3.0, True)])
def test_a_rise_has_a_point_of_three_sigma(answered, snr, is_rising):
    faint = [*_days(0, 2, 4, 6, flux=200.0), ("g", START + 8, 100 * snr, 100.0)]
    found, _ = answered(rainbow_rise, faint, [*faint[:2], *faint])
    assert found["is_rising"] == [is_rising] * 2 and found["rainbow_rise_snr"] == pytest.approx([snr] * 2)


def test_the_numbers_of_a_rise_are_those_of_the_fit(answered):
    found, (data, options) = answered(rainbow_rise, _days(0, 2, 4, 6, 8), mjd=60012.0)
    assert found["rainbow_rise_time"] == [4.0] and found["rainbow_rise_phase"] == [2.0]
    assert found["rainbow_temperature"] == [9000.0] and found["rainbow_rise_chi2"] == [1.5]
    assert found["rainbow_rise_snr"] == [50.0] and np.all(options["survey"] == "ztf")
    assert [x.tolist() for x in data] == [
        [60000, 60002, 60004, 60006, 60008], [1, 2, 1, 2, 1], [5000] * 5, [100] * 5, [0, 5],
    ]  # fmt: skip


@pytest.mark.parametrize("unknown, columns", [
    ("rise_time_err", {"rainbow_rise_time"}), ("t0_err", {"rainbow_rise_phase"}),
    ("temperature_start_err", {"rainbow_temperature"}),
])  # fmt: skip
def test_a_number_of_a_rise_without_an_error_is_null(answered, unknown, columns):
    found, _ = answered(rainbow_rise, _days(0, 2, 4, 6, 8), **{unknown: np.nan})
    assert {name for name, values in found.items() if np.isnan(values).any()} == columns


def _n_given(given):
    return len(given[0][0])


@pytest.mark.parametrize("module, max_age, min_points, max_points, max_days", [
    (rainbow_rise, 60.0, 5, 100, 60.0), (rainbow_shape, 400.0, 12, 150, 400.0),
])  # fmt: skip
def test_which_points_of_which_sources_are_fitted(answered, module, max_age, min_points, max_points, max_days):
    enough = _days(*range(min_points))
    for n, n_fitted in ((min_points - 1, 0), (min_points, min_points)):
        assert _n_given(answered(module, _days(*range(n)))[1]) == n_fitted
    for age, n_fitted in ((max_age, min_points), (max_age + 0.1, 0)):
        assert _n_given(answered(module, enough, age=age)[1]) == n_fitted
    for last, n_fitted in ((max_days, min_points), (max_days + 0.01, 0)):  # from the first point to the last
        late = _days(*range(min_points - 1), last)
        assert _n_given(answered(module, late, mjd=START + last)[1]) == n_fitted
    step = 0.59 if module is rainbow_rise else 0.51
    for n in (max_points, max_points + 1):
        _, (data, _) = answered(module, _days(*(step * np.arange(n)), flux=np.float32(n)))
        assert len(data[0]) == max_points and data[0][-1] == START + step * (n - 1)


@pytest.mark.parametrize("kind, is_fitted", [("detection", True), ("forced", True), ("upper_limit", False)])
@pytest.mark.parametrize("module", [rainbow_rise, rainbow_shape])
def test_detections_and_forced_photometry_are_fitted(answered, module, kind, is_fitted):
    points = [(*p, kind) for p in _days(*range(12))]
    assert _n_given(answered(module, points)[1]) == 12 * is_fitted


@pytest.mark.parametrize("module", [rainbow_rise, rainbow_shape])
def test_a_source_of_many_negative_points_is_not_fitted(answered, module):
    """Of 40 points of five sigma; the fainter ones do not count."""
    for n_negative, is_fitted in ((12, True), (13, False)):
        points = [*_days(*range(n_negative), flux=-520.0), *_days(*range(n_negative, 40), flux=520.0)]
        assert _n_given(answered(module, points)[1]) == 40 * is_fitted
    faint = [*_days(*range(10), flux=-480.0), *_days(*range(10, 20), flux=520.0)]
    assert _n_given(answered(module, faint)[1]) == 20


@pytest.mark.parametrize("age, n_fitted", [(14.9, 0), (15.0, 12)])
def test_a_whole_light_curve_is_known_for_fifteen_days(answered, age, n_fitted):
    assert _n_given(answered(rainbow_shape, _days(*range(12)), age=age)[1]) == n_fitted


@pytest.mark.parametrize("days, n_fitted", [(0.45, 12), (0.54, 24)])
def test_points_of_a_band_within_half_a_day_are_averaged(answered, days, n_fitted):
    points = [("g", START + 3.0 * i + t, 5000.0, 100.0) for i in range(12) for t in (0.0, days)]
    assert _n_given(answered(rainbow_shape, points)[1]) == n_fitted


def test_the_numbers_of_a_shape_are_those_of_the_fit(answered):
    """The bolometric peak is at t0 + rise fall / (rise + fall) ln(fall / rise)."""
    found, (data, options) = answered(rainbow_shape, _days(*range(0, 24, 2)), mjd=60040.0)
    assert (options["bolometric"], options["temperature"]) == ("bazin", "sigmoid")
    assert np.all(options["survey"] == "ztf") and len(data) == 5
    t = np.linspace(0, 20, 2_000_001)
    peak = 60010 + t[np.argmax(1 / (np.exp(-t / 4) + np.exp(t / 20)))]
    assert found.pop("shape_phase") == pytest.approx([60040 - peak], abs=1e-4)
    assert found == {
        "shape_rise_time": [4.0], "shape_fall_time": [20.0], "shape_temperature_early": [9000.0],
        "shape_temperature_late": [5000.0], "shape_colour_time": [7.0], "shape_snr": [20.0], "shape_chi2": [1.5],
        "shape_points": [12], "shape_days": [22.0], "shape_mjd": [START + 22.0],
    }  # fmt: skip
    found, _ = answered(rainbow_shape, _days(*range(0, 24, 2)), t0=np.nan)
    assert found["shape_points"] == [0] and np.isnan(found["shape_days"] + found["shape_mjd"]).all()


@pytest.mark.parametrize("unknown, columns", [
    ("rise_time_err", {"shape_rise_time", "shape_phase"}), ("fall_time_err", {"shape_fall_time", "shape_phase"}),
    ("t0_err", {"shape_phase"}), ("temperature_start_err", {"shape_temperature_early"}),
    ("temperature_end_err", {"shape_temperature_late"}), ("colour_time_err", {"shape_colour_time"}),
    ("amplitude_err", {"shape_snr"}),
])  # fmt: skip
def test_a_number_of_a_shape_without_an_error_is_null(answered, unknown, columns):
    found, _ = answered(rainbow_shape, _days(*range(0, 24, 2)), **{unknown: np.nan})
    assert {name for name, values in found.items() if np.isnan(values).any()} == columns


def test_a_batch_has_the_answers_of_its_alerts_alone(answered, curves):
    batch = _days(0, 2, 4, 6, 8), _days(1, 3), _days(1, 2, 3, 4, 5, 6)
    found, (data, options) = answered(rainbow_rise, *batch, survey=["rubin", "ztf", "ztf"])
    assert found["rainbow_rise_points"] == [12, 0, 12] and data[-1].tolist() == [0, 5, 11]
    assert list(options["survey"]) == ["rubin"] * 5 + ["ztf"] * 6
