"""Surroundings of each source: its host or star, and the catalogued neighbours in its packet."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from redpoll.simulate.classes import CLASSES
from redpoll.simulate.classes.bogus import DIPOLE, STAR_RESIDUAL
from redpoll.simulate.distance import distance_modulus, luminosity_distance
from redpoll.simulate.dust import dimming
from redpoll.simulate.population import Sources

Array = NDArray[np.float64]
_GALAXY = np.array([1.9, 0.65, 0.0, -0.3, -0.5, -0.6])  # u to y, less r, of a galaxy nearby
_STAR = np.array([1.9, 0.7, 0.0, -0.25, -0.4, -0.48])
_HALF_LIGHT = 1.678  # scale lengths of an exponential disc
_UNDECIDED_GALAXIES, _UNDECIDED_STARS = 0.2, 0.03
_NEIGHBOURS_PER_ARCSEC2 = 0.0025
_CATALOGUE_DEPTH = 22.3
_DIPOLE_DISTANCE, _RESIDUAL_DISTANCE = 0.4, 0.2
"""Half of the mean distance [arcsec] of two kinds of artefact from their star; the others are anywhere."""
_KPC_PER_ARCSEC_PER_MPC = 1e3 * np.pi / 180.0 / 3600.0


@dataclass(frozen=True)
class Surroundings:
    """One entry a source; magnitudes are AB in u to y, distances arcsec, NaN where there is nothing.

    ``host_*``: the galaxy's magnitude (n, 6), offset from the source to the east and north, half-light radius, axis
    ratio, position angle [rad] and Sersic index. ``star_*``: the star at or near the source. ``reference_*``: what the
    template's own catalogue lists nearest. ``near_*``: the three nearest entries of a deeper catalogue (n, 3) and
    their magnitudes (n, 3, 6), with ``near_score`` 0 (galaxy) to 1 (star) and the direction ``near_angle`` [rad] of
    those that are neither host nor star, NaN for these two.
    """

    host_mag: Array
    host_east: Array
    host_north: Array
    host_radius: Array
    host_axis_ratio: Array
    host_angle: Array
    host_index: Array
    star_mag: Array
    star_east: Array
    star_north: Array
    reference_distance: Array
    reference_mag: Array
    near_distance: Array
    near_score: Array
    near_mag: Array
    near_angle: Array

    def take(self, objects: NDArray[np.int64]) -> Surroundings:
        """The surroundings of these sources, in this order."""
        return Surroundings(**{f.name: getattr(self, f.name)[objects] for f in fields(self)})


def draw_surroundings(rng: np.random.Generator, sources: Sources) -> Surroundings:
    """Surroundings of every source, by the environment of its class."""
    environments = np.array([each.environment for each in CLASSES.values()])[sources.kind]
    host = _hosts(rng, sources, environments)
    star = _stars(rng, sources)
    host_distance, star_distance = np.hypot(host["host_east"], host["host_north"]), np.hypot(*star[1:])
    reference_distance, reference_mag = _reference(
        rng, environments, sources, host, star[0], host_distance, star_distance
    )
    near = _neighbours(rng, host["host_mag"], host_distance, star[0], star_distance)
    return Surroundings(
        **host,
        star_mag=star[0],
        star_east=star[1],
        star_north=star[2],
        reference_distance=reference_distance,
        reference_mag=reference_mag,
        **near,
    )


def _hosts(rng: np.random.Generator, sources: Sources, environments: NDArray[np.str_]) -> dict[str, Array]:
    """Host galaxies: a broad luminosity function, half-light radii of 3 kpc, transients as the light of a disc.

    The disc is exponential: half of the transients lie beyond the half-light radius, and few in the very middle.

    Dwarf hosts, of superluminous supernovae and gamma-ray bursts: half-light radii of 0.9 kpc (Lunnan et al. 2015) and
    magnitudes of -14 to -20 (Angus et al. 2016), which catalogues often lack.
    """
    n = len(sources)
    is_dwarf = environments == "dwarf"
    has = is_dwarf | np.isin(environments, ("host", "nucleus"))
    z = np.where(has, sources.parameters.get("redshift", np.nan), np.nan)
    r_mag = rng.normal(-20.2, 1.3, n) + np.where(is_dwarf, 3.0, 0.0) + distance_modulus(np.where(has, z, 0.1))
    scale = luminosity_distance(np.where(has, z, 0.1)) / (1.0 + np.where(has, z, 0.1)) ** 2 * _KPC_PER_ARCSEC_PER_MPC
    radius = np.exp(rng.normal(np.log(np.where(is_dwarf, 0.9, 3.0)), 0.4)) / scale
    offset = np.where(
        environments == "nucleus", 0.12 * rng.rayleigh(1.0, n), rng.gamma(2.0, 1.0 / _HALF_LIGHT, n) * radius
    )
    angle = rng.uniform(0.0, 2 * np.pi, n)
    reddening = np.clip(np.where(has, z, 0.0), 0.0, 1.0)[:, None] * np.array([1.5, 1.8, 0.0, -0.4, -0.6, -0.7])
    dust = dimming(sources.parameters["ebv"])
    return {
        "host_mag": np.where(has, r_mag, np.nan)[:, None] + _GALAXY + reddening + dust,
        "host_east": np.where(has, offset * np.cos(angle), np.nan),
        "host_north": np.where(has, offset * np.sin(angle), np.nan),
        "host_radius": np.clip(radius, 0.3, 12.0),
        "host_axis_ratio": rng.uniform(0.3, 1.0, n),
        "host_angle": rng.uniform(0.0, np.pi, n),
        "host_index": np.where(rng.random(n) < 0.3, 4.0, 1.0),
    }


def _stars(rng: np.random.Generator, sources: Sources) -> tuple[Array, Array, Array]:
    """The source's own star or nucleus, or the bright star that causes an artefact: magnitudes and offset."""
    n = len(sources)
    own = np.isfinite(sources.reference_mag[:, 0])
    artefact = sources.parameters.get("artefact", np.full(n, np.nan))
    beside = np.isin(artefact, (DIPOLE, STAR_RESIDUAL))
    spread = np.where(artefact == DIPOLE, _DIPOLE_DISTANCE, _RESIDUAL_DISTANCE)
    distance = np.where(beside, spread * rng.gamma(2.0, 1.0, n), rng.rayleigh(0.1, n))
    angle = rng.uniform(0.0, 2 * np.pi, n)
    bright = rng.normal(15.5, 1.5, n).clip(12.0, 19.0)[:, None] + _STAR
    mag = np.where(own[:, None], sources.reference_mag, np.where(beside[:, None], bright, np.nan))
    distance = np.where(own | beside, distance, np.nan)
    return mag, distance * np.cos(angle), distance * np.sin(angle)


def _reference(
    rng: np.random.Generator,
    environments: NDArray[np.str_],
    sources: Sources,
    host: dict[str, Array],
    star_mag: Array,
    host_distance: Array,
    star_distance: Array,
) -> tuple[Array, Array]:
    """Distance and magnitudes of the nearest source in the template: star, else host, else a chance neighbour."""
    n = len(sources)
    by_chance = np.sqrt(rng.exponential(1.0, n) / (np.pi * _NEIGHBOURS_PER_ARCSEC2))
    distance, mag = by_chance, rng.uniform(17.0, 21.5, n)[:, None] + _STAR
    seen = host["host_mag"][:, 2] < _CATALOGUE_DEPTH
    distance, mag = np.where(seen, host_distance, distance), np.where(seen[:, None], host["host_mag"] + 0.7, mag)
    star = np.isfinite(star_distance) & (star_mag[:, 2] < _CATALOGUE_DEPTH)
    return np.where(star, star_distance, distance), np.where(star[:, None], star_mag, mag)


def _neighbours(
    rng: np.random.Generator, host_mag: Array, host_distance: Array, star_mag: Array, star_distance: Array
) -> dict[str, Array]:
    """The three nearest catalogue entries within 30 arcsec: star, host and chance neighbours."""
    n = len(host_mag)
    chance = np.sqrt(np.cumsum(rng.exponential(1.0, (n, 3)), axis=1) / (np.pi * _NEIGHBOURS_PER_ARCSEC2))
    distance = np.column_stack([star_distance, host_distance, chance])
    is_star = rng.random((n, 3)) < 0.55
    score = np.column_stack([rng.beta(30.0, 1.0, n), rng.beta(0.7, 4.0, n), np.where(is_star, 0.95, 0.1)])
    score[:, 2:] = np.clip(score[:, 2:] + rng.normal(0.0, 0.1, (n, 3)), 0.0, 1.0)
    undecided = np.where(score > 0.5, _UNDECIDED_STARS, _UNDECIDED_GALAXIES)
    score = np.where(rng.random(score.shape) < undecided, 0.5, score)  # what the catalogue writes if it cannot tell
    passing = rng.uniform(17.0, 22.0, (n, 3))[:, :, None] + _STAR
    mag = np.concatenate([star_mag[:, None], host_mag[:, None], passing], axis=1)
    distance = np.where((distance < 30.0) & (mag[:, :, 2] < _CATALOGUE_DEPTH), distance, np.inf)
    order = np.argsort(distance, axis=1, kind="stable")[:, :3]
    pick = (np.arange(n)[:, None], order)
    found = np.isfinite(distance[pick])
    return {
        "near_distance": np.where(found, distance[pick], np.nan),
        "near_score": np.where(found, score[pick], np.nan),
        "near_angle": np.where(found & (order >= 2), rng.uniform(0.0, 2 * np.pi, (n, 3)), np.nan),
        "near_mag": np.where(found[:, :, None], mag[pick] + rng.normal(0.0, 0.02, (n, 3, 6)), np.nan),
    }
