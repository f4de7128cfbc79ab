"""Young stars by catalogue, and their slopes."""

from __future__ import annotations

import numpy as np
import pytest
from rule_inputs import answers

from redpoll.science.young_stellar_object import young_stellar_object


def steady(seen, slope, n=6, band="r"):
    return [seen(band, t, 16 + slope * t, 0.02) for t in range(n)]


@pytest.mark.parametrize(
    "listed",
    [
        {"spicy_class": "ClassII"}, {"simbad_type": "TTau*"}, {"simbad_type": "Candidate_YSO"},
        {"vsx_type": "TTS/ROT"}, {"vsx_type": "UXOR|EA"}, {"vsx_type": "INS:"},
    ],
)  # fmt: skip
def test_each_catalogue_can_list_it(listed, curves, seen):
    assert answers(young_stellar_object, light_curve=curves(steady(seen, 0.1)), **listed)["is_young_star"][0]


@pytest.mark.parametrize(
    "other", [{}, {"simbad_type": "QSO"}, {"vsx_type": "EW"}, {"vsx_type": "MISC"}, {"spicy_class": "uncertain"}]
)
def test_others_are_none_and_have_no_slope(other, curves, seen):
    found = answers(young_stellar_object, light_curve=curves(steady(seen, 0.1)), **other)
    assert not found["is_young_star"][0] and np.isnan(found["young_star_slope"][0])


def test_a_steady_change_either_way_counts(curves, seen):
    light = curves(steady(seen, 0.05), steady(seen, -0.05), steady(seen, 0.01), steady(seen, 0.05, n=4), [])
    found = answers(young_stellar_object, 5, light_curve=light, spicy_class="FS")
    assert found["young_star_slope"][:3].tolist() == pytest.approx([0.05, -0.05, 0.01], abs=1e-5)
    assert found["is_young_star_changing"].tolist() == [True, True, False, False, False]
    assert np.isnan(found["young_star_slope"][3:]).all() and found["young_star_r_squared"][0] == pytest.approx(
        1, abs=1e-4
    )


def test_a_jumpy_one_and_another_band_do_not(curves, seen):
    jumpy = [seen("r", t, 16 + 0.05 * t + 0.5 * (-1) ** t, 0.02) for t in range(8)]
    found = answers(young_stellar_object, 2, light_curve=curves(jumpy, steady(seen, 0.1, band="g")), spicy_class="FS")
    assert not found["is_young_star_changing"].any()


SIMBAD = (
    "YSO Y*O YSO_Candidate Candidate_YSO Y*? TTau* TT* TTau*_Candidate Candidate_TTau* TT? Ae* Ae*_Candidate Ae? "
    "Orion_V* OrionV* Or* FUOr FU* Outflow HH"
)
VSX = (
    "YSO TTS CTTS WTTS INT INST IT INA INSA IA IN INS INB INSB FU FUOR EXOR UXOR DIP INS: EW|IN EA+TTS EA/TTS TTS|EW "
    "INS+EA"
)


@pytest.mark.parametrize(
    "listed", [*({"simbad_type": x} for x in SIMBAD.split()), *({"vsx_type": x} for x in VSX.split())], ids=str
)
def test_each_type_of_a_young_star_is_listed(listed, curves):
    assert answers(young_stellar_object, light_curve=curves([]), **listed)["is_young_star"][0]


@pytest.mark.parametrize(
    "other", [{"spicy_class": ""}, {"vsx_type": ""}, {"vsx_type": "EW|EA+UG"}, {"vsx_type": "INX"}]
)
def test_an_empty_class_is_none(other, curves):
    assert not answers(young_stellar_object, light_curve=curves([]), **other)["is_young_star"][0]


def scattered(seen, r_squared, slope=0.05):
    """Eight magnitudes of which a line explains a fraction: their scatter has no slope of its own."""
    a = slope * np.sqrt(42 * (1 / r_squared - 1) / 8)
    return [seen("r", t, 16 + slope * t + a * s, 0.02) for t, s in enumerate((1, -1, -1, 1, 1, -1, -1, 1))]


@pytest.mark.parametrize(
    ("inside", "outside"),
    [
        ({"points": steady, "slope": 0.0251}, {"points": steady, "slope": 0.0249}),
        ({"points": steady, "slope": -0.0251}, {"points": steady, "slope": -0.0249}),
        ({"points": steady, "slope": 0.1, "n": 5}, {"points": steady, "slope": 0.1, "n": 4}),
        ({"points": scattered, "r_squared": 0.605}, {"points": scattered, "r_squared": 0.595}),
    ],
)  # fmt: skip
def test_both_sides_of_each_threshold(inside, outside, curves, seen):
    made = [change.pop("points")(seen, **change) for change in (dict(inside), dict(outside))]
    found = answers(young_stellar_object, 2, light_curve=curves(*made), spicy_class="FS")
    assert found["is_young_star_changing"].tolist() == [True, False]


def test_a_change_of_exactly_the_limits_does_not_pass(curves, seen):
    light = curves(scattered(seen, 0.8))
    found = answers(young_stellar_object, light_curve=light, spicy_class="FS")
    assert found["is_young_star_changing"][0]
    for name, value in (("min_slope", "young_star_slope"), ("min_r_squared", "young_star_r_squared")):
        at_limit = answers(young_stellar_object, light_curve=light, spicy_class="FS", **{name: found[value][0]})
        assert not at_limit["is_young_star_changing"][0]


def test_two_points_have_no_slope_whatever_the_minimum(curves, seen):
    light = curves(steady(seen, 0.1, n=2), steady(seen, 0.1, n=3))
    found = answers(young_stellar_object, 2, light_curve=light, spicy_class="FS", min_points=1)
    assert np.isfinite(found["young_star_slope"]).tolist() == [False, True]


@pytest.mark.parametrize("point", [("r", 0, 1e9, 0.0), ("r", 0, 1e9, 1.0, "low_quality"), ("r", 0, -1e9, 1.0)])
def test_a_point_without_an_error_or_of_another_kind_does_not_count(point, curves, seen):
    found = answers(young_stellar_object, light_curve=curves([point, *steady(seen, 0.1)]), spicy_class="FS")
    assert found["young_star_slope"][0] == pytest.approx(0.1, abs=1e-4)


def test_an_error_below_one_nanojansky_is_one(curves):
    faint = [("r", t, 10.0 * 10 ** (-0.4 * 0.1 * t), 0.2) for t in range(6)]
    found = answers(young_stellar_object, light_curve=curves(faint), spicy_class="FS")
    assert found["young_star_slope"][0] == pytest.approx(0.1, abs=1e-4)
