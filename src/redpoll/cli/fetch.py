"""``redpoll fetch``: real nights from public archives."""

from __future__ import annotations

from pathlib import Path

import click

from redpoll.cli.options import verbose_option
from redpoll.cli.output import progress
from redpoll.ingest.fetch import ZTF_ARCHIVE, fetch_ztf_night


@click.group(epilog="Example: redpoll fetch ztf 20260320 --out nights")
def command() -> None:
    """Download real alerts."""


@command.command(epilog="Example: redpoll fetch ztf 20260320 --out nights && redpoll run nights")
@click.argument("night")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("nights"), show_default=True,
              help="Folder to put it in.")  # fmt: skip
@click.option("--url", default=ZTF_ARCHIVE, show_default=True, help="Address of the archive or a mirror.")
@verbose_option
def ztf(night: str, out: Path, url: str) -> None:
    """Download the public ZTF alerts of NIGHT (UTC date, YYYYMMDD); a cut download is resumed."""
    with progress(f"ztf {night}", in_bytes=True) as advance:
        path = fetch_ztf_night(night, out, base_url=url, progress=advance)
    click.echo(path)
