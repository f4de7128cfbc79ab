"""``redpoll try``: a module or filter from a file of your own, on alerts of your own, with no packaging."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from redpoll.cli.options import (
    catalogs_option,
    config_option,
    json_option,
    used_store_option,
    verbose_option,
    with_catalogs,
)
from redpoll.cli.output import print_json, print_rows
from redpoll.config import Config
from redpoll.ingest.files import open_sources
from redpoll.pipeline.trial import Trial, try_out
from redpoll.schema.names import PASS


@click.command("try", epilog='Example: redpoll try --expr "mag < 18 and is_positive" --passing --alerts night.tar.gz')
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("--alerts", "inputs", multiple=True, required=True, help="Packets to try it on; may be repeated.")
@click.option("--expr", "expression", help='A filter in one line, such as "mag < 18"; alone or beside FILE.')
@click.option("--passing", is_flag=True, help="Show only alerts that pass a filter of FILE or the expression.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=1000, show_default=True, help="Maximum number of packets to read."
)
@click.option("--rows", type=click.IntRange(min=0), default=10, show_default=True, help="Rows to show.")
@used_store_option
@catalogs_option
@config_option
@json_option
@verbose_option
def command(file: Path | None, inputs: tuple[str, ...], expression: str | None, passing: bool, limit: int, rows: int,
            store: Path | None, catalogs: Path | None, config: Config, as_json: bool) -> None:  # fmt: skip
    """Run the modules and filters in FILE, or an expression, on real packets and show their columns.

    They may read the columns of the catalogues and of the installed modules too. Quality cuts are not applied. Nothing
    is stored.
    """
    if file is None and expression is None:
        raise click.UsageError("nothing to try: give a FILE, an expression with --expr, or both")
    trial = try_out(
        open_sources(inputs), with_catalogs(config, catalogs), file=file, expression=expression, passing=passing,
        store=store, limit=limit,
    )  # fmt: skip
    if passing and not any(name.startswith(PASS) for name in trial.columns):
        raise click.UsageError(f"--passing: {file} has no filter; add one with --expr")
    table = [_plain(row) for row in trial.rows[:rows]]
    if as_json:
        print_json({"summary": trial.summary(), "rows": table, "failures": trial.failures,
                    "source_errors": trial.source_errors})  # fmt: skip
    else:
        _show(trial, table)
    if trial.failures or trial.source_errors:
        sys.exit(1)


def _show(trial: Trial, table: list[dict[str, Any]]) -> None:
    cost = trial.seconds * 1e6 / max(1, trial.n_alerts)
    shown = f", {len(trial.rows):,} of them pass" if len(trial.rows) != trial.n_alerts else ""
    click.echo(f"{trial.n_packets:,} packets, {trial.n_alerts:,} alerts{shown}, {cost:.1f} us an alert")
    print_rows(trial.summary(), {"column": "column", "non_null": "non-null", "min": "min", "median": "median",
                                 "max": "max"}, none="It makes no column.")  # fmt: skip
    if table:
        print_rows(table, {name: name for name in table[0]}, none="")
    for name, why in trial.failures.items():
        click.echo(f"{name} failed: {why}", err=True)
    for error in trial.source_errors:
        click.echo(f"not read to its end: {error}", err=True)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {k: str(v) if isinstance(v, int) and abs(v) > 2**53 else v for k, v in row.items()}
