"""``redpoll region``: what a file of a sky region holds."""

from __future__ import annotations

from pathlib import Path

import click

from redpoll.cli.options import json_option, verbose_option
from redpoll.cli.output import print_json
from redpoll.cli.sky_plot import draw_sky


@click.group(epilog="Example: redpoll region info field.moc.fits")
def command() -> None:
    """Look at sky regions."""


@command.command(epilog="Example: redpoll region info field.moc.fits")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@json_option
@verbose_option
def info(file: Path, as_json: bool) -> None:
    """Show the area and position of the region in FILE: a MOC (FITS, JSON, text), or a circle or polygon in STC-S."""
    from redpoll.crossmatch.cells import area_deg2
    from redpoll.crossmatch.regions import open_region

    region = open_region("region", file)
    area = area_deg2(region.ranges)
    if as_json:
        print_json({"file": str(file), "area_deg2": area, "ranges": len(region.ranges), "version": region.version})
        return
    click.echo(f"{file}: {area:.5g} deg2 ({area / 412.53:.3g} % of the sky) in {len(region.ranges):,} ranges of cells")
    for line in draw_sky(lambda cells: region.contains(cells).astype(int), "·█", region.ranges[:, 0]):
        click.echo(line)
