"""Flares by hand, and the simulator's against other stars."""

from __future__ import annotations

import numpy as np
import pytest
from rule_inputs import answers
from simulated_curves import simulated

from redpoll.science.flare_star import flare_star

ON_STAR = {"star_score": 0.95, "star_distance_arcsec": 0.3, "reference_mag": 18.0, "reference_distance_arcsec": 0.3}
HOUR = 1 / 24


def test_a_rise_from_an_upper_limit_within_the_night(curves, seen, limit):
    found = answers(flare_star, light_curve=curves([limit("g", 0, 20.5), seen("g", HOUR, 18.0)]), **ON_STAR)
    assert found["flare_hours"][0] == pytest.approx(1.0, abs=1e-6)
    assert found["flare_ratio"][0] == pytest.approx(10.0, rel=1e-3)
    assert found["flare_amplitude"][0] == pytest.approx(2.5 * np.log10(2), abs=1e-4) and found["is_flare"][0]


def test_a_fall_within_the_night_even_in_a_redder_band(curves, seen):
    found = answers(flare_star, light_curve=curves([seen("g", 0, 17.0), seen("r", HOUR, 19.0)]), **ON_STAR)
    assert found["flare_ratio"][0] == pytest.approx(10**0.8, rel=1e-3) and found["is_flare"][0]
    assert found["flare_amplitude"][0] == pytest.approx(2.5 * np.log10(1 + 10**0.4), abs=1e-4)


def test_the_colour_of_a_red_variable_is_no_flare(curves, seen, limit):
    """Thirteen times as bright in r as in g an hour before: a red semiregular star."""
    rise, fall = [seen("g", 0, 18.8), seen("r", HOUR, 16.0)], [seen("r", 0, 16.0), seen("g", HOUR, 18.8)]
    below = [limit("g", 0, 20.5), seen("r", HOUR, 16.0)]
    found = answers(flare_star, 3, light_curve=curves(rise, fall, below), **ON_STAR)
    assert not found["is_flare"].any() and np.isnan(found["flare_ratio"]).all()


@pytest.mark.parametrize(("score", "expected"), [(0.5, False), (np.nan, False), (0.51, True)])
def test_a_catalogued_source_that_is_not_classified_is_no_star(score, expected, curves, seen, limit):
    light = curves([limit("g", 0, 20.5), seen("g", HOUR, 18.0)])
    assert answers(flare_star, light_curve=light, **ON_STAR | {"star_score": score})["is_flare"][0] == expected
    no_catalogue = {"star_score": np.nan, "star_distance_arcsec": np.nan}
    assert answers(flare_star, light_curve=light, **ON_STAR | no_catalogue)["is_flare"][0]


def test_a_limit_brighter_than_the_flare_says_nothing(curves, seen, limit):
    found = answers(flare_star, light_curve=curves([limit("g", 0, 16.0), seen("g", HOUR, 18.0)]), **ON_STAR)
    assert not found["is_flare"][0] and not found["flare_ratio"][0] > 1


@pytest.mark.parametrize(
    "change",
    [
        {"is_good": False}, {"star_score": 0.1}, {"star_distance_arcsec": 3.0}, {"reference_mag": 14.0},
        {"reference_distance_arcsec": 3.0}, {"min_ratio": 11.0}, {"max_hours": 0.5},
    ],
)  # fmt: skip
def test_one_thing_against_it_is_enough(change, curves, seen, limit):
    light = curves([limit("g", 0, 20.5), seen("g", HOUR, 18.0)])
    assert not answers(flare_star, light_curve=light, **(ON_STAR | change))["is_flare"][0]


def test_a_star_that_varied_on_another_night_does_not_flare(curves, seen, limit):
    light = curves([seen("r", -3, 18.5), limit("g", 0, 20.5), seen("g", HOUR, 18.0)])
    assert not answers(flare_star, light_curve=light, **ON_STAR)["is_flare"][0]


def test_a_single_epoch_and_no_epoch_have_no_pair(curves, seen):
    found = answers(flare_star, 2, light_curve=curves([seen("g", 0, 18)], []), **ON_STAR)
    assert np.isnan(found["flare_hours"]).all() and np.isnan(found["flare_ratio"]).all() and not found["is_flare"].any()


def test_simulated_flares_are_found_and_other_stars_are_not():
    """Seen every half hour; flares last 17 minutes at half height."""
    fraction = {}
    for name in ("m_dwarf_flare", "rr_lyrae", "eclipsing_binary", "cataclysmic_variable"):
        light, about = simulated(name, 300, days=3.0, step=0.02, seed=2)
        found = answers(
            flare_star, len(light), light_curve=light, reference_mag=about["reference_mag"].tolist(),
            reference_distance_arcsec=0.2, star_score=0.98, star_distance_arcsec=0.2,
        )  # fmt: skip
        fraction[name] = found["is_flare"].mean()
    assert fraction.pop("m_dwarf_flare") > 0.3 and max(fraction.values()) < 0.02


FAINT = ON_STAR | {"reference_mag": 23.9}  # 1000 nJy
ALERT = ("r", 100.5, 3000.0, 1.0)


def before(flux, err=1.0, kind="detection", *, band="r", days=0.25):
    """A point some days before the alert."""
    return band, 100.5 - days, flux, err, kind


@pytest.mark.parametrize(
    ("inside", "outside"),
    [
        ([before(1200.0), ALERT], [before(1201.0), ALERT]),
        ([before(1000.0, days=0.5), ALERT], [before(1000.0, days=0.501), ALERT]),
        ([before(1000.0, days=0.5), ALERT], [before(1000.0, days=0.501), before(1000.0), ALERT]),
        ([before(10.0), ("r", 100.5, 96.6, 1.0)], [before(10.0), ("r", 100.5, 96.4, 1.0)]),
    ],
)  # fmt: skip
def test_both_sides_of_the_thresholds_of_the_curve(inside, outside, curves):
    assert answers(flare_star, 2, light_curve=curves(inside, outside), **FAINT)["is_flare"].tolist() == [True, False]


@pytest.mark.parametrize(
    ("inside", "outside"),
    [
        ({"star_distance_arcsec": 1.499}, {"star_distance_arcsec": 1.5}),
        ({"reference_distance_arcsec": 1.5}, {"reference_distance_arcsec": 1.501}),
        ({"min_amplitude": 2.5 * np.log10(4.0) - 1e-6}, {"min_amplitude": 2.5 * np.log10(4.0) + 1e-6}),
    ],
)  # fmt: skip
def test_both_sides_of_the_thresholds_of_columns(inside, outside, curves):
    light = curves([before(1000.0), ALERT])
    found = [answers(flare_star, light_curve=light, **FAINT | change)["is_flare"][0] for change in (inside, outside)]
    assert found == [True, False]


def test_an_amplitude_of_exactly_the_limit_passes(curves):
    light = curves([before(1000.0), ALERT])
    amplitude = answers(flare_star, light_curve=light, **FAINT)["flare_amplitude"][0]
    assert answers(flare_star, light_curve=light, **FAINT, min_amplitude=amplitude)["is_flare"][0]


@pytest.mark.parametrize(
    ("point", "ratio"),
    [
        (before(10.0, 200.0, "forced"), 5.0), (before(np.nan, 200.0, "upper_limit"), 3.0),
        (before(np.nan, 600.0, "upper_limit"), 1.0), (before(np.nan, 900.0, "upper_limit"), 0.0),
        (before(np.nan, 0.0, "upper_limit"), np.nan), (before(0.5, 0.1), 6000.0),
        (before(3500.0, 700.0), 0.0), (before(3600.0, 700.0), 1.2), (before(6000.0, 2.0, "forced"), 2.0),
        (before(3000.0, band="i"), 1.0), (before(3001.0, band="i"), np.nan), (before(3000.0, band="g"), np.nan),
        (before(3300.0, band="g"), 1.1), (before(3300.0, band="?"), np.nan),
        (before(1000.0, kind="low_quality"), np.nan), (before(3300.0, band="u"), 1.1),
    ],
)  # fmt: skip
def test_the_ratio_of_an_epoch_to_the_alert(point, ratio, curves):
    found = answers(flare_star, light_curve=curves([point, ALERT]), **FAINT)
    assert found["flare_ratio"][0] == pytest.approx(ratio, rel=1e-6, nan_ok=True)


@pytest.mark.parametrize(("flux", "is_positive"), [(0.5, True), (0.0, False), (-0.5, False)])
def test_only_a_positive_alert_has_a_ratio_and_an_amplitude(flux, is_positive, curves):
    found = answers(flare_star, light_curve=curves([before(-3.0), ("r", 100.5, flux, 0.1)]), **FAINT)
    assert np.isfinite(found["flare_ratio"][0]) == np.isfinite(found["flare_amplitude"][0]) == is_positive


@pytest.mark.parametrize(
    ("point", "maximum"),
    [
        (before(7000.0, days=0.5), 7000.0),
        (before(7000.0, days=0.501), 3000.0),
        (before(7000.0, kind="forced"), 3000.0),
    ],
)
def test_the_amplitude_is_that_of_the_brightest_detection_of_the_night(point, maximum, curves):
    found = answers(flare_star, light_curve=curves([point, ALERT]), **FAINT)
    assert found["flare_amplitude"][0] == pytest.approx(2.5 * np.log10(1 + maximum / 1000.0), abs=1e-5)
