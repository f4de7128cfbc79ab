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
        {"min_quiet_points": 4}, {"reference_mag": np.nan}, {"n_detections": 300},
    ],
)  # fmt: skip
def test_one_thing_against_it_is_enough(change, curves, dip):
    assert not answers(dipper, light_curve=curves(dip), **(STAR | change))["is_dipper"][0]


def test_only_detections_of_the_light_curve_are_not_earlier_ones(curves, dip, limit):
    curve = [limit("g", -11, 20.0), *dip]
    found = [answers(dipper, light_curve=curves(curve), n_detections=n, **STAR)["is_dipper"][0] for n in (13, 14)]
    assert found == [True, False]


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


EXACT = STAR | {"reference_mag": 16.4}  # 1e6 nJy


def event(*depths, last=3.0, quiet=3, full=1e6):
    """Quiet epochs, then as many epochs as depths, the last two of them some days after the first."""
    days = [0.0, *np.linspace(last - 1, last, len(depths) - 1)]
    limits = [("g", -9.0 + i, np.nan, 1.0, "upper_limit") for i in range(quiet)]
    return [*limits, *(("g", t, -depth * full, 1.0) for t, depth in zip(days, depths, strict=True))]


@pytest.mark.parametrize(
    ("inside", "outside"),
    [
        (event(0.0501, 0.0501, 0.0501), event(0.0499, 0.0499, 0.0499)),
        (event(0.899, 0.899, 0.899), event(0.901, 0.901, 0.901)),
        (event(0.2, 0.2, 0.2), event(0.2, 0.2)),
        (event(0.2, 0.2, 0.2), event(0.2, 0.2, 0.2, quiet=2)),
        (event(0.2, 0.2, 0.2, last=2.0), event(0.2, 0.2, 0.2, last=1.99)),
        (event(0.25, 0.25, 0.5), event(0.249, 0.249, 0.5)),
        (event(0.5, 0.25, 0.25), event(0.5, 0.249, 0.249)),
        ([("r", -10, 0.0, 1.0), *event(0.2, 0.2, 0.2)], [("r", -10, 0.5, 1.0), *event(0.2, 0.2, 0.2)]),
        ([("r", -10, -0.5, 1.0), *event(0.2, 0.2, 0.2)], [("r", -10, 0.5, 1.0, "low_quality"), *event(0.2, 0.2, 0.2)]),
        ([("r", -10, 0.5, 1.0, "forced"), *event(0.2, 0.2, 0.2)], [("r", -10, 2.0, 1.0), *event(0.2, 0.2, 0.2)]),
    ],
)  # fmt: skip
def test_both_sides_of_the_thresholds_of_the_curve(inside, outside, curves):
    assert answers(dipper, 2, light_curve=curves(inside, outside), **EXACT)["is_dipper"].tolist() == [True, False]


@pytest.mark.parametrize(
    ("inside", "outside"),
    [
        ({"reference_mag": 17.99}, {"reference_mag": 18.0}), ({"star_score": 0.501}, {"star_score": 0.5}),
        ({"star_distance_arcsec": 1.499}, {"star_distance_arcsec": 1.5}),
        ({"reference_distance_arcsec": 1.5}, {"reference_distance_arcsec": 1.501}),
        ({"star_distance_arcsec": np.nan, "star_score": np.nan}, {"star_score": np.nan}),
        ({"n_detections": 13}, {"n_detections": 14}), ({"n_detections": np.nan}, {"n_detections": 14}),
        ({"min_depth": 0.25}, {"min_depth": 0.251}), ({"max_depth": 0.25}, {"max_depth": 0.249}),
    ],
)  # fmt: skip
def test_both_sides_of_the_thresholds_of_columns_and_of_the_depth(inside, outside, curves):
    columns = {"light_curve": None, "max_depth": 2.0} | EXACT
    for change, is_it in ((inside, True), (outside, False)):
        columns["light_curve"] = curves(event(0.25, 0.25, 0.25, full=1e6))
        assert answers(dipper, **columns | change)["is_dipper"][0] == is_it


@pytest.mark.parametrize(
    ("point", "points"),
    [
        (("g", 1.0, -0.5, 1.0), 4), (("g", 1.0, 0.0, 1.0), 2), (("g", 1.0, 0.5, 1.0), 2), (("r", 1.0, -9.0, 1.0), 3),
        (("g", 1.0, -6.2, 2.0, "forced"), 4), (("g", 1.0, -6.0, 2.0, "forced"), 2), (("g", 1.0, -1.9, 2.0), 4),
    ],
)  # fmt: skip
def test_which_epochs_belong_to_the_event(point, points, curves):
    first, *rest = event(0.2, 0.2, 0.2, quiet=0)
    assert answers(dipper, light_curve=curves([first, point, *rest]), **EXACT)["dipper_points"][0] == points


def test_an_epoch_of_an_unknown_kind_belongs_to_none(curves):
    curve = curves(event(0.2, 0.2, 0.2, quiet=0))
    curve.kind[1] = -1
    assert answers(dipper, light_curve=curve, **EXACT)["dipper_points"][0] == 2


@pytest.mark.parametrize(("depth", "found"), [(0.0, np.nan), (-0.1, np.nan), (1.0, 1.0), (1.4, 1.0), (0.97, 0.97)])
def test_a_depth_is_positive_and_at_most_the_star(depth, found, curves):
    curve = curves([("g", 0, -depth * 1e6, 1.0)])
    assert answers(dipper, light_curve=curve, **EXACT)["dipper_depth"][0] == pytest.approx(found, nan_ok=True)
