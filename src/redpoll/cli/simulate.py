"""``redpoll simulate``: nights of alerts with their true classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from redpoll.cli.options import json_option, verbose_option
from redpoll.cli.output import print_json, print_rows, progress
from redpoll.simulate import SimulationReport, simulate_night
from redpoll.simulate.instrument import INSTRUMENTS


@click.group(epilog="Example: redpoll simulate night --survey rubin --alerts 500 --seed 3 --out night")
def command() -> None:
    """Simulate alerts with known classes."""


@command.command(epilog="Example: redpoll simulate night --survey ztf --alerts 10000 --seed 1 --out night")
@click.option(
    "--survey", type=click.Choice(list(INSTRUMENTS)), default="ztf", show_default=True, help="Whose packets to write."
)
@click.option("--alerts", type=click.IntRange(min=1), default=1000, show_default=True, help="How many.")
@click.option("--night", "first", metavar="YYYYMMDD", help="The first night.  [default: ztf 20250921, rubin 20260310]")
@click.option("--nights", type=click.IntRange(min=1), default=1, show_default=True, help="Nights in a row.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same bytes.")
@click.option("--schema-version", metavar="X.Y", help="Of the packets.  [default: ztf 4.02, rubin 10.0]")
@click.option(
    "--layout", type=click.Choice(["archive", "files"]), default="archive", show_default=True, help="Of a night."
)
@click.option("--workers", type=click.IntRange(min=1), help="Processes.  [default: one a processor]")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder to write to.")
@json_option
@verbose_option
def night(survey: str, alerts: int, seed: int, out: Path, as_json: bool, first: str | None, **how: Any) -> None:
    """Write a night of packets in the survey's own schema and framing, and a truth table."""
    report = simulate_with_progress(out, survey=survey, n_alerts=alerts, seed=seed, night=first, **how)
    rows = [{"class": name, "n": n} for name, n in report.alerts_per_class.items()]
    if as_json:
        print_json(report.__dict__)
        return
    print_rows(rows, {"class": "class", "n": "alerts"}, title=f"{survey}, seed {seed}", none="")
    click.echo(f"{report.n_alerts:,} alerts of {report.n_objects:,} objects in {out} ({report.seconds:.1f} s)")


def simulate_with_progress(out: Path, *, survey: str, n_alerts: int, seed: int, **how: Any) -> SimulationReport:
    """Simulate with a progress bar on stderr; `how` goes to `simulate_night`."""
    with progress("simulating") as advance:
        return simulate_night(out, survey=survey, n_alerts=n_alerts, seed=seed, progress=advance, **how)
