"""Lone detections and their shapes."""

from __future__ import annotations

import numpy as np
import pytest
from rule_inputs import answers

from redpoll.science.satellite_glint import satellite_glint

LONG = {"n_detections": 1, "cutout_snr": 20.0, "cutout_elongation": 2.5}


@pytest.fixture
def one(curves, seen):
    return curves([seen("g", 0, 18.0)])


def test_a_dash_that_was_never_seen_before_is_a_glint(one):
    found = answers(satellite_glint, light_curve=one, **LONG)
    assert found["is_lone_detection"][0] and found["is_satellite_glint"][0]


@pytest.mark.parametrize("change", [{"is_streak": True}, {"trail_length_arcsec": 3.2}])
def test_so_is_a_flagged_streak_or_a_trail_the_survey_fitted(change, one):
    found = answers(satellite_glint, light_curve=one, **(LONG | {"cutout_snr": np.nan} | change))
    assert found["is_satellite_glint"][0]


@pytest.mark.parametrize(
    "change",
    [
        {"cutout_elongation": 1.1},
        {"cutout_snr": 5.0},
        {"cutout_elongation": np.nan},
        {"is_artefact": True},
        {"trail_length_arcsec": 2.2, "cutout_snr": 5.0},
    ],
)
def test_a_round_faint_or_flawed_one_stays_a_lone_detection(change, one):
    found = answers(satellite_glint, light_curve=one, **(LONG | change))
    assert found["is_lone_detection"][0] and not found["is_satellite_glint"][0]


@pytest.mark.parametrize(
    "change",
    [
        {"n_detections": 2}, {"n_detections": np.nan}, {"is_positive": False}, {"roid": "known"},
        {"star_distance_arcsec": 1.0}, {"reference_mag": 20.0}, {"host_d_dlr": 1.0},
        {"reference_mag": 20.0, "reference_distance_arcsec": 1.0},
    ],
)  # fmt: skip
def test_what_lies_there_or_was_there_is_against_it(change, one):
    assert not answers(satellite_glint, light_curve=one, **(LONG | change))["is_lone_detection"][0]


def test_another_detection_in_the_packet_is_against_it(curves, seen):
    for kind in ("detection", "low_quality"):
        light = curves([seen("g", -3, 18.0, kind=kind), seen("g", 0, 18.0)])
        assert not answers(satellite_glint, light_curve=light, **LONG)["is_lone_detection"][0]


def test_near_the_geostationary_belt_a_shorter_dash_will_do(one):
    short = LONG | {"cutout_elongation": 1.5}
    for survey, belt in (("ztf", -5.4), ("rubin", 5.0)):
        found = answers(satellite_glint, light_curve=one, survey=survey, dec=belt + 10, **short)
        assert found["belt_distance_deg"][0] == pytest.approx(10.0) and found["is_satellite_glint"][0]
        assert not answers(satellite_glint, light_curve=one, survey=survey, dec=belt + 40, **short)[
            "is_satellite_glint"
        ][0]


@pytest.mark.parametrize("latitude, expected", [(33.36, -5.4), (-30.24, 5.0)])
def test_the_belts_declination_follows_from_the_sites_latitude(latitude, expected):
    phi, earth, orbit = np.radians(latitude), 6378.0, 42164.0
    assert np.degrees(np.arctan2(-earth * np.sin(phi), orbit - earth * np.cos(phi))) == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize(
    ("column", "inside", "outside"),
    [
        ("is_lone_detection", {"host_d_dlr": 4.0}, {"host_d_dlr": 3.999}),
        ("is_lone_detection", {"star_distance_arcsec": 2.0}, {"star_distance_arcsec": 1.999}),
        ("is_lone_detection", {"n_detections": 1}, {"n_detections": 0}),
        ("is_lone_detection", {"roid": "candidate"}, {"roid": "known"}),
        ("is_satellite_glint", {"cutout_snr": 7.0}, {"cutout_snr": 6.999}),
        ("is_satellite_glint", {"cutout_elongation": 1.6}, {"cutout_elongation": 1.599}),
        ("is_satellite_glint", {"cutout_elongation": 1.4, "dec": -5.4}, {"cutout_elongation": 1.399, "dec": -5.4}),
        ("is_satellite_glint", {"cutout_elongation": 1.5, "dec": 20.0, "survey": "rubin"},
         {"cutout_elongation": 1.5, "dec": 20.001, "survey": "rubin"}),
        ("is_satellite_glint", {"cutout_elongation": 1.5, "dec": -10.0, "survey": "rubin"},
         {"cutout_elongation": 1.5, "dec": -10.001, "survey": "rubin"}),
        ("is_satellite_glint", {"cutout_snr": np.nan, "trail_length_arcsec": 2.5},
         {"cutout_snr": np.nan, "trail_length_arcsec": 2.499}),
    ],
)  # fmt: skip
def test_both_sides_of_each_threshold(column, inside, outside, one):
    found = [answers(satellite_glint, light_curve=one, **LONG | change)[column][0] for change in (inside, outside)]
    assert found == [True, False]
