"""``redpoll train``: a model from labelled light curves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from redpoll.cli.options import json_option, verbose_option
from redpoll.cli.output import print_json, print_rows
from redpoll.cli.query import new_file

if TYPE_CHECKING:
    from redpoll.learn.features import FeatureTable


def dataset_options(command: Any) -> Any:
    """``--dataset`` and ``--per-object``, to be given to `labelled_features`."""
    options = (
        click.option("--dataset", "datasets", multiple=True, required=True, metavar="DATA",
                     help="Table of labelled light curves, folder of a store, or simulate://...; may be repeated."),
        click.option("--per-object", type=click.IntRange(min=1), default=4, show_default=True, metavar="N",
                     help="Maximum number of alerts of an object."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


_METRICS = ("AUC", "efficiency", "purity", "figure of merit", "calibration error")


@click.command(epilog="Example: redpoll train early_sn_ia --dataset 'simulate://ztf?alerts=20000&seed=1' --out models")
@click.argument("name")
@dataset_options
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default="models", show_default=True,
              metavar="DIR", help="Folder of the model and its card.")  # fmt: skip
@click.option("--trees", type=click.IntRange(10, 5000), default=300, show_default=True, metavar="N",
              help="Number of trees.")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Seed of the training.")
@click.option("--test", "test_fraction", type=click.FloatRange(0.01, 0.9), default=0.25, show_default=True,
              metavar="F", help="Fraction of the objects to judge by.")  # fmt: skip
@click.option("--force", is_flag=True, help="Replace the files of a model of the same version.")
@json_option
@verbose_option
def command(
    name: str, datasets: tuple[str, ...], out: Path, trees: int, seed: int, test_fraction: float, per_object: int,
    force: bool, as_json: bool,
) -> None:  # fmt: skip
    """Train the model NAME on labelled alerts and judge it on objects that were kept out of training.

    Writes NAME-VERSION.forest and its card NAME-VERSION.json, which `redpoll model register` takes, and the rows of the
    training set, NAME-VERSION.rows.parquet.
    """
    from redpoll.learn.model_training import described_command, train_model
    from redpoll.learn.training import TrainingOptions

    options = TrainingOptions(n_trees=trees, seed=seed)
    made = train_model(
        labelled_features(name, datasets, per_object), options=options, test_fraction=test_fraction,
        command=described_command(name, datasets, options, test_fraction, per_object),
        step=lambda what: click.echo(what, err=True),
    )  # fmt: skip
    out.mkdir(parents=True, exist_ok=True)
    stem = out / f"{made.name}-{made.version}"
    for path, data in ((stem.with_suffix(".forest"), made.data), (stem.with_suffix(".json"), _text(made.card))):
        with new_file(path, force=force) as file:
            file.write(data)
    made.training_set.save(stem.with_suffix(".rows.parquet"))
    if as_json:
        print_json(made.card)
        return
    show_judged(made.card["judged"], title=f"{made.name} {made.version} on objects kept out of training")
    click.echo(f"{stem}.forest, {len(made.data):,} bytes; redpoll model register {stem}.forest --card {stem}.json")


def labelled_features(name: str, datasets: Sequence[str], per_object: int) -> FeatureTable:
    """The features of a model for the alerts of several data sets."""
    from redpoll.learn.dataset import open_dataset
    from redpoll.learn.features import feature_rows, joined_features

    tables = []
    for spec in datasets:
        click.echo(f"reading {spec}", err=True)
        tables.append(feature_rows(open_dataset(spec, per_object=per_object), name))
    return joined_features(tables)


def show_judged(found: dict[str, Any], *, title: str) -> None:
    """The figures of each class as a table."""
    rows = [
        {"class": name} | {metric: _interval(each["metrics"][metric]) for metric in _METRICS}
        for name, each in found["classes"].items()
    ]
    headings = {"class": "class", **{metric: metric for metric in _METRICS}}
    print_rows(rows, headings, title=f"{title}: {found['alerts']:,} alerts, {found['objects']:,} objects", none="")


def _interval(figure: list[float | None]) -> str:
    value, low, high = (f"{x:.3f}" if x is not None else "-" for x in figure)
    return f"{value} [{low}, {high}]"


def _text(card: dict[str, Any]) -> bytes:
    return (json.dumps(card, indent=2, sort_keys=True, allow_nan=False) + "\n").encode()
