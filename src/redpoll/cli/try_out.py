"""``redpoll try``: a module or filter from a file of your own, on alerts of your own, with no packaging."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from redpoll.cli.options import catalogs_option, config_option, json_option, verbose_option, with_catalogs
from redpoll.cli.output import print_json, print_rows
from redpoll.config import Config
from redpoll.ingest.files import open_sources
from redpoll.pipeline.trial import Trial, try_file


@click.command("try", epilog="Example: redpoll try rise_rate.py --alerts night.tar.gz")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--alerts", "places", multiple=True, required=True, help="Packets to try it on; may be repeated.")
@click.option("--limit", type=click.IntRange(min=1), default=1000, show_default=True, help="Most packets to read.")
@click.option("--rows", type=click.IntRange(min=0), default=10, show_default=True, help="Rows to show.")
@catalogs_option
@config_option
@json_option
@verbose_option
def command(file: Path, places: tuple[str, ...], limit: int, rows: int, catalogs: Path | None, config: Config,
            as_json: bool) -> None:  # fmt: skip
    """Run the modules and filters in FILE on real packets and show what they answer.

    They may read the columns of the catalogues and of the installed modules too. Nothing is stored.
    """
    trial = try_file(file, open_sources(places), with_catalogs(config, catalogs), limit=limit)
    table = [_plain(row) for row in trial.rows[:rows]]
    if as_json:
        print_json({"summary": trial.summary(), "rows": table, "failures": trial.failures})
    else:
        _show(trial, table)
    if trial.failures:
        sys.exit(1)


def _show(trial: Trial, table: list[dict[str, Any]]) -> None:
    cost = trial.seconds * 1e6 / max(1, len(trial.rows))
    click.echo(f"{trial.n_packets:,} packets, {len(trial.rows):,} alerts, {cost:.1f} us an alert")
    print_rows(trial.summary(), {"column": "column", "answered": "answered", "least": "least", "median": "median",
                                 "most": "most"}, none="It makes no column.")  # fmt: skip
    if table:
        print_rows(table, {name: name for name in table[0]}, none="")
    for name, why in trial.failures.items():
        click.echo(f"{name} failed: {why}", err=True)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {k: str(v) if isinstance(v, int) and abs(v) > 2**53 else v for k, v in row.items()}
