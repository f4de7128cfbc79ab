"""Sky positions: edges that a survey does hit."""

from __future__ import annotations

import numpy as np
import pytest

from redpoll.astro.sky import N_CELLS, cone_ranges, hpx29, is_position, separation_arcsec


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
