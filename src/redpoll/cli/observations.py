"""``redpoll observations``: what came of follow-up observations."""

from __future__ import annotations

from pathlib import Path

import click

from redpoll.cli.models import by_option
from redpoll.cli.options import config_option, json_option, store_of, store_option, verbose_option
from redpoll.cli.output import print_json
from redpoll.config import Config
from redpoll.store.app import open_app


@click.group(epilog="Example: redpoll observations import plan.csv --store my-store")
def command() -> None:
    """Bring the results of observations back as labels."""


@command.command("import", epilog="Example: redpoll observations import plan.csv --by ada --store my-store")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--survey", metavar="NAME", help="Survey of rows that do not name one.")
@by_option
@store_option
@config_option
@json_option
@verbose_option
def import_(file: Path, survey: str | None, by: str, store: Path | None, config: Config, as_json: bool) -> None:
    """Add the classifications in FILE as labels: the plan of `redpoll recommend`, its column label filled in.

    Rows without a label were not observed, or told nothing; they are counted. A classification that is in the store
    already is not added again; where the same person gave another one before, that is taken back.
    """
    from redpoll.learn.followup.observation_file import read_observations
    from redpoll.learn.label_classes import label_class
    from redpoll.learn.label_store import import_labels

    observed = read_observations(file, survey=survey, by=by)
    with open_app(store_of(store, config)) as app:
        done = import_labels(app.labels, observed.labels, replace=True)
    unknown = sorted({row.label for row in observed.labels if label_class(row.label, row.source, row.by) is None})
    if as_json:
        print_json({"added": done.added, "unchanged": done.unchanged, "taken_back": done.taken_back,
                    "without_label": observed.n_without, "words_without_class": unknown})  # fmt: skip
        return
    click.echo(f"{done.added:,} labels added, {done.unchanged:,} were there, {done.taken_back:,} taken back; "
               f"{observed.n_without:,} rows without a label")  # fmt: skip
    if unknown:
        click.echo(f"redpoll: words without a class: {', '.join(unknown[:20])}", err=True)
