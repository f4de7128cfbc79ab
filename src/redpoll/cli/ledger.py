"""``redpoll ledger``: counts of received, stored, duplicate and rejected packets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import click

from redpoll.cli.options import config_option, json_option, store_of, store_option, verbose_option
from redpoll.cli.output import print_json, print_rows
from redpoll.config import Config
from redpoll.schema.table_rows import table_rows
from redpoll.store import open_store
from redpoll.store.ledger import OUTCOMES


@click.command(epilog="Example: redpoll ledger --last 7 --store my-store")
@click.option(
    "--by",
    type=click.Choice(["night", "run"]),
    default="night",
    show_default=True,
    help="One row per night or per run.",
)
@click.option("--last", type=click.IntRange(min=1), metavar="N", help="Only the newest N nights or runs.")
@store_option
@config_option
@json_option
@verbose_option
def command(
    by: Literal["night", "run"], last: int | None, store: Path | None, config: Config, as_json: bool
) -> None:  # fmt: skip
    """Show that received = stored + duplicate + rejected, with the reasons; the newest night or run comes last."""
    with open_store(store_of(store, config)) as opened:
        rows = newest_last(table_rows(opened.ledger.table(by=by)), by, last)
        runs = table_rows(opened.runs.table())
    if as_json:
        print_json(rows)
        return
    headings = {"survey": "survey", by: by, "received": "received", "stored": "= stored", "duplicate": "+ duplicate",
                "rejected": "+ rejected", "reasons": "reasons"}  # fmt: skip
    shown = [row | {by: str(row[by]) if row[by] else None} for row in rows]
    print_rows(shown, headings, total=total_of(rows) if len(rows) > 1 else None, none="No packet was received yet.")
    if runs and runs[0]["status"] != "done":
        click.echo(f"Run {runs[0]['run']}, the newest: {runs[0]['status']}", err=True)


def newest_last(rows: Sequence[dict[str, Any]], by: str, last: int | None) -> list[dict[str, Any]]:
    """Rows of the newest `last` nights or runs, oldest first; rows without a night come before all others.

    >>> [row["night"] for row in newest_last([{"night": n, "survey": "ztf"} for n in (3, 1, None, 2)], "night", 3)]
    [1, 2, 3]
    """
    ordered = sorted(rows, key=lambda row: (row[by] or 0, row["survey"] or ""))
    if last is None:
        return ordered
    chosen = sorted({row[by] or 0 for row in ordered})[-last:]
    return [row for row in ordered if (row[by] or 0) in chosen]


def total_of(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Sums of the outcomes and of the reasons over rows of the ledger."""
    reasons: Counter[str] = Counter()
    for row in rows:
        reasons.update(row["reasons"])
    return {"survey": "total", **{name: sum(row[name] for row in rows) for name in OUTCOMES}, "reasons": reasons}
