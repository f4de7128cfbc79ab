"""``redpoll skymap``: what a probability sky map contains."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from redpoll.astro.sky import ORDER
from redpoll.cli.options import json_option, verbose_option
from redpoll.cli.output import print_json
from redpoll.cli.sky_plot import draw_sky, legend

_LETTERS, _MEANINGS = "·░█", ("outside", "90 % region", "50 % region")
_LEVELS = np.array([0.5, 0.9])


@click.group(epilog="Example: redpoll skymap info bayestar.multiorder.fits")
def command() -> None:
    """Look at sky maps of gravitational waves, gamma-ray bursts and neutrinos."""


@command.command(epilog="Example: redpoll skymap info bayestar.multiorder.fits")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@json_option
@verbose_option
def info(file: Path, as_json: bool) -> None:
    """Show the event of the map in FILE, its time, distance and region on the sky."""
    from redpoll.crossmatch.sky_maps.read import read_sky_map

    sky_map = read_sky_map(file)
    facts = {"file": str(file), **_facts(sky_map)}
    if as_json:
        print_json(facts)
        return
    for line in _lines(facts):
        click.echo(line)

    def shade(cells: NDArray[np.int64]) -> NDArray[np.integer[Any]]:
        return 2 - np.searchsorted(_LEVELS, sky_map.credible_levels(cells))

    inside = sky_map.starts[sky_map.levels <= _LEVELS[-1]]
    for line in [*draw_sky(shade, _LETTERS, inside), legend(_LETTERS, _MEANINGS)]:
        click.echo(line)


def _facts(sky_map: Any) -> dict[str, Any]:
    from redpoll.crossmatch.sky_maps.sky_map import contour, depth_of

    distance, (ra, dec) = _distance(sky_map), _densest(sky_map)
    return {
        "event": sky_map.event,
        "mjd_tai": sky_map.mjd,
        "date_utc": None if sky_map.mjd is None else _date(sky_map.mjd),
        "distance_mpc": distance[0],
        "distance_err_mpc": distance[1],
        "ra": ra,
        "dec": dec,
        "area_50_deg2": contour(sky_map, 0.5)[1],
        "area_90_deg2": contour(sky_map, 0.9)[1],
        "cells": len(sky_map.starts),
        "finest_order": depth_of(sky_map),
    }


def _distance(sky_map: Any) -> tuple[float | None, float | None]:
    """Mean and standard deviation over the whole map."""
    from redpoll.crossmatch.sky_maps.distance import conditional_moments

    if sky_map.distances is None:
        return None, None
    mean, deviation = conditional_moments(sky_map.distances.mu, sky_map.distances.sigma)
    known = np.isfinite(mean) & (sky_map.probability > 0)
    if not known.any():
        return None, None
    weight = sky_map.probability[known] / sky_map.probability[known].sum()
    whole = float(weight @ mean[known])
    return whole, float(np.sqrt(weight @ (deviation[known] ** 2 + (mean[known] - whole) ** 2)))


def _densest(sky_map: Any) -> tuple[float, float]:
    """Centre of the cell of the highest density, ICRS [deg]."""
    from redpoll.astro.healpix import centres

    best = int(np.argmax(sky_map.density))
    order = int(sky_map.orders[best])
    ra, dec = centres(sky_map.starts[best : best + 1] >> 2 * (ORDER - order), order)
    return float(ra[0]), float(dec[0])


def _date(mjd_tai: float) -> str:
    from redpoll.astro.time import MJD_ZERO, utc_jd_from_tai_mjd

    milliseconds = round((float(utc_jd_from_tai_mjd(mjd_tai)) - MJD_ZERO) * 86_400_000)
    return str(np.datetime64("1858-11-17T00:00:00.000") + np.timedelta64(milliseconds, "ms"))


def _lines(facts: Mapping[str, Any]) -> list[str]:
    distance = "not in the map"
    if facts["distance_mpc"] is not None:
        distance = f"{facts['distance_mpc']:.4g} +- {facts['distance_err_mpc']:.3g} Mpc"
    return [
        f"event     {facts['event'] or 'not in the map'}",
        f"time      {facts['date_utc'] + ' UTC' if facts['date_utc'] else 'not in the map'}",
        f"distance  {distance}",
        f"position  most probable at ra {facts['ra']:.4f}, dec {facts['dec']:.4f}",
        f"area      {facts['area_50_deg2']:.4g} deg2 (50 %), {facts['area_90_deg2']:.4g} deg2 (90 %)",
        f"cells     {facts['cells']:,}, the finest of order {facts['finest_order']}",
    ]
