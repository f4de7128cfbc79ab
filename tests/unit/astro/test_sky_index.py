"""The search of positions against every pair measured, at and between the edges of base cells."""

from __future__ import annotations

import numpy as np
import pytest

from redpoll.astro.sky import hpx29, separation_arcsec
from redpoll.astro.sky_index import build_index, find_matches, julian_year

CORNER = float(np.degrees(np.arcsin(2 / 3)))
CENTRES = [
    (0.0, 90.0), (123.0, -90.0), (0.0, 0.0), (359.9999, 10.0), (45.0, CORNER), (90.0, 0.0), (180.0, -CORNER),
    (10.0, 20.0), (200.0, 80.0), (44.9, 60.0), (301.0, -35.0),
]  # fmt: skip


def around(ra, dec, arcsec, n, rng):
    """Positions at or within distances from another."""
    angle, distance = rng.uniform(0, 2 * np.pi, n), np.radians(arcsec / 3600) * np.ones(n)
    lon, lat = np.radians(ra), np.radians(dec)
    z = np.sin(lat) * np.cos(distance) + np.cos(lat) * np.sin(distance) * np.cos(angle)
    east = np.sin(angle) * np.sin(distance) * np.cos(lat)
    found = np.arctan2(east, np.cos(distance) - np.sin(lat) * z) if abs(dec) < 90 else angle
    return np.degrees(lon + found) % 360, np.degrees(np.arcsin(np.clip(z, -1, 1)))


def assert_pairs(index, order, ra, dec, arcsec, radius, **options):
    """Every pair and the nearest of each alert, by the matrix of distances (alerts, sources)."""
    alert, source = np.nonzero(arcsec <= radius)
    by_distance = np.lexsort((source, arcsec[alert, source], alert))
    alert, source = alert[by_distance], source[by_distance]
    every = find_matches(index, ra, dec, every=True, **options)
    assert sorted(zip(every.alert, order[every.source], strict=True)) == sorted(zip(alert, source, strict=True))
    assert (np.diff(every.alert) >= 0).all()
    np.testing.assert_allclose(every.arcsec, arcsec[alert, source], rtol=1e-7, atol=1e-7)
    nearest, first = find_matches(index, ra, dec, **options), np.flatnonzero(np.diff(alert, prepend=-1))
    assert nearest.alert.tolist() == alert[first].tolist() and order[nearest.source].tolist() == source[first].tolist()
    np.testing.assert_allclose(nearest.arcsec, arcsec[alert[first], source[first]], rtol=1e-7, atol=1e-7)


def distances(ra, dec, ra_s, dec_s):
    return separation_arcsec(ra[:, None], dec[:, None], ra_s[None], dec_s[None])


@pytest.mark.parametrize("radius", [0.5, 30.0, 3600.0, 180_000.0])
@pytest.mark.parametrize("centre", CENTRES)
def test_sources_just_inside_of_the_radius_are_found_in_all_directions(centre, radius):
    rng = np.random.default_rng(1)
    ra_s, dec_s = around(*centre, np.tile([0.999, 1.001, 0.5], 20) * rng.uniform(0.9999, 1.0001, 60) * radius, 60, rng)
    index, order = build_index(ra_s, dec_s, radius)
    ra, dec = np.array([centre[0]]), np.array([centre[1]])
    assert_pairs(index, order, ra, dec, distances(ra, dec, ra_s, dec_s), radius)


@pytest.mark.parametrize("centre", CENTRES)
def test_each_source_has_its_own_radius_and_alerts_may_lie_anywhere(centre):
    rng = np.random.default_rng(2)
    radius = rng.choice([0.0, 3.0, 50.0, 700.0, 5000.0], 60)
    ra_s, dec_s = around(*centre, rng.uniform(0, 3000, 60), 60, rng)
    ra, dec = around(*centre, rng.uniform(0, 3000, 25), 25, rng)
    ra[:3], dec[:3] = ra_s[:3], dec_s[:3]
    index, order = build_index(ra_s, dec_s, radius)
    arcsec = distances(ra, dec, ra_s, dec_s)
    assert_pairs(index, order, ra, dec, arcsec, radius)
    unknown = np.array([np.nan, 1.0, 1.0]), np.array([1.0, np.nan, np.inf])
    more = [np.insert(x, 5, u) for x, u in zip((ra, dec), unknown, strict=True)]
    assert_pairs(index, order, *more, np.insert(arcsec, 5, np.inf * np.ones((3, 60)), axis=0), radius)
    cells = hpx29(ra, dec)
    cells[[4, 9]] = -1
    arcsec[[4, 9]] = np.inf
    assert_pairs(index, order, ra, dec, arcsec, radius, hpx=cells)


@pytest.mark.parametrize("pm_ra, pm_dec", [(5000.0, -3000.0), (-800.0, 0.0), (0.0, 10_000.0)])
@pytest.mark.parametrize("centre", [(10.0, 20.0), (359.999, -60.0), (0.0, 0.0), (222.0, 88.0)])
def test_a_source_is_where_it_moved_to(centre, pm_ra, pm_dec):
    rng = np.random.default_rng(3)
    ra_s, dec_s = around(*centre, rng.uniform(0, 400, 30), 30, rng)
    moves = rng.random(30) < 0.7
    east, north = (np.where(moves, pm, np.nan) for pm in (pm_ra, pm_dec))
    index, order = build_index(ra_s, dec_s, 2.0, pm_ra=east, pm_dec=north, epoch=2016.0)
    year, source = np.tile([1990.0, 2016.0, 2026.5], 30), np.repeat(np.arange(30), 3)
    lon, lat = np.radians(ra_s), np.radians(dec_s)
    xyz = np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    per_year = np.radians(np.nan_to_num([east, north]) / 3.6e6)
    to_east = np.array([-np.sin(lon), np.cos(lon), 0 * lon])
    to_north = np.array([-np.sin(lat) * np.cos(lon), -np.sin(lat) * np.sin(lon), np.cos(lat)])
    moved = xyz[:, None] + (per_year[0] * to_east + per_year[1] * to_north)[:, None] * (year - 2016.0)[:, None]
    moved /= np.sqrt((moved**2).sum(axis=0))
    real = np.degrees(np.arctan2(moved[1], moved[0])) % 360, np.degrees(np.arcsin(moved[2]))
    ra, dec = (np.ascontiguousarray(x[np.arange(90), source]) for x in real)
    arcsec = separation_arcsec(ra[:, None], dec[:, None], *real)
    assert_pairs(index, order, ra, dec, arcsec, 2.0, year=year)
    assert (arcsec[np.arange(90), source] < 1e-6).all()
    alert = find_matches(index, ra, dec).alert.tolist()
    assert alert == find_matches(index, ra, dec, year=2016.0).alert.tolist() and len(alert) < 90
    later = build_index(ra_s, dec_s, 2.0, pm_ra=east, pm_dec=north)[0]
    assert find_matches(later, ra_s, dec_s, year=2000.0).arcsec.max() < 1e-6 and later.epoch == 2000.0


def test_at_one_position_the_first_source_is_nearest():
    index, order = build_index([10.0] * 3, [5.0] * 3, [1.0, 100.0, 1.0])
    found = find_matches(index, [10.0], [5.0])
    assert order[found.source].tolist() == [0] and found.arcsec[0] < 1e-6
    assert order[find_matches(index, 10.0, 5.0, every=True).source].tolist() == [0, 2, 1]


def test_sources_are_grouped_by_their_reach_in_ten_years():
    radius = np.array([4.9, 5.2, 59.0, 62.0, 899.0, 920.0, 1.0, 1.0])
    motion = np.array([0.0] * 6 + [390.0, 410.0])  # mas/yr: reaches of 4.9 and 5.1
    index, order = build_index(np.arange(8.0), np.zeros(8), radius, pm_ra=motion, pm_dec=np.zeros(8))
    groups = [sorted(order[layer.start : layer.stop].tolist()) for layer in index.layers]
    assert groups == [[0, 6], [1, 2, 7], [3, 4], [5]]
    for motion in (None, [0.0]):
        assert build_index([1.0], [1.0], 1.0, pm_ra=motion, pm_dec=motion)[0].motion.shape == (0, 3)
        assert build_index([1.0], [1.0], 1.0, pm_ra=[9.0], pm_dec=motion)[0].motion.shape == (len(motion or []), 3)


def test_a_cell_of_the_buckets_holds_about_one_source():
    rng = np.random.default_rng(4)
    for n, order in ((0, None), (1, 0), (12, 0), (47, 0), (48, 1), (50, 1), (1000, 3)):
        index, _ = build_index(rng.uniform(0, 360, n), rng.uniform(-90, 90, n), 1.0)
        assert [layer.order for layer in index.layers] == ([] if order is None else [order])
        assert len(index.buckets) == (0 if order is None else 12 * 4**order + 1)


@pytest.mark.parametrize("radius", [0.0, 1e-6, 1e-5, 1e-4, 3e-4, 1e-3, 0.01])
def test_the_cone_of_a_tiny_radius_has_at_most_four_cells(radius):
    """Up to 0.5 mas there were 25, which were written beyond the end of the array of four."""
    rng = np.random.default_rng(5)
    ra, dec = rng.uniform(0, 360, 300), np.degrees(np.arcsin(rng.uniform(-1, 1, 300)))
    index, order = build_index(ra, dec, radius)
    for n in (1, 300):
        found = find_matches(index, ra[:n], dec[:n])
        assert order[found.source].tolist() == list(range(n)) and (found.arcsec < 1e-6).all()


def test_radii_reach_from_nothing_to_half_a_turn():
    for radius, n in ((0.0, 1), (648_000.0, 2)):
        index, _ = build_index([10.0, 190.0], [5.0, -4.9], radius)
        assert len(find_matches(index, [10.0], [5.0], every=True).source) == n
    for bad in (-1e-3, 648_001.0, np.nan):
        with pytest.raises(ValueError, match="between 0 and 648,000"):
            build_index([10.0, 20.0], [5.0, 5.0], [1.0, bad])


def test_more_pairs_than_alerts_are_kept():
    ra = 10 + np.arange(90) * 1e-6
    index, order = build_index(ra, np.full(90, 5.0), 1.0)
    found = find_matches(index, [10.0, 10.0], [5.0, 5.0], every=True)
    assert order[found.source].tolist() == [*range(90)] * 2 and found.alert.tolist() == [0] * 90 + [1] * 90


def test_julian_years_count_from_2000():
    assert julian_year([51544.5, 51544.5 + 3652.5, 0.0]) == pytest.approx([2000.0, 2010.0, 2000 - 51544.5 / 365.25])
