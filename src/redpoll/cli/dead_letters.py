"""``redpoll dead-letters``: packets that could not be used."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from redpoll.cli.options import config_option, json_option, store_of, store_option, verbose_option
from redpoll.cli.output import print_json, print_rows
from redpoll.cli.run import show
from redpoll.config import Config
from redpoll.log import plain_text
from redpoll.pipeline.replay import replay_dead_letters
from redpoll.store import open_store

_MAX_DAYS = 36_500


@click.group(epilog="Example: redpoll dead-letters list --store my-store")
def command() -> None:
    """Look at packets that could not be used, and try them again."""


@command.command("list", epilog="Example: redpoll dead-letters list --limit 20")
@click.option(
    "--limit", type=click.IntRange(min=1), default=100, show_default=True, help="Maximum number of rows to show."
)
@store_option
@config_option
@json_option
@verbose_option
def list_letters(limit: int, store: Path | None, config: Config, as_json: bool) -> None:
    """List them, newest first."""
    with open_store(store_of(store, config)) as opened:
        rows = opened.dead_letters.table(limit=limit).to_pylist()
        dropped = opened.dead_letters.dropped().to_pylist()
    if as_json:
        print_json(rows)
        return
    for row in dropped:
        click.echo(f"dropped, as the limit dead_letters.max_bytes was reached: {row['n']:,} ({row['n_bytes']:,} bytes) "
                   f"{row['reason']}", err=True)  # fmt: skip
    headings = {name: name for name in ("id", "received", "reason", "source", "position", "n_bytes")}
    print_rows(rows, headings, none="No dead letters.")


@command.command("show", epilog="Example: redpoll dead-letters show 3 --raw > packet.avro")
@click.argument("number", type=int)
@click.option("--raw", is_flag=True, help="Write the packet's bytes, and nothing else, to stdout.")
@store_option
@config_option
@verbose_option
def show_letter(number: int, raw: bool, store: Path | None, config: Config) -> None:
    """Show one: where it came from, why, and its first bytes."""
    with open_store(store_of(store, config)) as opened:
        letter = opened.dead_letters.get(number)
    if raw:
        sys.stdout.buffer.write(letter.data)
        return
    for name in ("id", "received", "source", "position", "reason"):
        click.echo(f"{name:10}{plain_text(str(getattr(letter, name)))}")
    click.echo(f"{'bytes':10}{len(letter.data):,}")
    for line in _hex_lines(letter.data[:256]):
        click.echo(line)


@command.command(epilog="Example: redpoll dead-letters replay --config with-schemas.toml")
@store_option
@config_option
@json_option
@verbose_option
def replay(store: Path | None, config: Config, as_json: bool) -> None:
    """Process all dead letters again; those that can be used now leave the list."""
    report = replay_dead_letters(store_of(store, config), config)
    if as_json:
        print_json(report.as_dict())
    else:
        show(report)
    sys.exit(report.exit_code)


@command.command(epilog="Example: redpoll dead-letters purge --older-than 30")
@click.option("--older-than", type=click.FloatRange(min=0), metavar="DAYS", help="Only those received before that.")
@click.option("--reason", metavar="TEXT", help="Only those with this reason, as `list` shows it.")
@click.option("--all", "everything", is_flag=True, help="All of them.")
@store_option
@config_option
@json_option
@verbose_option
def purge(
    older_than: float | None, reason: str | None, everything: bool, store: Path | None, config: Config, as_json: bool
) -> None:
    """Remove dead letters for good, also while a run writes; the ledger keeps their counts."""
    if everything == (older_than is not None or reason is not None):
        raise click.UsageError("name which to remove: --older-than DAYS, --reason TEXT or both; or --all")
    if older_than is not None and not older_than <= _MAX_DAYS:  # NaN too
        raise click.UsageError(f"--older-than: expected 0 to {_MAX_DAYS:,} days, got {older_than}")
    before = None if older_than is None else datetime.now(UTC) - timedelta(days=older_than)
    with open_store(store_of(store, config)) as opened:
        n = opened.dead_letters.remove(reason=reason, before=before)
    if as_json:
        print_json({"removed": n})
    else:
        click.echo(f"{n:,} dead letters removed")


def _hex_lines(data: bytes) -> Iterator[str]:
    for start in range(0, len(data), 16):
        row = data[start : start + 16]
        text = "".join(chr(b) if 32 <= b < 127 else "." for b in row)
        yield f"  {start:06x}  {row.hex(' '):<47}  {text}"
