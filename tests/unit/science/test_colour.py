"""Colours from detections close in time."""

from __future__ import annotations

import numpy as np
import pytest

from redpoll.science.colour import PAIRS, colour


def test_a_colour_is_blue_minus_red_whichever_came_first(curves, seen):
    g_first = [seen("g", 0, 20.0, 0.03), seen("r", 0.1, 19.5, 0.04)]
    r_first = [seen("r", 0, 19.5, 0.04), seen("g", 0.1, 20.0, 0.03)]
    found = colour(curves(g_first, r_first))
    assert found["colour_g_r"].tolist() == pytest.approx([0.5, 0.5], abs=1e-5)
    assert found["colour_g_r_err"].tolist() == pytest.approx([0.05, 0.05], abs=1e-5)


def test_every_neighbouring_pair_has_a_colour(curves, seen):
    found = colour(curves([seen(band, 0.01 * i, 20 - i) for i, band in enumerate("ugrizy")]))
    assert [found[f"colour_{a}_{b}"][0] for a, b in PAIRS] == pytest.approx([1] * 5, abs=1e-5)


def test_the_latest_pair_counts_and_of_it_the_nearest_in_time(curves, seen):
    old = [seen("g", 0, 21), seen("r", 0.1, 20.9)]
    new = [seen("g", 5, 20), seen("r", 5.2, 19.5), seen("r", 5.25, 12)]
    assert colour(curves([*old, *new]))["colour_g_r"][0] == pytest.approx(0.5, abs=1e-5)
    assert colour(curves([*old, seen("g", 5, 20)]))["colour_g_r"][0] == pytest.approx(0.1, abs=1e-5)


@pytest.mark.parametrize("days, is_pair", [(0.25, True), (0.375, False)])
def test_a_pair_lies_within_the_limit(curves, seen, days, is_pair):
    found = colour(curves([seen("g", 0, 20), seen("r", days, 19)]))["colour_g_r"][0]
    assert np.isfinite(found) == is_pair


def test_the_limit_itself_is_within(curves, seen):
    assert np.isfinite(colour(curves([seen("g", 0, 20), seen("r", 0.25, 19)]), max_days=0.25)["colour_g_r"][0])


def test_limits_poor_points_and_negative_fluxes_make_no_pair(curves, seen, limit):
    g = seen("g", 0, 20)
    alone = [
        [g, limit("r", 0.1, 19)],
        [g, seen("r", 0.1, 19, kind="low_quality")],
        [g, ("r", 0.1, -900.0, 9.0)],
        [g],
        [],
    ]
    assert np.isnan(colour(curves(*alone))["colour_g_r"]).all()


def test_neighbours_of_two_alerts_make_no_pair(curves, seen):
    assert np.isnan(colour(curves([seen("g", 0, 20)], [seen("r", 0, 19)]))["colour_g_r"]).all()
    assert len(colour(curves())["colour_g_r"]) == 0


@pytest.mark.parametrize("days, is_pair", [(0.3, True), (0.301, False)])
def test_the_limit_is_three_tenths_of_a_day(curves, seen, days, is_pair):
    assert np.isfinite(colour(curves([seen("g", 0, 20), seen("r", days, 19)]))["colour_g_r"][0]) == is_pair


def test_colours_and_errors_are_declared_and_those_that_filters_read_are_indexed():
    names = [f"colour_{a}_{b}{end}" for a, b in PAIRS for end in ("", "_err")]
    assert list(colour.outputs) == names
    assert [name for name in names if colour.outputs[name].indexed] == [
        "colour_g_r", "colour_g_r_err", "colour_r_i", "colour_r_i_err"
    ]  # fmt: skip
