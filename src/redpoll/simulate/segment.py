"""Segment of a simulated night: some alerts, with the data to write their packets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from redpoll.simulate.classes import CLASSES
from redpoll.simulate.cutouts import Scene
from redpoll.simulate.exposures import Exposures, Fields
from redpoll.simulate.instrument import Instrument
from redpoll.simulate.population import Sources
from redpoll.simulate.surroundings import Surroundings

Array = NDArray[np.float64]
N_KICKS = 16
BOGUS = list(CLASSES).index("bogus")
_TEMPLATE_FRACTION = 0.4
_TEMPLATE_FWHM = {"ztf": 1.9, "rubin": 4.2}  # pixels


@dataclass(frozen=True)
class Setting:
    """Data common to all segments of a simulated night."""

    seed: int
    day: int
    version: str
    camera: Instrument
    fields: Fields
    exposures: Exposures

    @property
    def name_offset(self) -> int:
        """First number in the names of this simulation's objects, random so that two simulations rarely share names."""
        return int(np.random.default_rng([self.seed, 3, self.day]).integers(2**50))


@dataclass(frozen=True)
class Segment:
    """Some alerts, in order of time: their objects, and the point of each alert among the objects' points."""

    number: int
    sources: Sources
    surroundings: Surroundings
    points: NDArray[np.int64]


def kicks(setting: Setting, sources: Sources) -> Array:
    """Standard normal numbers (points, N_KICKS), the same for an object in every segment."""
    streams = (np.random.default_rng([setting.seed, 1, int(serial)]) for serial in sources.serial)
    draws = [rng.standard_normal((n, N_KICKS)) for rng, n in zip(streams, np.diff(sources.offsets), strict=True)]
    return np.concatenate(draws) if draws else np.zeros((0, N_KICKS))


def cutout_scene(setting: Setting, segment: Segment, rng: np.random.Generator, count_zero_point: Array) -> Scene:
    """Scene of the cutouts of a segment's alerts, in counts of this zero point per exposure."""
    s, around, camera = segment.sources, segment.surroundings, setting.camera
    at, who, row = segment.points, s.index[segment.points], s.row[segment.points]
    band, e = setting.exposures.band[row], setting.exposures
    counts = 10.0 ** (0.4 * (count_zero_point - 31.4))
    fwhm = e.seeing[row] / camera.pixel_scale
    noise = (
        camera.flux_error(np.zeros(len(at)), e.limiting_mag[row]) * counts / np.sqrt(4 * np.pi * (fwhm / 2.355) ** 2)
    )
    x, y = rng.uniform(-0.5, 0.5, (2, len(at)))
    half, positions = 0.5 * camera.detector_pixels, (s.x[who], s.y[who])
    edges = np.column_stack([value for xy in positions for value in (xy, 2 * half - xy)])
    unknown = np.full(len(s), np.nan)
    artefact, dash, angle = (s.parameters.get(n, unknown)[who] for n in ("artefact", "dash_arcsec", "dash_angle"))
    flux = s.flux[at] * counts

    def offset(angle: Array, base: Array) -> Array:
        return np.asarray(base + angle[who] / camera.pixel_scale)

    def light(mag: Array) -> Array:
        return np.asarray(10.0 ** (0.4 * (count_zero_point - mag[who, band])))

    passing = 10.0 ** (0.4 * (count_zero_point[:, None] - around.near_mag[who, :, band]))
    return Scene(
        size=camera.cutout,
        gain=camera.gain,
        x=x,
        y=y,
        flux=flux,
        science_fwhm=fwhm,
        template_fwhm=np.minimum(fwhm, _TEMPLATE_FWHM[camera.survey]) * 0.98,
        science_noise=noise * np.sqrt(1 - _TEMPLATE_FRACTION**2),
        template_noise=noise * _TEMPLATE_FRACTION,
        background=rng.uniform(90.0, 250.0, len(at)),
        host_flux=light(around.host_mag),
        host_x=offset(around.host_east, x),
        host_y=offset(around.host_north, y),
        host_radius=around.host_radius[who] / camera.pixel_scale,
        host_axis_ratio=around.host_axis_ratio[who],
        host_angle=around.host_angle[who],
        host_index=around.host_index[who],
        star_flux=light(around.star_mag),
        star_x=offset(around.star_east, x),
        star_y=offset(around.star_north, y),
        passing_flux=np.where(np.isfinite(around.near_angle[who]), passing, np.nan),
        passing_x=x[:, None] + (around.near_distance * np.cos(around.near_angle))[who] / camera.pixel_scale,
        passing_y=y[:, None] + (around.near_distance * np.sin(around.near_angle))[who] / camera.pixel_scale,
        dash=dash / camera.pixel_scale,
        dash_angle=angle,
        artefact=artefact,
        edges=edges,
    )
