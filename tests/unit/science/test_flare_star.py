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
