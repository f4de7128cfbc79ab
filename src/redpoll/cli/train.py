"""``redpoll train``: a model from labelled light curves."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from redpoll.cli.models import card_bytes
from redpoll.cli.options import json_option, verbose_option
from redpoll.cli.output import print_json, print_rows
from redpoll.cli.query import write_files
from redpoll.cli.training_data import dataset_options, features_of_all, interval

if TYPE_CHECKING:
    from redpoll.learn.features import FeatureTable
    from redpoll.learn.training import TrainingOptions

_METRICS = ("AUC", "efficiency", "purity", "figure of merit", "calibration error")


@click.command(epilog="Example: redpoll train early_sn_ia --dataset 'simulate://ztf?alerts=20000&seed=1' --out models")
@click.argument("name")
@partial(dataset_options, required=False)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default="models", show_default=True,
              metavar="DIR", help="Folder of the model and its card.")  # fmt: skip
@click.option("--rounds", type=click.IntRange(5, 2000), default=300, show_default=True, metavar="N",
              help="Most rounds of boosting; fewer are used if more do not help.")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Seed of the training.")
@click.option("--test", "test_fraction", type=click.FloatRange(0.01, 0.9), default=0.25, show_default=True,
              metavar="F", help="Fraction of the objects to judge by.")  # fmt: skip
@click.option("--force", is_flag=True, help="Replace the files of a model of the same version.")
@json_option
@verbose_option
def command(
    name: str, datasets: tuple[str, ...], out: Path, rounds: int, seed: int, test_fraction: float, per_object: int,
    force: bool, as_json: bool,
) -> None:  # fmt: skip
    """Train the model NAME, or all that Redpoll ships, and judge it on objects that were kept out of training.

    Without --dataset it is trained on simulated nights of both surveys, as the shipped models were.

    Writes NAME-VERSION.forest and its card NAME-VERSION.json, which `redpoll models import` takes, and the rows of the
    training set, NAME-VERSION.rows.parquet.
    """
    from redpoll.learn.defaults import DATA_SETS, MODELS
    from redpoll.learn.model_training import described_command
    from redpoll.learn.training import TrainingOptions

    options, used = TrainingOptions(max_rounds=rounds, seed=seed), datasets or DATA_SETS
    cards = []
    for table in features_of_all(MODELS if name == "all" else (name,), used, per_object):
        how = described_command(table.model, datasets, options, test_fraction, per_object)
        cards.append(_train(table, how, options, test_fraction, out, force, quiet=as_json))
    if as_json:
        print_json(cards if name == "all" else cards[0])


def _train(
    table: FeatureTable, command: str, options: TrainingOptions, test_fraction: float, out: Path, force: bool, *,
    quiet: bool,
) -> dict[str, Any]:  # fmt: skip
    """Train one model, write its files, show its figures; returns its card."""
    from redpoll.learn.model_training import train_model

    made = train_model(
        table, options=options, test_fraction=test_fraction, command=command,
        step=lambda what: click.echo(f"{table.model}: {what}", err=True),
    )  # fmt: skip
    stem = out / f"{made.name}-{made.version}"
    files = {stem.with_suffix(".forest"): made.data, stem.with_suffix(".json"): card_bytes(made.card)}
    write_files(files, force=force)
    made.training_set.save(stem.with_suffix(".rows.parquet"))
    if not quiet:
        show_judged(made.card["judged"], title=f"{made.name} {made.version} on objects kept out of training")
        click.echo(f"{stem}.forest, {len(made.data):,} bytes; redpoll models import {stem}.forest --card {stem}.json")
    return made.card


def show_judged(found: dict[str, Any], *, title: str) -> None:
    """The figures of each class as a table."""
    rows = [
        {"class": name} | {metric: interval(each["metrics"][metric]) for metric in _METRICS}
        for name, each in found["classes"].items()
    ]
    headings = {"class": "class", **{metric: metric for metric in _METRICS}}
    print_rows(rows, headings, title=f"{title}: {found['alerts']:,} alerts, {found['objects']:,} objects", none="")
