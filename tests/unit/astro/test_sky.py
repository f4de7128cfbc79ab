"""Sky positions: edges that a survey does hit."""

from __future__ import annotations

import numpy as np
import pytest

from redpoll.astro.sky import (
    N_CELLS,
    cone_ranges,
    hpx29,
    is_position,
    merged,
    separation_arcsec,
    unit_vectors,
)


@pytest.mark.parametrize("ra, dec", [(np.nan, 0.0), (0.0, np.nan), (0.0, 90.001), (0.0, -91.0), (np.inf, 0.0)])
def test_an_impossible_position_is_refused(ra, dec):
    assert not is_position(ra, dec)
    with pytest.raises(ValueError, match="must be finite"):
        hpx29([10.0, ra], [10.0, dec])
    with pytest.raises(ValueError, match="no cone"):
        cone_ranges(ra, dec, 5.0)


@pytest.mark.parametrize("radius", [-1.0, np.nan, 648_001.0])
def test_an_impossible_radius_is_refused(radius):
    with pytest.raises(ValueError, match="no cone"):
        cone_ranges(10.0, 20.0, radius)


def test_no_position_has_no_cells():
    assert hpx29([], []).tolist() == []


def test_the_whole_sky_is_every_cell():
    assert cone_ranges(12.0, 34.0, 648_000.0).tolist() == [[0, N_CELLS]]


@pytest.mark.parametrize("dec", [90.0, -90.0])
def test_a_cone_at_the_pole_has_every_right_ascension(dec):
    ra = np.linspace(0.0, 360.0, 50)
    assert _covers(cone_ranges(77.0, dec, 1.0), hpx29(ra, np.full(50, dec * (1 - 1e-6)))).all()


def test_a_cone_wraps_around_zero_right_ascension():
    assert _covers(cone_ranges(0.0, 0.0, 5.0), hpx29([359.999, 0.001, -0.001], [0.0, 0.0, 0.0])).all()


def test_a_cone_of_no_radius_has_its_centre():
    assert _covers(cone_ranges(10.0, 20.0, 0.0), hpx29([10.0], [20.0])).all()


def test_separation_of_the_poles_and_of_nothing():
    assert separation_arcsec(10.0, 90.0, 200.0, 90.0) < 1e-9
    assert separation_arcsec(0.0, 90.0, 0.0, -90.0) == pytest.approx(648_000.0)
    assert np.isnan(separation_arcsec(np.nan, 0.0, 0.0, 0.0))


def _covers(ranges, cells):
    i = np.searchsorted(ranges[:, 0], cells, side="right") - 1
    return (i >= 0) & (cells < ranges[np.clip(i, 0, None), 1])


def test_the_poles_are_positions_and_right_ascension_is_taken_modulo_360():
    assert is_position([0.0, 0.0], [90.0, -90.0]).all()
    assert hpx29([10.0, 370.0, -350.0], [3.0] * 3).tolist() == [1275321747972042574] * 3
    assert cone_ranges(370.0, 3.0, 5.0).tolist() == cone_ranges(10.0, 3.0, 5.0).tolist()
    assert hpx29([0.0, 0.0], [90.0, -90.0]).shape == (2,)


@pytest.mark.parametrize("arcsec", [0.5, 5.0, 500.0, 50_000.0])
def test_a_cone_takes_no_more_than_four_times_its_area(arcsec):
    area = sum(stop - start for start, stop in cone_ranges(33.0, 44.0, arcsec).tolist()) / N_CELLS
    cap = (1 - np.cos(np.radians(arcsec / 3600))) / 2
    assert 1.0 < area / cap < 4.0


@pytest.mark.parametrize(
    ("starts", "stops", "expected"),
    [
        ([], [], []), ([5], [6], [[5, 6]]), ([8, 0, 3], [9, 3, 5], [[0, 5], [8, 9]]),
        ([0, 4], [3, 5], [[0, 3], [4, 5]]), ([0, 3], [3, 5], [[0, 5]]), ([0, 2], [9, 5], [[0, 9]]),
        ([0, 2, 7], [9, 5, 11], [[0, 11]]),
    ],
)  # fmt: skip
def test_ranges_that_touch_or_overlap_are_one(starts, stops, expected):
    assert merged(np.array(starts, np.int64), np.array(stops, np.int64)).tolist() == expected


def test_unit_vectors_are_those_of_the_axes():
    found = unit_vectors(np.array([0.0, 90.0, 0.0, 30.0]), np.array([0.0, 0.0, -90.0, 60.0]))
    half, root = 0.5, np.sqrt(3) / 2
    expected = [[1, 0, 0], [0, 1, 0], [0, 0, -1], [half * root, half * half, root]]
    np.testing.assert_allclose(found, expected, atol=1e-15)


def test_opposite_positions_are_180_degrees_apart_whatever_the_rounding():
    rng = np.random.default_rng(0)
    ra, dec = rng.uniform(0, 360, 1000), np.degrees(np.arcsin(rng.uniform(-1, 1, 1000)))
    np.testing.assert_allclose(separation_arcsec(ra, dec, ra + 180.0, -dec), 648_000.0, atol=0.01)
