"""Power laws by hand, and what fades otherwise."""

from __future__ import annotations

import numpy as np
import pytest
from rule_inputs import answers
from simulated_curves import simulated

from redpoll.science.orphan_afterglow import orphan_afterglow


def afterglow(seen, limit, decay=1.2, bands="gr", colour=0.4, times=(0.2, 0.6, 1.2, 2.1)):
    """A burst at time 0, with a limit just before it."""
    points = [limit("g", -0.1, 21.0)]
    for t in times:
        for b, band in enumerate(bands):
            points.append(
                seen(band, t + 0.02 * b, 18 - colour * b + 2.5 * decay * np.log10((t + 0.02 * b) / 0.2), 0.03)
            )
    return points


def test_decay_and_fade_are_those_put_in(curves, seen, limit):
    found = answers(orphan_afterglow, light_curve=curves(afterglow(seen, limit)))
    assert found["afterglow_decay"][0] == pytest.approx(1.2, abs=0.15) and found["afterglow_decay_err"][0] < 0.1
    assert found["afterglow_chi2"][0] < 1 and found["afterglow_fade"][0] > 0.5
    assert abs(found["afterglow_chromatic"][0]) < 3 and found["is_orphan_afterglow"][0]


@pytest.mark.parametrize(
    "change",
    [
        {"is_good": False}, {"roid": "candidate"}, {"age": 31.0}, {"reference_mag": 21.0},
        {"star_distance_arcsec": 1.0},
        {"min_decay": 2.0}, {"max_decay": 0.8}, {"min_points": 9}, {"min_bands": 3}, {"min_fade": 2.5},
        {"reference_mag": 21.0, "reference_distance_arcsec": 0.4},
    ],
)  # fmt: skip
def test_one_thing_against_it_is_enough(change, curves, seen, limit):
    assert not answers(orphan_afterglow, light_curve=curves(afterglow(seen, limit)), **change)["is_orphan_afterglow"][0]


def test_a_source_in_the_template_further_away_is_no_host(curves, seen, limit):
    light = curves(afterglow(seen, limit))
    assert answers(orphan_afterglow, light_curve=light, reference_mag=21.0, reference_distance_arcsec=4.0)[
        "is_orphan_afterglow"
    ][0]


def test_bands_that_fade_at_different_speeds_are_chromatic(curves, seen, limit):
    both = afterglow(seen, limit, 1.0, "g") + afterglow(seen, limit, 2.2, "r")[1:]
    found = answers(orphan_afterglow, light_curve=curves(sorted(both, key=lambda p: p[1])))
    assert found["afterglow_chromatic"][0] > 3 and not found["is_orphan_afterglow"][0]


def test_one_band_few_points_or_none_are_not_fitted(curves, seen, limit):
    few = afterglow(seen, limit, times=(0.2, 0.6))
    found = answers(orphan_afterglow, 3, light_curve=curves(afterglow(seen, limit, bands="g"), few, []))
    assert all(np.isnan(found[name]).all() for name in found if name.startswith("afterglow"))
    assert not found["is_orphan_afterglow"].any()


def test_only_what_follows_the_brightest_point_is_fitted(curves, seen, limit):
    rise = [seen("g", 0.05, 20.0), seen("r", 0.07, 19.5)]
    light = afterglow(seen, limit)
    found = answers(orphan_afterglow, light_curve=curves([light[0], *rise, *light[1:]]))
    assert found["afterglow_fade"][0] == pytest.approx(
        answers(orphan_afterglow, light_curve=curves(light))["afterglow_fade"][0], rel=1e-6
    )


@pytest.mark.parametrize("name", ["sn_ia", "sn_ii", "tde", "agn"])
def test_what_fades_slowly_is_none(name):
    light, about = simulated(name, 300, days=30.0, step=1.0, seed=4)
    found = answers(orphan_afterglow, len(light), light_curve=light, age=about["age"].tolist())
    assert found["is_orphan_afterglow"].mean() < 0.02


@pytest.mark.parametrize("sigma, is_known", [(0.0, True), (4.9, True), (5.1, False)])
def test_a_forced_point_without_flux_limits_the_time_of_the_burst_as_an_upper_limit_does(
    sigma, is_known, curves, seen, limit
):
    burst = afterglow(seen, limit)
    err = burst[0][3]
    forced = [("g", burst[0][1], sigma * err, err, "forced"), *burst[1:]]
    of_limit, of_forced, of_none = (
        answers(orphan_afterglow, light_curve=curves(points)) for points in (burst, forced, burst[1:])
    )
    expected = of_limit if is_known else of_none
    assert (
        of_forced["afterglow_decay"][0]
        == expected["afterglow_decay"][0]
        != (of_none if is_known else of_limit)["afterglow_decay"][0]
    )
