"""``redpoll ledger``: what became of every packet."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from redpoll.cli.options import config_option, json_option, store_of, store_option, verbose_option
from redpoll.cli.output import print_json, print_rows
from redpoll.config import Config
from redpoll.store import open_store


@click.command(epilog="Example: redpoll ledger --by run --store my-store")
@click.option("--by", type=click.Choice(["night", "run"]), default="night", show_default=True, help="One row a ...")
@store_option
@config_option
@json_option
@verbose_option
def command(by: Literal["night", "run"], store: Path | None, config: Config, as_json: bool) -> None:
    """Show that received = stored + duplicate + rejected, with the reasons."""
    with open_store(store_of(store, config)) as opened:
        rows = opened.ledger.table(by=by).to_pylist(maps_as_pydicts="strict")
    if as_json:
        print_json(rows)
        return
    headings = {"survey": "survey", by: by, "received": "received", "stored": "= stored", "duplicate": "+ duplicate",
                "rejected": "+ rejected", "reasons": "reasons"}  # fmt: skip
    print_rows(
        [row | {by: str(row[by]) if row[by] else None} for row in rows], headings, none="No packet was received yet."
    )
