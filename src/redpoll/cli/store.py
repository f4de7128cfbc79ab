"""``redpoll store``: check, rebuild, compact, upgrade, back up and restore a store."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from redpoll.cli.options import config_option, json_option, store_of, store_option, verbose_option
from redpoll.cli.output import Advance, print_json, print_rows, progress
from redpoll.config import Config
from redpoll.store import open_store, rebuild_store
from redpoll.store.backup import backup, restore
from redpoll.store.rebuild import Rebuilt
from redpoll.store.records import Progress, Report
from redpoll.store.upgrade import upgrade


@click.group(epilog="Example: redpoll store check --store my-store")
def command() -> None:
    """Check, rebuild, compact, upgrade, back up and restore a store."""


@command.command(epilog="Example: redpoll store check --deep")
@click.option("--deep", is_flag=True, help="Compare every column too: the time of a rebuild, and its space in TMPDIR.")
@store_option
@config_option
@json_option
@verbose_option
def check(deep: bool, store: Path | None, config: Config, as_json: bool) -> None:
    """Prove that every file, alert and packet is accounted for; exit code 1 if not."""
    with open_store(store_of(store, config)) as opened, progress("checking") as advance:
        report = opened.maintenance.check(deep=deep, progress=_noted(advance))
    if as_json:
        print_json({**report.__dict__, "ok": report.ok})
    else:
        _print_report(report)
    if not report.ok:
        sys.exit(1)


@command.command("rebuild", epilog="Example: redpoll store rebuild --store my-store")
@store_option
@config_option
@json_option
@verbose_option
def rebuild_index(store: Path | None, config: Config, as_json: bool) -> None:
    """Rebuild the index from the archive; exit code 1 if files are missing or damaged, which are named.

    Labels, models, filters and watchlists are not touched.
    """
    with progress("rebuilding") as advance:
        result = rebuild_store(store_of(store, config), progress=_noted(advance))
    if as_json:
        print_json({**result.__dict__, "ok": result.ok})
    else:
        _print_rebuilt(result)
    if not result.ok:
        sys.exit(1)


@command.command(epilog="Example: redpoll store compact --store my-store")
@store_option
@config_option
@json_option
@verbose_option
def compact(store: Path | None, config: Config, as_json: bool) -> None:
    """Sort the archive by position on the sky into HATS catalogues, which LSDB reads.

    Segments that cannot be read stay where they are and are named; the exit code is then 1.
    """
    with open_store(store_of(store, config), mode="write") as opened, progress("compacting") as advance:
        done = opened.maintenance.compact(progress=_noted(advance))
    rows = [report.__dict__ for report in done]
    if as_json:
        print_json(rows)
    else:
        headings = {name: name for name in ("survey", "alerts", "segments", "pixels", "rewritten", "damaged")}
        print_rows(rows, headings, none="Nothing to compact.")
    if any(report.damaged for report in done):
        sys.exit(1)


@command.command("upgrade", epilog="Example: redpoll store upgrade --store my-store")
@store_option
@config_option
@json_option
@verbose_option
def upgrade_store(store: Path | None, config: Config, as_json: bool) -> None:
    """Bring the databases of a store to the schema numbers of this Redpoll; no other process may have it open."""
    with progress("upgrading") as advance:
        done = upgrade(store_of(store, config), progress=_noted(advance))
    if as_json:
        print_json([file.__dict__ for file in done])
        return
    for file in done:
        changed = f"number {file.before} -> {file.after}" if file.before != file.after else f"number {file.after}"
        click.echo(f"{file.file}  {changed}")


@command.command("backup", epilog="Example: redpoll store backup backups/2026-11-30 --store my-store")
@click.argument("destination", type=click.Path(path_type=Path), metavar="DEST")
@click.option("--copy", is_flag=True, help="Copy the archive also where hard links are possible.")
@store_option
@config_option
@json_option
@verbose_option
def backup_store(destination: Path, copy: bool, store: Path | None, config: Config, as_json: bool) -> None:
    """Copy a store to the new folder DEST, also while a run writes to it.

    Index, labels, models, dead letters and archive are those of one moment. On the same file system the files of the
    archive, which never change, are hard links: that protects from mistakes, not from a broken disk. Messages that
    wait for a parked sink (the folder `spool`) are not part of it: from an old copy they would be sent twice.
    """
    with progress("backing up") as advance:
        done = backup(store_of(store, config), destination, copy=copy, progress=_noted(advance))
    if as_json:
        print_json(done.__dict__)
    else:
        click.echo(f"{done.alerts:,} alerts in {done.files:,} files, {done.n_bytes / 1e6:,.1f} MB; "
                   f"{done.linked:,} of them are hard links")  # fmt: skip


@command.command("restore", epilog="Example: redpoll store restore backups/2026-11-30 --store new-store")
@click.argument("source", type=click.Path(path_type=Path, file_okay=False), metavar="SRC")
@store_option
@config_option
@json_option
@verbose_option
def restore_store(source: Path, store: Path | None, config: Config, as_json: bool) -> None:
    """Write the backup SRC to the new folder of a store, and check it; exit code 1 if anything is damaged."""
    with progress("restoring") as advance:

        def check(folder: Path) -> Report:
            with open_store(folder) as opened:
                return opened.maintenance.check(progress=_noted(advance))

        done = restore(source, store_of(store, config), check=check, progress=_noted(advance))
    if as_json:
        print_json({"ok": done.ok, "damaged": done.damaged, **done.report.__dict__})
    else:
        for name in done.damaged:
            click.echo(f"  {name}")
        _print_report(done.report)
    if not done.ok:
        sys.exit(1)


def _noted(advance: Advance) -> Progress:
    """Callback by which the store moves a progress bar."""
    return lambda what, done, total: advance(done, total, what)


def _print_rebuilt(result: Rebuilt) -> None:
    click.echo(f"{result.alerts:,} alerts in {result.segments:,} segments")
    if result.kept:
        click.echo(f"copied from the old index: {', '.join(result.kept)}")
    if result.not_kept:
        click.echo(f"not in the archive, and not readable in the old index: {', '.join(result.not_kept)}")
    for name in result.missing:
        click.echo(f"missing: archive/{name}")
    for name in result.damaged:
        click.echo(f"damaged, moved to archive/damaged: {name}")
    if result.lost:
        click.echo(f"{result.lost:,} alerts are in no file that can be read: run their packets again")


def _print_report(report: Report) -> None:
    click.echo(f"{report.alerts:,} alerts of {report.objects:,} objects in {report.segments:,} segments and "
               f"{report.pixels:,} pixels; {report.dead_letters:,} dead letters")  # fmt: skip
    click.echo("OK: no missing or duplicate alerts" if report.ok else "damaged:")
    for problem in report.problems:
        click.echo(f"  {problem}")
