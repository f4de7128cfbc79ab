"""Dips by hand, and what else gets fainter."""

from __future__ import annotations

import numpy as np
import pytest
from rule_inputs import answers
from simulated_curves import simulated

from redpoll.science.dipper import dipper

STAR = {"reference_mag": 14.0, "reference_distance_arcsec": 0.3, "star_score": 0.95, "star_distance_arcsec": 0.3}
FULL = 10 ** (0.4 * (31.4 - 14.0))


def fainter(t, depth, kind="detection", band="g"):
    return band, t, -depth * FULL, 0.005 * FULL, kind


@pytest.fixture
def dip(limit):
    quiet = [limit("g", t, 20.0) for t in (-9, -7, -5)]
    return [*quiet, *(fainter(t, depth) for t, depth in ((0, 0.1), (1, 0.15), (3, 0.2)))]


def test_depth_length_and_points_are_those_put_in(curves, dip):
    found = answers(dipper, light_curve=curves(dip), **STAR)
    assert found["dipper_depth"][0] == pytest.approx(0.2, rel=1e-5)
    assert (found["dipper_days"][0], found["dipper_points"][0], found["is_dipper"][0]) == (3.0, 3, True)


@pytest.mark.parametrize(
    "change",
    [
        {"reference_mag": 19.0}, {"reference_distance_arcsec": 5.0}, {"star_score": 0.1}, {"has_bad_pixels": True},
        {"star_distance_arcsec": 4.0},
        {"min_depth": 0.3}, {"max_depth": 0.15}, {"min_points": 4}, {"min_days": 4.0}, {"max_step": 0.1},
        {"min_quiet_points": 4}, {"reference_mag": np.nan},
    ],
)  # fmt: skip
def test_one_thing_against_it_is_enough(change, curves, dip):
    assert not answers(dipper, light_curve=curves(dip), **(STAR | change))["is_dipper"][0]


def test_a_star_that_was_ever_brighter_is_a_variable(curves, dip, seen):
    assert not answers(dipper, light_curve=curves([seen("r", -8, 15.0), *dip]), **STAR)["is_dipper"][0]


@pytest.mark.parametrize("point", [("g", 2, 0.0, 0.05 * FULL, "forced"), ("g", 2, np.nan, 1e3, "upper_limit")])
def test_a_return_in_between_begins_a_new_dip(point, curves, dip):
    found = answers(dipper, light_curve=curves([*dip[:-1], point, dip[-1]]), **STAR)
    assert (found["dipper_points"][0], found["dipper_days"][0], found["is_dipper"][0]) == (1, 0.0, False)


def test_faint_forced_photometry_goes_on_with_the_dip(curves, dip):
    found = answers(dipper, light_curve=curves([*dip[:-1], fainter(2, 0.18, "forced"), dip[-1]]), **STAR)
    assert found["dipper_points"][0] == 4 and found["is_dipper"][0]


def test_a_brighter_star_or_none_has_no_depth(curves, seen):
    found = answers(dipper, 2, light_curve=curves([seen("g", 0, 15.0)], []), **STAR)
    assert np.isnan(found["dipper_depth"]).all() and found["dipper_points"].tolist() == [0, 0]


@pytest.mark.parametrize(
    "name", ["rr_lyrae", "eclipsing_binary", "long_period_variable", "agn", "cataclysmic_variable"]
)
def test_variable_stars_and_galaxies_rarely_pass(name):
    light, about = simulated(name, 300, days=30.0, step=2.0, seed=5)
    found = answers(
        dipper, len(light), light_curve=light, reference_mag=about["reference_mag"].tolist(),
        reference_distance_arcsec=0.2, star_score=0.98, star_distance_arcsec=0.2,
    )  # fmt: skip
    assert found["is_dipper"].mean() < 0.03
