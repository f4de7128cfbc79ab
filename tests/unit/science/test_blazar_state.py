"""Low and high states of monitored blazars."""

from __future__ import annotations

import numpy as np
import pytest

from redpoll.science.blazar_state import blazar_state

MEDIAN = 1e-3  # Jy: 16.4 mag


def _run(curves, ratios, band="r", **changes):
    """An alert whose history has these apparent fluxes, in medians, a day apart; the reference is half a median."""
    reference = 0.5 * MEDIAN * 1e9
    points = [(band, 60000.0 + i, x * MEDIAN * 1e9 - reference, 1000.0) for i, x in enumerate(ratios)]
    columns = {
        "mjd": points[-1][1], "flux": points[-1][2], "reference_mag": 31.4 - 2.5 * np.log10(reference),
        "ctao_blazars_median_g": np.nan, "ctao_blazars_median_r": MEDIAN,
        "ctao_blazars_low_threshold": 0.6, "ctao_blazars_high_threshold": 2.0,
    }  # fmt: skip
    columns = {name: np.array([value]) for name, value in {**columns, **changes}.items()}
    found = blazar_state(**columns, band=np.array([band], object), light_curve=curves(points))
    return {name: values[0] for name, values in found.items()}


def test_a_blazar_long_below_its_threshold_is_low(curves):
    found = _run(curves, [0.5, 0.55, 0.5, 0.52])
    assert found["is_blazar_low"] and not found["is_blazar_high"]
    assert found["blazar_flux_ratio"] == pytest.approx(0.52, rel=1e-4)


def test_one_faint_night_is_not_a_low_state(curves):
    assert not _run(curves, [1.0, 1.1, 1.0, 0.5])["is_blazar_low"]


def test_a_bright_week_is_a_high_state(curves):
    found = _run(curves, [1.0] * 20 + [2.5, 2.6, 2.4, 2.5, 2.6, 2.5])
    assert found["is_blazar_high"] and not found["is_blazar_low"]


@pytest.mark.parametrize(
    "change",
    [{"ctao_blazars_median_r": np.nan}, {"reference_mag": np.nan}, {"ctao_blazars_low_threshold": np.nan}],
    ids=str,
)
def test_what_is_unknown_is_no_state(curves, change):
    assert not _run(curves, [0.5, 0.5], **change)["is_blazar_low"]
    assert not _run(curves, [0.5, 0.5], band="i")["is_blazar_low"]


def _states(curves, *points, low=0.6, high=2.0, band="g"):
    """Of a blazar of median 1e6 nJy without a reference source; points are (band, mjd, flux in medians[, kind])."""
    curve = curves([(b, mjd, ratio * 1e6, 1.0, *kind) for b, mjd, ratio, *kind in points])
    columns = {
        "mjd": points[-1][1], "flux": points[-1][2] * 1e6, "reference_mag": 99.0, "ctao_blazars_median_g": 1e-3,
        "ctao_blazars_median_r": 2e-3, "ctao_blazars_low_threshold": low, "ctao_blazars_high_threshold": high,
    }  # fmt: skip
    columns = {name: np.array([value]) for name, value in columns.items()}
    found = blazar_state(**columns, band=np.array([band], object), light_curve=curve)
    return {name: values[0] for name, values in found.items()}


@pytest.mark.parametrize(
    ("point", "low", "high"),
    [
        (("g", 70.0, 3.0), 2.0, 1.0), (("g", 69.9, 3.0), 1.0, 1.0), (("g", 95.0, 3.0), 2.0, 2.0),
        (("g", 94.9, 3.0), 2.0, 1.0), (("r", 99.0, 3.0), 1.0, 1.0), (("g", 99.0, 3.0, "low_quality"), 1.0, 1.0),
    ],
)  # fmt: skip
def test_means_are_of_the_detections_in_the_band_over_30_and_5_days(point, low, high, curves):
    found = _states(curves, point, ("g", 100.0, 1.0))
    assert found["blazar_flux_ratio_low"] == pytest.approx(low / 0.6)
    assert found["blazar_flux_ratio_high"] == pytest.approx(high / 2.0)


@pytest.mark.parametrize(("band", "ratio"), [("g", 1.0), ("r", 0.5), ("i", np.nan)])
def test_each_band_has_its_median(band, ratio, curves):
    assert _states(curves, (band, 0.0, 1.0), band=band)["blazar_flux_ratio"] == pytest.approx(ratio, nan_ok=True)


def test_an_alert_that_is_no_detection_has_no_mean(curves):
    found = _states(curves, ("g", 0.0, 1.0, "low_quality"))
    assert np.isnan(found["blazar_flux_ratio_low"]) and not found["is_blazar_low"]


@pytest.mark.parametrize(
    ("ratios", "thresholds", "is_low", "is_high"),
    [
        ((0.25, 0.5), {"low": 0.5}, False, False), ((0.25, 0.5), {"low": 0.501}, True, False),
        ((0.75, 0.25), {"low": 0.5}, False, False), ((0.75, 0.25), {"low": 0.501}, True, False),
        ((4.0, 2.0), {"high": 2.0}, False, False), ((4.0, 2.0), {"high": 1.999}, False, True),
        ((1.0, 3.0), {"high": 2.0}, False, False), ((1.0, 3.0), {"high": 1.999}, False, True),
    ],
)  # fmt: skip
def test_alert_and_mean_are_both_beyond_the_threshold(ratios, thresholds, is_low, is_high, curves):
    found = _states(curves, *(("g", 96.0 + i, ratio) for i, ratio in enumerate(ratios)), **thresholds)
    assert (found["is_blazar_low"], found["is_blazar_high"]) == (is_low, is_high)
