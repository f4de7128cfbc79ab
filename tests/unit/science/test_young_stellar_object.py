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
