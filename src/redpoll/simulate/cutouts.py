"""Simulated cutouts: a source, its host and star through the seeing, noise, and subtraction artefacts."""

from __future__ import annotations

from dataclasses import dataclass
from math import gamma

import numpy as np
from numpy.typing import NDArray

from redpoll.simulate.classes.bogus import BAD_COLUMN, COSMIC_RAY, DIPOLE, GHOST, STAR_RESIDUAL

Image = NDArray[np.float32]
Array = NDArray[np.float64]
_BETA = 3.0  # of the Moffat profile
_BRIEF_SEEING = 0.85  # width of a flash over that of an exposure: image motion does not broaden it (Fried 1966)
_DASH_POINTS = 9


@dataclass(frozen=True)
class Scene:
    """Content of each of `n` cutouts; lengths in pixels from the cutout's centre, fluxes in counts.

    ``passing_*`` (n, k) are stars and galaxies nearby, drawn as points; their flux is NaN where there is none.
    ``dash`` is the length of a source that moved while it shone, NaN for all others, and ``dash_angle`` [rad] its
    direction. ``artefact`` is NaN except for artefacts. ``edges`` (n, 4): pixels to the image's left, right, lower
    and upper edge, beyond which the cutout has no data.
    """

    size: int
    gain: float
    x: Array
    y: Array
    flux: Array
    science_fwhm: Array
    template_fwhm: Array
    science_noise: Array
    template_noise: Array
    background: Array
    host_flux: Array
    host_x: Array
    host_y: Array
    host_radius: Array
    host_axis_ratio: Array
    host_angle: Array
    host_index: Array
    star_flux: Array
    star_x: Array
    star_y: Array
    passing_flux: Array
    passing_x: Array
    passing_y: Array
    dash: Array
    dash_angle: Array
    artefact: Array
    edges: Array

    def __len__(self) -> int:
        return len(self.x)


def draw_cutouts(rng: np.random.Generator, scene: Scene) -> tuple[Image, Image, Image]:
    """Science, template and difference images, each (n, size, size).

    The difference is drawn consistently: science minus the template's sky seen through the science image's seeing,
    with the noise of both, so that what does not vary subtracts away but for a small misalignment.
    """
    steady = _steady(scene, scene.science_fwhm)
    source = scene.flux[:, None, None] * _profile(scene)
    flaw = _flaw(rng, scene, source)
    source = np.where(np.isfinite(scene.artefact)[:, None, None], flaw, source)
    template = _steady(scene, scene.template_fwhm)
    science_noise = _noise(rng, scene.science_noise, np.maximum(steady + source, 0), scene.gain)
    template_noise = _noise(rng, scene.template_noise, np.maximum(template, 0), scene.gain * 15)
    shift = rng.normal(0.0, 0.01, (2, len(scene), 1, 1))
    misaligned = shift[0] * (np.roll(steady, 1, 2) - steady) + shift[1] * (np.roll(steady, 1, 1) - steady)
    sky = scene.background[:, None, None]
    images = (steady + source + science_noise + sky, template + template_noise + sky)
    difference = source + misaligned + science_noise - template_noise
    outside = _outside(scene)
    science, template, difference = (np.where(outside, np.nan, each) for each in (*images, difference))
    return science.astype(np.float32), template.astype(np.float32), difference.astype(np.float32)


def _profile(scene: Scene) -> Array:
    """Sources of unit flux; a dash is a row of points, in the sharper seeing of a moment."""
    image = moffat(scene.size, scene.x, scene.y, scene.science_fwhm)
    brief = np.isfinite(scene.dash)
    if brief.any():
        x, y, fwhm = scene.x[brief], scene.y[brief], _BRIEF_SEEING * scene.science_fwhm[brief]
        steps = np.linspace(-0.5, 0.5, _DASH_POINTS)[:, None] * scene.dash[brief]
        east, north = steps * np.cos(scene.dash_angle[brief]), steps * np.sin(scene.dash_angle[brief])
        points = [moffat(scene.size, x + dx, y + dy, fwhm) for dx, dy in zip(east, north, strict=True)]
        image[brief] = np.mean(points, axis=0)
    return image


def moffat(size: int, x: Array, y: Array, fwhm: Array) -> Array:
    """Moffat profiles of unit flux, (n, size, size), centred `x`, `y` pixels from the middle.

    >>> moffat(63, np.zeros(1), np.zeros(1), np.full(1, 2.5)).sum().round(2)
    np.float64(1.0)
    """
    alpha2 = (fwhm / 2) ** 2 / (2 ** (1 / _BETA) - 1)
    dx, dy = _offsets(size, x, y)
    profile = (1.0 + (dx**2 + dy**2) / alpha2[:, None, None]) ** -_BETA
    return np.asarray(profile * ((_BETA - 1) / (np.pi * alpha2))[:, None, None])


def sersic(scene: Scene, fwhm: Array) -> Array:
    """Host galaxies, softened by the seeing rather than convolved with it."""
    sigma = fwhm / 2.355
    radius = np.hypot(scene.host_radius, sigma)
    dx, dy = _offsets(scene.size, scene.host_x, scene.host_y)
    cos, sin = np.cos(scene.host_angle)[:, None, None], np.sin(scene.host_angle)[:, None, None]
    ratio = scene.host_axis_ratio[:, None, None]
    squared = (cos * dx + sin * dy) ** 2 + ((cos * dy - sin * dx) / ratio) ** 2 + (sigma**2)[:, None, None] / 2
    profile = np.zeros(squared.shape)
    for index in np.unique(scene.host_index):
        these = scene.host_index == index
        b = 2 * index - 1 / 3
        total = 2 * np.pi * index * np.exp(b) * b ** (-2 * index) * gamma(2 * index)
        scaled = (squared[these] / (radius[these] ** 2)[:, None, None]) ** (0.5 / index)
        norm = total * radius[these] ** 2 * scene.host_axis_ratio[these]
        profile[these] = np.exp(-b * (scaled - 1.0)) / norm[:, None, None]
    return profile


def _offsets(size: int, x: Array, y: Array) -> tuple[Array, Array]:
    pixel = np.arange(size) - (size - 1) / 2
    return pixel[None, None, :] - x[:, None, None], pixel[None, :, None] - y[:, None, None]


def _steady(scene: Scene, fwhm: Array) -> Array:
    """The constant light: host, star and neighbours."""
    image = np.zeros((len(scene), scene.size, scene.size))
    host, star = np.isfinite(scene.host_flux), np.isfinite(scene.star_flux)
    if host.any():
        image[host] += scene.host_flux[host, None, None] * sersic(_some(scene, host), fwhm[host])
    if star.any():
        profile = moffat(scene.size, scene.star_x[star], scene.star_y[star], fwhm[star])
        image[star] += scene.star_flux[star, None, None] * profile
    for k in range(scene.passing_flux.shape[1]):
        there = np.isfinite(scene.passing_flux[:, k])
        profile = moffat(scene.size, scene.passing_x[there, k], scene.passing_y[there, k], fwhm[there])
        image[there] += scene.passing_flux[there, k, None, None] * profile
    return image


def _some(scene: Scene, keep: NDArray[np.bool_]) -> Scene:
    per_cutout = {name: value[keep] for name, value in vars(scene).items() if name not in ("size", "gain")}
    return Scene(size=scene.size, gain=scene.gain, **per_cutout)


def _noise(rng: np.random.Generator, sigma: Array, light: Array, gain: float) -> Array:
    """Sky noise of `sigma` counts and photon noise of `light`."""
    kick = rng.standard_normal(light.shape, dtype=np.float32)
    return np.asarray(kick * np.sqrt((sigma**2)[:, None, None] + light / gain))


def _flaw(rng: np.random.Generator, scene: Scene, source: Array) -> Array:
    """Light of an artefact, drawn instead of a source."""
    image = np.zeros(source.shape)
    for kind, draw in ((BAD_COLUMN, _bad_column), (DIPOLE, _dipole), (COSMIC_RAY, _cosmic_ray), (GHOST, _ghost)):
        for k in np.flatnonzero(scene.artefact == kind):
            image[k] = draw(rng, source[k], scene.flux[k], scene.size)
    residual = scene.artefact == STAR_RESIDUAL
    if residual.any():
        fwhm = scene.science_fwhm[residual]
        x, y, size = scene.x[residual], scene.y[residual], scene.size
        ring = moffat(size, x, y, fwhm) - 0.75 * moffat(size, x, y, 1.35 * fwhm)
        image[residual] = 2.5 * scene.flux[residual, None, None] * ring
    return image


def _bad_column(rng: np.random.Generator, source: Array, flux: float, size: int) -> Array:
    image = np.zeros(source.shape)
    column = size // 2 + int(rng.integers(-1, 2))
    image[int(rng.integers(0, size // 2)) :, column] = 0.25 * flux
    return image


def _dipole(rng: np.random.Generator, source: Array, flux: float, size: int) -> Array:
    moved = np.roll(source, (int(rng.choice([-1, 1])), int(rng.choice([-2, -1, 1, 2]))), (0, 1))
    return np.asarray(2.0 * (source - moved))


def _cosmic_ray(rng: np.random.Generator, source: Array, flux: float, size: int) -> Array:
    image = np.zeros(source.shape)
    angle, n = rng.uniform(0, np.pi), int(rng.integers(1, 9))
    at = size // 2 + np.rint(np.arange(n)[:, None] * [np.cos(angle), np.sin(angle)]).astype(int)
    np.add.at(image, (at[:, 1], at[:, 0]), abs(flux) * rng.uniform(0.5, 1.5, n) / np.sqrt(n))
    return image


def _ghost(rng: np.random.Generator, source: Array, flux: float, size: int) -> Array:
    dx, dy = _offsets(size, rng.normal(0, 6, 1), rng.normal(0, 6, 1))
    radius, width = rng.uniform(5.0, 14.0), rng.uniform(2.0, 5.0)
    return np.asarray(0.06 * flux * np.exp(-0.5 * ((np.hypot(dx, dy)[0] - radius) / width) ** 2))


def _outside(scene: Scene) -> NDArray[np.bool_]:
    """Pixels beyond the image's edge."""
    pixel = np.arange(scene.size) - (scene.size - 1) / 2
    left, right, low, high = (scene.edges[:, k, None, None] for k in range(4))
    across, up = pixel[None, None, :], pixel[None, :, None]
    return np.asarray((across < -left) | (across > right) | (up < -low) | (up > high))
