"""The compiled search against astropy and against every pair measured, anywhere on the sky."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord, search_around_sky
from astropy.time import Time
from hypothesis import example, given, settings
from hypothesis import strategies as st

from redpoll.astro.sky import hpx29, separation_arcsec
from redpoll.astro.sky_index import build_index, find_matches, julian_year

CORNER = float(np.degrees(np.arcsin(2 / 3)))
POSITIONS = [
    (0.0, 90.0),
    (123.0, -90.0),
    (0.0, 0.0),
    (360.0 - 1e-9, 10.0),
    (45.0, CORNER),
    (90.0, 0.0),
    (180.0, -CORNER),
]
position = st.one_of(st.sampled_from(POSITIONS), st.tuples(st.floats(0.0, 360.0), st.floats(-90.0, 90.0)))
radius = st.sampled_from([0.1, 1.5, 5.0, 60.0, 900.0, 7200.0])
seed = st.integers(0, 2**32 - 1)


def around(ra, dec, arcsec, n, rng):
    """Places within about this distance of another, whatever lies between."""
    angle, distance = rng.uniform(0, 360, n) * u.deg, np.sqrt(rng.uniform(0, 1, n)) * arcsec * u.arcsec
    found = SkyCoord(ra, dec, unit="deg").directional_offset_by(angle, distance)
    return found.ra.deg, found.dec.deg


def all_pairs(ra, dec, ra_s, dec_s, radius):
    """Every pair within the radius of its source, alerts first, nearest first."""
    arcsec = separation_arcsec(ra[:, None], dec[:, None], ra_s[None], dec_s[None])
    alert, source = np.nonzero(arcsec <= radius)
    order = np.lexsort((source, arcsec[alert, source], alert))
    return alert[order], source[order], arcsec[alert[order], source[order]]


@given(position, radius, seed)
@settings(max_examples=150)
@example((0.0, 90.0), 60.0, 1)
@example((45.0, CORNER), 1.5, 2)
def test_all_and_nearest_are_those_of_measuring_every_pair(centre, radius, seed):
    rng = np.random.default_rng(seed)
    ra_s, dec_s = around(*centre, 5 * radius, 80, rng)
    ra, dec = around(*centre, 5 * radius, 40, rng)
    index, order = build_index(ra_s, dec_s, radius)
    alert, source, arcsec = all_pairs(ra, dec, ra_s, dec_s, radius)
    every = find_matches(index, ra, dec, every=True)
    assert sorted(zip(every.alert, order[every.source], strict=True)) == sorted(zip(alert, source, strict=True))
    np.testing.assert_allclose(every.arcsec, arcsec, atol=1e-8)
    nearest, first = find_matches(index, ra, dec), np.flatnonzero(np.diff(alert, prepend=-1))
    assert (nearest.alert == alert[first]).all() and (order[nearest.source] == source[first]).all()


@given(position, seed)
@settings(max_examples=60)
def test_each_source_may_have_its_own_radius(centre, seed):
    rng = np.random.default_rng(seed)
    ra_s, dec_s = around(*centre, 600.0, 60, rng)
    own = 10 ** rng.uniform(-1, 3.5, 60)
    ra, dec = around(*centre, 900.0, 30, rng)
    index, order = build_index(ra_s, dec_s, own)
    alert, source, _ = all_pairs(ra, dec, ra_s, dec_s, own)
    every, nearest = find_matches(index, ra, dec, every=True), find_matches(index, ra, dec)
    assert list(zip(every.alert, order[every.source], strict=True)) == list(zip(alert, source, strict=True))
    first = np.flatnonzero(np.diff(alert, prepend=-1))
    assert (order[nearest.source] == source[first]).all() and (nearest.alert == alert[first]).all()


@pytest.mark.filterwarnings("ignore:ERFA function .pmsafe.*distance overridden")
@given(position, seed, st.floats(-60.0, 60.0))
@settings(max_examples=60)
def test_proper_motion_is_that_of_astropy(centre, seed, years):
    rng = np.random.default_rng(seed)
    ra_s, dec_s = around(*centre, 3600.0, 20, rng)
    dec_s = np.clip(dec_s, -89.999, 89.999)
    pm_ra, pm_dec = rng.normal(0, 10 ** rng.uniform(0, 4, 20)), rng.normal(0, 10 ** rng.uniform(0, 4, 20))
    epoch = Time(2016.0, format="jyear", scale="tcb")
    stars = SkyCoord(ra_s * u.deg, dec_s * u.deg, pm_ra_cosdec=pm_ra * u.mas / u.yr, pm_dec=pm_dec * u.mas / u.yr,
                     obstime=epoch)  # fmt: skip
    now = stars.apply_space_motion(dt=years * u.yr)
    index, order = build_index(ra_s, dec_s, 0.05, pm_ra=pm_ra, pm_dec=pm_dec, epoch=2016.0)
    found = find_matches(index, now.ra.deg, now.dec.deg, year=np.full(20, 2016.0 + years), every=True)
    own = order[found.source] == found.alert
    assert own.sum() == 20 and found.arcsec[own].max() < 0.01


def test_a_star_is_found_where_it_is_and_no_longer_where_it_was():
    """Barnard's star moves 10.4 arcsec a year: of two alerts in 2026 and one in 2016, two find it."""
    barnard = (269.452, 4.6933)
    index, _ = build_index(
        [barnard[0], 10.0], [barnard[1], 10.0], 1.5, pm_ra=[-801.6, 0], pm_dec=[10362.4, 0], epoch=2016.0
    )
    then, now = barnard, (barnard[0] - 8.016 / 3600 / np.cos(np.radians(4.69)), barnard[1] + 103.624 / 3600)
    ra, dec = np.array([then, now, then]).T
    assert find_matches(index, ra, dec, year=[2016.0, 2026.0, 2026.0]).alert.tolist() == [0, 1]


@given(seed, st.integers(1, 40))
@settings(max_examples=30)
def test_a_batch_may_be_cut_anywhere(seed, cut):
    rng = np.random.default_rng(seed)
    index, _ = build_index(*around(10.0, 88.0, 7200.0, 500, rng), 300.0)
    ra, dec = around(10.0, 88.0, 7200.0, 41, rng)
    whole = find_matches(index, ra, dec, every=True)
    parts = [find_matches(index, ra[s], dec[s], every=True) for s in (slice(None, cut), slice(cut, None))]
    assert whole.source.tolist() == [*parts[0].source, *parts[1].source]
    assert whole.alert.tolist() == [*parts[0].alert, *(parts[1].alert + cut)]


def test_the_order_of_the_sources_does_not_matter():
    rng = np.random.default_rng(3)
    ra_s, dec_s = around(200.0, -30.0, 3600.0, 300, rng)
    ra, dec = around(200.0, -30.0, 3600.0, 100, rng)
    shuffle = rng.permutation(300)
    (a, order_a), (b, order_b) = build_index(ra_s, dec_s, 100.0), build_index(ra_s[shuffle], dec_s[shuffle], 100.0)
    assert (order_a[find_matches(a, ra, dec).source] == shuffle[order_b[find_matches(b, ra, dec).source]]).all()


def test_unknown_positions_and_empty_batches_match_nothing():
    index, _ = build_index([10.0], [10.0], 5.0)
    assert not len(find_matches(index, [np.nan, 10.0], [10.0, np.nan]).alert)
    assert not len(find_matches(index, [], []).alert)
    assert not len(find_matches(index, [10.0], [10.0], hpx=[-1]).alert)
    assert len(find_matches(index, [370.0], [10.0]).alert) == 1


def test_an_empty_index_matches_nothing():
    index, _ = build_index([], [], 5.0)
    assert not len(find_matches(index, [10.0], [10.0], every=True).alert)


def test_sources_at_one_position_are_all_found_and_the_first_is_nearest():
    index, order = build_index([10.0] * 5, [10.0] * 5, 1.0)
    assert sorted(order[find_matches(index, [10.0], [10.0], every=True).source]) == [0, 1, 2, 3, 4]
    assert order[find_matches(index, [10.0], [10.0]).source].tolist() == [0]


@pytest.mark.parametrize("bad", [-1.0, np.nan, 1e6])
def test_impossible_radii_are_refused(bad):
    with pytest.raises(ValueError, match="radius"):
        build_index([10.0], [10.0], bad)


def test_julian_years_are_those_of_astropy():
    assert julian_year(60000.0) == pytest.approx(Time(60000.0, format="mjd", scale="tt").jyear, abs=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("radius", [1.5, 60.0])
def test_a_million_pairs_are_those_of_astropy(radius):
    rng = np.random.default_rng(7)
    n = 1_000_000
    ra_s, dec_s = rng.uniform(0, 360, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
    stars = SkyCoord(ra_s, dec_s, unit="deg")
    angle, distance = rng.uniform(0, 360, n) * u.deg, np.sqrt(rng.uniform(0, 2, n)) * radius * u.arcsec
    moved = stars.directional_offset_by(angle, distance)
    ra, dec = moved.ra.deg, moved.dec.deg
    index, order = build_index(ra_s, dec_s, radius)
    found = find_matches(index, ra, dec, hpx=hpx29(ra, dec))
    i, separation, _ = moved.match_to_catalog_sky(stars)
    inside = separation.arcsec <= radius
    assert (found.alert == np.flatnonzero(inside)).all() and (order[found.source] == i[inside]).all()
    np.testing.assert_allclose(found.arcsec, separation.arcsec[inside], atol=1e-8)
    every = find_matches(index, ra, dec, every=True)
    a, s, _, _ = search_around_sky(moved, stars, radius * u.arcsec)
    assert (np.sort(every.alert * n + order[every.source]) == np.sort(a.astype(np.int64) * n + s)).all()
