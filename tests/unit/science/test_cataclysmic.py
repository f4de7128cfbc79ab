"""Outbursts by hand, and the simulator's against everything else that varies."""

from __future__ import annotations

import numpy as np
import pytest
from rule_inputs import answers
from simulated_curves import simulated

from redpoll.science.cataclysmic import cataclysmic
from redpoll.science.colour import colour

ON_STAR = {"star_score": 0.95, "star_distance_arcsec": 0.3, "reference_mag": 20.0, "reference_distance_arcsec": 0.3}


def outburst(seen, limit):
    return [limit("g", 0, 19.5), seen("g", 1, 17.5), seen("g", 2, 16.5), seen("g", 3, 16.4)]


def test_amplitude_is_above_the_star_and_rise_the_fastest(curves, seen, limit):
    found = answers(cataclysmic, light_curve=curves(outburst(seen, limit)), **ON_STAR)
    total = 10 ** (-0.4 * 16.4) + 10 ** (-0.4 * 20.0)
    assert found["outburst_amplitude"][0] == pytest.approx(20 + 2.5 * np.log10(total), abs=1e-4)
    before, after = 10 ** (-0.4 * 19.5) + 10 ** (-0.4 * 20.0), 10 ** (-0.4 * 17.5) * (1 - 2 * 0.05 / 1.0857) + 1e-8
    assert found["outburst_rise"][0] == pytest.approx(2.5 * np.log10(after / before), abs=1e-3)
    assert found["is_dwarf_nova"][0] and not found["outburst_amplitude_is_limit"][0]


def test_an_unseen_star_bounds_the_amplitude_by_the_deepest_limit(curves, seen, limit):
    found = answers(cataclysmic, light_curve=curves([limit("g", -1, 20.4), *outburst(seen, limit)]), colour_g_r=0.0)
    assert found["outburst_amplitude"][0] == pytest.approx(4.0, abs=1e-3) and found["outburst_amplitude_is_limit"][0]
    assert found["is_dwarf_nova"][0]


def test_forced_photometry_without_a_signal_is_a_limit(curves, seen):
    noise = float(10 ** (0.4 * (31.4 - 20.4)) / 3)
    forced = ("g", 0, 0.0, noise, "forced")
    found = answers(cataclysmic, light_curve=curves([forced, seen("g", 1, 16.4)]), colour_g_r=0.0)
    assert found["outburst_amplitude"][0] == pytest.approx(4.0, abs=1e-3) and found["is_dwarf_nova"][0]


@pytest.mark.parametrize(
    "change",
    [
        {"is_good": False}, {"roid": "candidate"}, {"colour_g_r": 0.8}, {"star_score": 0.1}, {"reference_mag": 17.0},
        {"min_rise": 3.0}, {"max_rise_days": 0.5}, {"max_amplitude": 3.0},
        {"star_score": 0.5}, {"star_distance_arcsec": 5.0},
    ],
)  # fmt: skip
def test_one_thing_against_it_is_enough(change, curves, seen, limit):
    assert not answers(cataclysmic, light_curve=curves(outburst(seen, limit)), **(ON_STAR | change))["is_dwarf_nova"][0]


def test_a_rise_is_seen_across_bands_but_for_what_may_be_colour(curves, seen):
    faint, bright = [seen("g", 0, 18.0, 0.01)], [seen("i", 1, 16.0, 0.01)]
    rise = [
        answers(cataclysmic, light_curve=curves(faint + b))["outburst_rise"][0]
        for b in (bright, [seen("g", 1, 16.0, 0.01)])
    ]
    assert rise[1] == pytest.approx(2.0 - 4 * 0.01, abs=1e-3) and rise[0] == pytest.approx(rise[1] - 0.5, abs=1e-6)


def test_two_epochs_that_noise_may_part_are_no_rise(curves, seen):
    found = answers(cataclysmic, light_curve=curves([seen("g", 0, 19.5, 0.2), seen("g", 0.3, 19.2, 0.2)]))
    assert found["outburst_rise"][0] < 0 and found["outburst_fall"][0] < 0


def test_without_a_catalogue_a_source_that_falls_as_fast_counts_too(curves, seen):
    down = [seen("g", 0, 15.5), seen("g", 1, 16.0), seen("g", 2, 16.5)]
    found = answers(cataclysmic, light_curve=curves(down), reference_mag=20.0)
    assert found["outburst_fall"][0] == pytest.approx(0.5 - 4 * 0.05, abs=0.01) and found["is_dwarf_nova"][0]
    assert not answers(cataclysmic, light_curve=curves(down), reference_mag=20.0, min_fall=0.4)["is_dwarf_nova"][0]


def test_what_lies_in_a_galaxy_is_none_unless_on_a_star(curves, seen, limit):
    light = curves(outburst(seen, limit))
    assert not answers(cataclysmic, light_curve=light, reference_mag=20.0, host_d_dlr=1.0)["is_dwarf_nova"][0]
    assert answers(cataclysmic, light_curve=light, host_d_dlr=1.0, **ON_STAR)["is_dwarf_nova"][0]


def test_without_a_catalogue_a_source_in_the_template_must_rise_fast(curves, seen, limit):
    fast, slow = outburst(seen, limit), [seen("g", 0, 16.5), seen("g", 1, 16.4)]
    found = answers(cataclysmic, 2, light_curve=curves(fast, slow), reference_mag=20.0)
    assert found["is_dwarf_nova"].tolist() == [True, False]


def test_nothing_is_known_of_an_empty_curve(curves):
    found = answers(cataclysmic, light_curve=curves([]), **ON_STAR)
    assert np.isnan(found["outburst_rise"][0]) and not found["is_dwarf_nova"][0]


def test_simulated_outbursts_are_found_and_other_stars_are_not():
    fraction = {}
    for name in ("cataclysmic_variable", "rr_lyrae", "eclipsing_binary", "long_period_variable", "microlensing"):
        light, about = simulated(name, 300, days=12.0, step=1.0, seed=1)
        found = answers(
            cataclysmic, len(light), light_curve=light, reference_mag=about["reference_mag"].tolist(),
            reference_distance_arcsec=0.2, star_score=0.98, star_distance_arcsec=0.2,
            colour_g_r=colour(light)["colour_g_r"].tolist(),
        )  # fmt: skip
        is_large = np.ones(len(light), bool) if name != "cataclysmic_variable" else found["outburst_amplitude"] >= 2
        fraction[name] = found["is_dwarf_nova"][is_large].mean()
    assert fraction.pop("cataclysmic_variable") > 0.85 and max(fraction.values()) < 0.01
