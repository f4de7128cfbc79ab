"""Sky geometry against astropy, anywhere."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord, angular_separation
from astropy.utils import iers
from hypothesis import example, given
from hypothesis import strategies as st

from redpoll.astro.sky import cone_ranges, hpx29, separation_arcsec

iers.conf.auto_download = False
ra = st.floats(0.0, 360.0, exclude_max=True)
dec = st.floats(-90.0, 90.0)
radius = st.one_of(st.floats(0.0, 10.0), st.floats(0.0, 3600.0), st.floats(0.0, 648_000.0))
fraction = st.lists(st.tuples(st.floats(0.0, 360.0), st.floats(0.0, 1.0)), min_size=1, max_size=20)


@given(ra, dec, radius, fraction)
@example(0.0, 90.0, 5.0, [(0.0, 1.0), (90.0, 1.0), (180.0, 0.5)])
@example(45.0, np.degrees(np.arcsin(2 / 3)), 5.0, [(45.0, 1.0), (225.0, 1.0)])
def test_a_cone_covers_every_position_within_its_radius(ra, dec, radius, positions):
    angle, part = np.array(positions).T
    inside = SkyCoord(ra, dec, unit="deg").directional_offset_by(angle * u.deg, part * radius * u.arcsec)
    ranges = cone_ranges(ra, dec, radius)
    cells = hpx29(inside.ra.deg, inside.dec.deg)
    i = np.searchsorted(ranges[:, 0], cells, side="right") - 1
    assert (i >= 0).all() and (cells < ranges[i, 1]).all()


@given(ra, dec, radius)
def test_ranges_are_sorted_apart_and_few(ra, dec, radius):
    ranges = cone_ranges(ra, dec, radius)
    assert ranges.dtype == np.int64 and 1 <= len(ranges) <= 40
    assert (ranges[:, 0] < ranges[:, 1]).all() and (ranges[1:, 0] > ranges[:-1, 1]).all()


@given(ra, dec, ra, dec)
def test_separation_is_that_of_astropy(ra1, dec1, ra2, dec2):
    expected = np.degrees(angular_separation(*np.radians([ra1, dec1, ra2, dec2]))) * 3600
    tolerance = 1e-9 + 1e-12 * expected if expected < 640_000 else 0.01
    assert abs(separation_arcsec(ra1, dec1, ra2, dec2) - expected) <= tolerance


@given(ra, dec, st.floats(0.0, 360.0), st.floats(1e-4, 10.0))
def test_small_separations_keep_their_digits(ra, dec, angle, arcsec):
    other = SkyCoord(ra, dec, unit="deg").directional_offset_by(angle * u.deg, arcsec * u.arcsec)
    expected = np.degrees(angular_separation(*np.radians([ra, dec, other.ra.deg, other.dec.deg]))) * 3600
    assert abs(separation_arcsec(ra, dec, other.ra.deg, other.dec.deg) - expected) <= 1e-8
