"""``redpoll store``: check it, rebuild its index, sort its archive."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from redpoll.cli.options import config_option, json_option, store_of, store_option, verbose_option
from redpoll.cli.output import print_json, print_rows, progress
from redpoll.config import Config
from redpoll.store import open_store, rebuild_store


@click.group(epilog="Example: redpoll store check --store my-store")
def command() -> None:
    """Check, rebuild and compact a store."""


@command.command(epilog="Example: redpoll store check")
@store_option
@config_option
@json_option
@verbose_option
def check(store: Path | None, config: Config, as_json: bool) -> None:
    """Prove that every file, alert and packet is accounted for; exit code 1 if not."""
    with open_store(store_of(store, config)) as opened, progress("checking") as advance:
        report = opened.maintenance.check(progress=lambda what, done, total: advance(done, total))
    if as_json:
        print_json({**report.__dict__, "ok": report.ok})
    else:
        click.echo(f"{report.alerts:,} alerts of {report.objects:,} objects in {report.segments:,} segments and "
                   f"{report.pixels:,} pixels; {report.dead_letters:,} dead letters")  # fmt: skip
        click.echo("OK: no missing or duplicate alerts" if report.ok else "damaged:")
        for problem in report.problems:
            click.echo(f"  {problem}")
    if not report.ok:
        sys.exit(1)


@command.command("rebuild", epilog="Example: redpoll store rebuild --store my-store")
@store_option
@config_option
@json_option
@verbose_option
def rebuild_index(store: Path | None, config: Config, as_json: bool) -> None:
    """Rebuild the index from the archive alone."""
    with progress("rebuilding") as advance:
        result = rebuild_store(store_of(store, config), progress=lambda what, done, total: advance(done, total))
    if as_json:
        print_json(result.__dict__)
    else:
        click.echo("; ".join(f"{name}: {value}" for name, value in result.__dict__.items()))


@command.command(epilog="Example: redpoll store compact --store my-store")
@store_option
@config_option
@json_option
@verbose_option
def compact(store: Path | None, config: Config, as_json: bool) -> None:
    """Sort the archive by position on the sky into HATS catalogues, which LSDB reads."""
    with open_store(store_of(store, config), mode="write") as opened, progress("compacting") as advance:
        done = opened.maintenance.compact(progress=lambda what, done, total: advance(done, total))
    rows = [report.__dict__ for report in done]
    if as_json:
        print_json(rows)
    else:
        headings = {name: name for name in ("survey", "alerts", "parts", "pixels", "rewritten")}
        print_rows(rows, headings, none="Nothing to compact.")
