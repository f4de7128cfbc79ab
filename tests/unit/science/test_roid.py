"""The Solar System category, rule by rule and at every threshold, as Fink's number of it."""

from __future__ import annotations

import numpy as np
import pytest

from redpoll.conditions import FINK_ROID
from redpoll.science.roid import roid

MINUTE = 1 / 1440


@pytest.fixture
def flag(curves, seen):
    """The flag of one ZTF alert with nothing near it, seen once, except for the given values."""

    def answer(n=1, star=np.nan, star_at=np.nan, sso_at=np.nan, name=None, points=None, survey="ztf", **settings):
        columns = [np.array([x]) for x in (n, star, star_at, sso_at)]
        curve = curves(points or [seen("g", 0, 19)])
        return FINK_ROID[roid(np.array([survey], object), *columns, np.array([name], object), curve, **settings)[0]]

    return answer


def test_a_first_detection_of_a_star_is_only_new(flag):
    assert flag(star=0.9, star_at=10.0) == 1


@pytest.mark.parametrize("score, expected", [(0.75, 2), (0.76, 1), (np.nan, 2)])
def test_a_candidate_is_not_near_a_star(flag, score, expected):
    assert flag(star=score, star_at=10.0) == expected


@pytest.mark.parametrize("distance, expected", [(0.0, 2), (0.01, 0), (4.99, 0), (5.0, 2), (np.nan, 2)])
def test_a_candidate_is_not_within_five_arcsec_of_any_source(flag, distance, expected):
    assert flag(star=0.1, star_at=distance) == expected


@pytest.mark.parametrize("minutes, expected", [(29.9, 2), (30.1, 0)])
def test_two_detections_of_a_candidate_lie_within_half_an_hour(flag, seen, minutes, expected):
    assert flag(n=2, points=[seen("g", 0, 19), seen("g", minutes * MINUTE, 19)]) == expected


def test_the_gap_is_to_the_previous_epoch_of_any_kind_but_forced(flag, seen, limit):
    day_ago, own = seen("g", 0, 19), seen("g", 1, 19)
    assert flag(n=2, points=[day_ago, limit("r", 1 - 10 * MINUTE, 20), own]) == 2
    assert flag(n=2, points=[day_ago, seen("g", 1 - 10 * MINUTE, 19, kind="forced"), own]) == 0


def test_three_detections_are_no_candidate(flag, seen):
    assert flag(n=3, points=[seen("g", t * MINUTE, 19) for t in (0, 5, 10)]) == 0


def test_a_second_detection_whose_first_is_not_in_the_light_curve_is_no_candidate(flag):
    assert flag(n=2) == 0


def test_a_poor_detection_counts_as_one(flag, seen):
    assert flag(n=2, points=[seen("g", -5 * MINUTE, 19, kind="low_quality"), seen("g", 0, 19)]) == 2


@pytest.mark.parametrize("distance, expected", [(0.0, 3), (4.99, 3), (5.0, 2)])
def test_a_known_object_lies_within_five_arcsec(flag, distance, expected):
    assert flag(sso_at=distance) == expected


@pytest.mark.parametrize("star_at, expected", [(np.nan, 3), (2.1, 3), (2.0, 0), (1.0, 0)])
def test_a_known_object_lies_nearer_than_any_star(flag, star_at, expected):
    assert flag(sso_at=2.0, star_at=star_at) == expected


@pytest.mark.parametrize("n, n_points, expected", [(5, 5, 3), (6, 5, 0), (5, 6, 0)])
def test_a_known_object_was_not_often_here(flag, seen, n, n_points, expected):
    assert flag(n=n, sso_at=1.0, points=[seen("g", t, 19) for t in range(n_points)]) == expected


def test_rubin_names_its_objects_and_sends_no_stars(flag):
    assert flag(survey="rubin", name="2024 AB1", n=np.nan) == 3
    assert flag(survey="rubin") == 1 and flag(survey="rubin", n=2) == 0


def test_an_unknown_number_of_detections_is_no_candidate(flag):
    assert flag(n=np.nan) == 0


def test_thresholds_are_settings(flag):
    assert flag(sso_at=7.0, max_sso_arcsec=8.0) == 3 and flag(star=0.8, max_star_score=0.9) == 2


def test_a_gap_of_exactly_the_limit_is_short_enough(flag, seen):
    points = [seen("g", 0, 19), seen("g", 0.03125, 19)]
    assert flag(n=2, points=points, max_gap_minutes=45.0) == 2
    assert flag(n=2, points=points, max_gap_minutes=44.9) == 0


def test_a_negative_distance_is_no_known_object(flag):
    assert flag(sso_at=-0.5) == 2


def test_an_alert_without_points_has_no_gap(curves):
    columns = [np.array([x]) for x in (1, np.nan, np.nan, np.nan)]
    found = roid(np.array(["ztf"], object), *columns, np.array([None], object), curves([]))
    assert found.tolist() == ["candidate"]
