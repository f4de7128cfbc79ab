"""Labelled data sets on the command line: the options that name them, and the features of a model for their alerts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from redpoll.cli.options import with_options

if TYPE_CHECKING:
    from redpoll.learn.features import FeatureTable


def dataset_options(command: Any, *, required: bool = True) -> Any:
    """``--dataset`` and ``--per-object``, to be given to `labelled_features`."""
    options = (
        click.option("--dataset", "datasets", multiple=True, required=required, metavar="DATA",
                     help="Table of labelled light curves, folder of a store, or simulate://...; may be repeated."),
        click.option("--per-object", type=click.IntRange(min=1), default=4, show_default=True, metavar="N",
                     help="Maximum number of alerts of an object."),
    )  # fmt: skip
    return with_options(command, options)


def kept_out_option(command: Any) -> Any:
    """``--kept-out F``: judge by the objects alone that training kept out."""
    return click.option(
        "--kept-out", type=click.FloatRange(0.01, 0.9), metavar="F",
        help="Judge by the objects alone that `redpoll train --test F` kept out.",
    )(command)  # fmt: skip


def labelled_features(name: str, datasets: Sequence[str], per_object: int) -> FeatureTable:
    """The features of a model for the alerts of several data sets."""
    return features_of_all([name], datasets, per_object)[0]


def features_of_all(names: Sequence[str], datasets: Sequence[str], per_object: int) -> list[FeatureTable]:
    """The features of several models, in their order; each data set is read once."""
    from redpoll.learn.dataset import open_dataset
    from redpoll.learn.features import features_of_models, joined_features

    tables = []
    for spec in datasets:
        click.echo(f"reading {spec}", err=True)
        tables.append(features_of_models(open_dataset(spec, per_object=per_object), names))
    return [joined_features(of_model) for of_model in zip(*tables, strict=True)]


def interval(figure: Sequence[float | None]) -> str:
    """A number with its interval.

    >>> interval([0.5, 0.25, None])
    '0.500 [0.250, -]'
    """
    value, low, high = (f"{x:.3f}" if x is not None else "-" for x in figure)
    return f"{value} [{low}, {high}]"
