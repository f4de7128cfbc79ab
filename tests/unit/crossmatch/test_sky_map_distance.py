"""Distances in sky maps: moments by quadrature, and volumes that hold what they say."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from astropy.io import fits
from scipy.integrate import quad
from sky_files import batch, multi_order

from redpoll.astro.sky import hpx29
from redpoll.crossmatch.sky_maps.context import SkyMapContext
from redpoll.crossmatch.sky_maps.distance import CredibleVolumes, conditional_moments
from redpoll.crossmatch.sky_maps.read import parse_sky_map, read_sky_map

LINES = [(200, 40), (100, 1), (10, 40), (0, 30), (-79, 40), (-81, 40), (-1000, 39), (-1000, 41), (-5000, 40), (9e4, 10)]


def shape(mu, sigma):
    """The unnormalised density along a line of sight, and where it is not negligible."""
    x = mu / sigma
    peak = max(mu, 0)
    reach = 12 * sigma if x > -3 else 60 * sigma / -x
    return (
        lambda r: r**2 * np.exp(-0.5 * ((r - mu) / sigma) ** 2 + 0.5 * min(x, 0) ** 2),
        max(0, peak - reach),
        peak + reach,
    )


def integral(density, low, high):
    edges = np.linspace(low, high, 30)
    return sum(quad(density, a, b, epsabs=0, epsrel=1e-12)[0] for a, b in pairwise(edges))


@pytest.mark.parametrize(("mu", "sigma"), LINES)
def test_moments_are_those_of_quadrature(mu, sigma):
    density, low, high = shape(mu, sigma)
    norm = integral(density, low, high)
    mean = integral(lambda r: r * density(r), low, high) / norm
    deviation = np.sqrt(integral(lambda r: (r - mean) ** 2 * density(r), low, high) / norm)
    found = conditional_moments(mu, sigma)
    assert (found[0][0], found[1][0]) == pytest.approx((mean, deviation), rel=2e-7)


def test_a_line_of_sight_without_distance_has_no_moments():
    mu, sigma = [np.inf, np.nan, -np.inf, 100.0, 100.0, 100.0], [1.0, 1.0, 1.0, 0.0, -5.0, np.inf]
    assert np.isnan(conditional_moments(mu, sigma)).all()


def made(density, mu, sigma):
    distances = {"DISTMU": np.asarray(mu, float), "DISTSIGMA": np.asarray(sigma, float)}
    return parse_sky_map(multi_order(density, **distances), "map")


def slow_levels(sky_map, cells, places, n=40_000):
    """By shells: probability of every small piece of space that is at least as dense as the place."""
    mu, sigma = sky_map.distances.mu.astype(float), sky_map.distances.sigma.astype(float)
    r = np.linspace(0.05, 1000.0, n)[:, None]
    shell = r**2 * np.exp(-0.5 * ((r - mu) / sigma) ** 2)
    norm = shell.sum(0)
    mass = sky_map.probability * shell / norm
    dense = mass / r**2
    at = sky_map.probability[cells] / norm[cells] * np.exp(-0.5 * ((places - mu[cells]) / sigma[cells]) ** 2)
    return np.array([mass[dense >= one].sum() for one in at])


def test_credible_volumes_are_those_of_the_slow_way():
    rng = np.random.default_rng(1)
    sky_map = made(rng.uniform(1, 20, 12), rng.uniform(-100, 300, 12), rng.uniform(20, 90, 12))
    cells, places = rng.integers(0, 12, 60), rng.uniform(1, 500, 60)
    found = CredibleVolumes(sky_map).levels(cells, places)
    assert found == pytest.approx(slow_levels(sky_map, cells, places), abs=1e-3)


def test_levels_of_places_drawn_from_the_map_are_uniform():
    """What a credible level is: 90 % of events lie within their 90 % volume."""
    rng = np.random.default_rng(2)
    sky_map = made(rng.uniform(1, 20, 12), rng.uniform(-50, 300, 12), rng.uniform(20, 60, 12))
    cells = rng.choice(12, 20_000, p=sky_map.probability)
    mu, sigma = (x[cells].astype(float) for x in (sky_map.distances.mu, sky_map.distances.sigma))
    r = np.linspace(0.01, 800, 3000)
    lines = np.cumsum(r**2 * np.exp(-0.5 * ((r - mu[:, None][:2000]) / sigma[:, None][:2000]) ** 2), axis=1)
    places = np.array([np.interp(u * line[-1], line, r) for u, line in zip(rng.uniform(size=2000), lines, strict=True)])
    levels = CredibleVolumes(sky_map).levels(cells[:2000], places)
    assert np.abs(np.sort(levels) - (np.arange(2000) + 0.5) / 2000).max() < 1.6 / np.sqrt(2000)  # Kolmogorov, 1 %


def test_places_without_answer():
    sky_map = made(np.ones(12), [np.inf] + [100.0] * 11, [1.0] + [10.0] * 11)
    levels = CredibleVolumes(sky_map).levels(
        np.array([0, 1, 1, 1, -1, -1]), np.array([100, np.nan, -5, 1e9, 100, np.nan])
    )
    assert np.isnan(levels).tolist() == [True, True, True, False, False, True]
    assert levels[3:5].tolist() == [1.0, 1.0]


def test_a_map_without_any_distance_says_so():
    with pytest.raises(ValueError, match="no distances"):
        CredibleVolumes(made(np.ones(12), np.full(12, np.inf), np.ones(12)))


def test_a_context_gives_distances_and_uses_those_of_hosts():
    sky_map = made([20.0] + [1.0] * 11, [100.0] + [np.inf] + [300.0] * 10, np.full(12, 10.0))
    context = SkyMapContext("gw", sky_map)
    ra, dec = [45.0, 45.0, 45.0, 135.0], [30.0, 30.0, 30.0, 30.0]
    found = context.match(batch(ra, dec, host_distance_modulus=[35.0, 40.0, None, 35.0]))
    assert {k: v.type for k, v in found.items()} == {k: c.arrow_type for k, c in context.columns.items()}
    assert found["gw_distance_mpc"].to_pylist() == pytest.approx([101.98, 101.98, 101.98, None], abs=0.01)
    assert found["gw_distance_err_mpc"].to_pylist()[0] == pytest.approx(9.9, abs=0.05)
    level = found["gw_3d_credible_level"].to_pylist()
    assert level[0] < 0.1 and level[1] > 0.999 and level[2:] == [None, None]


def test_without_hosts_there_is_no_level_in_space():
    context = SkyMapContext("gw", made(np.ones(12), np.full(12, 100.0), np.full(12, 10.0)))
    assert context.match(batch([1.0], [2.0]))["gw_3d_credible_level"].to_pylist() == [None]
    assert "volumes" not in vars(context)


@pytest.mark.parametrize(
    ("name", "rel"),
    [
        ("S190814bv-bayestar.multiorder.fits", 2e-3),
        ("MS181101ab.multiorder.fits", 2e-3),
        ("S190814bv_5_LALInference.v1.fits.gz", 1e-2),  # its header gives the mean of samples, not of the fit to them
    ],
)
def test_real_maps_have_the_mean_distance_of_their_header(data_dir, name, rel):
    path = data_dir / "skymaps" / name
    sky_map = read_sky_map(path)
    header = fits.getheader(path, 1)
    mean, deviation = conditional_moments(sky_map.distances.mu, sky_map.distances.sigma)
    known = np.isfinite(mean)
    weight = sky_map.probability[known] / sky_map.probability[known].sum()
    whole = (weight * mean[known]).sum()
    spread = np.sqrt((weight * (deviation[known] ** 2 + mean[known] ** 2)).sum() - whole**2)
    assert whole == pytest.approx(header["DISTMEAN"], rel=rel)
    assert spread == pytest.approx(header["DISTSTD"], rel=10 * rel)


def test_ngc_253_is_in_the_middle_of_s190814bv_on_the_sky_but_not_in_space(data_dir):
    """At 3.5 Mpc it is far in front of the event at 276 Mpc."""
    sky_map = read_sky_map(data_dir / "skymaps" / "S190814bv-bayestar.multiorder.fits")
    cell = sky_map.find(hpx29([11.888], [-25.288]))
    assert sky_map.levels[cell][0] < 0.9
    volumes = CredibleVolumes(sky_map)
    assert volumes.levels(cell, np.array([3.5]))[0] > 0.99 > volumes.levels(cell, np.array([276.0]))[0]
