"""``redpoll learn``: experiments of active learning on labelled data."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from redpoll.cli.options import json_option, verbose_option
from redpoll.cli.output import csv_bytes, print_json, print_rows, progress
from redpoll.cli.query import new_file
from redpoll.cli.training_data import dataset_options, interval, labelled_features
from redpoll.errors import UsageError

if TYPE_CHECKING:
    from redpoll.learn.active_loop import CurvePoint
    from redpoll.learn.loop_options import LoopOptions
    from redpoll.learn.query_table import QueryTable

_SHOWN = ("accuracy", "efficiency", "purity", "figure_of_merit")
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group(epilog="Example: redpoll learn replay --model early_sn_ia --dataset mine.parquet --plot curves.svg")
def command() -> None:
    """Learn which objects are worth a label."""


@command.command(
    epilog="Example: redpoll learn replay --features features.parquet --class sn_ia --strategy uncertainty "
    "--strategy random --seeds 10 --out curves.csv --plot curves.svg"
)
@click.option(
    "--features",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="Table of features with columns object_id and label, in place of --model and --dataset.",
)
@click.option("--columns", metavar="A,B", help="Its features.  [default: all other columns]")
@click.option("--model", metavar="NAME", help="Model whose features are used, such as early_sn_ia.")
@partial(dataset_options, required=False)
@click.option("--class", "positive", metavar="NAME", help="Class to find.  [default: the first of the model]")
@click.option(
    "--strategy",
    "strategies",
    multiple=True,
    default=("uncertainty", "random"),
    show_default=True,
    metavar="NAME",
    help="Query strategy; may be repeated, or 'all'.",
)
@click.option("--queries", type=click.IntRange(1), default=300, show_default=True, help="Labels to ask for.")
@click.option("--batch", type=click.IntRange(1), default=1, show_default=True, help="Labels between two fits.")
@click.option("--every", type=click.IntRange(1), default=10, show_default=True, help="Labels between measurements.")
@click.option(
    "--initial",
    type=click.IntRange(2),
    default=10,
    show_default=True,
    help="Labels at the beginning, half of them of the class, where the table names none.",
)
@click.option(
    "--test",
    "test_fraction",
    type=click.FloatRange(0.01, 0.9),
    default=0.25,
    show_default=True,
    metavar="F",
    help="Fraction of the objects to judge by, where the table names none.",
)
@click.option(
    "--audit",
    type=click.FloatRange(0, 0.9),
    default=0.0,
    show_default=True,
    metavar="F",
    help="Fraction of the labels that is drawn at random for unbiased estimates.",
)
@click.option(
    "--learner",
    type=click.Choice(("forest", "boosting")),
    default="forest",
    show_default=True,
    help="Classifier that is fitted again and again.",
)
@click.option("--trees", type=click.IntRange(1, 5000), default=50, show_default=True, help="Number of its trees.")
@click.option("--similar-by", metavar="A,B", help="Features that canonical and density compare.  [default: all]")
@click.option(
    "--budget",
    type=click.FloatRange(0, min_open=True),
    metavar="X",
    help="Highest total cost of a batch, for the strategy 'budgeted'.",
)
@click.option("--nights", "by_night", is_flag=True, help="Objects become known night by night, one batch a night.")
@click.option("--mag-limit", type=float, metavar="MAG", help="Ask only for objects this bright.")
@click.option(
    "--recent",
    "recent_days",
    type=click.FloatRange(0, min_open=True),
    metavar="DAYS",
    help="Ask only for objects seen within so many days.",
)
@click.option("--seeds", type=click.IntRange(1, 10_000), default=5, show_default=True, help="Number of realisations.")
@click.option("--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="Number of processes.")
@click.option("--out", type=_FILE, metavar="FILE", help="Write all measurements, .csv or .json.")
@click.option("--plot", type=_FILE, metavar="FILE", help="Draw the learning curves, .svg or .png.")
@click.option(
    "--against",
    type=click.Choice(("queries", "cost", "night")),
    default="queries",
    show_default=True,
    help="What runs from left to right on the plot.",
)
@click.option("--force", is_flag=True, help="Replace files that exist.")
@json_option
@verbose_option
def replay(
    features: Path | None, columns: str | None, model: str | None, datasets: tuple[str, ...], per_object: int,
    strategies: tuple[str, ...], seeds: int, workers: int, out: Path | None, plot: Path | None, against: str,
    force: bool, as_json: bool, **given: Any,
) -> None:  # fmt: skip
    """Replay active learning on labelled objects, and measure it on others that are never asked for.

    Ctrl-C stops early: what is done by then is written. The strategies are random, canonical, uncertainty, margin,
    entropy, committee, bald, density, cost and budgeted.
    """
    from redpoll.learn.curve_plot import drawn_curves, plot_format
    from redpoll.learn.learning_curves import ends, in_order, summary

    _check_files(out, plot, force=force)
    names = _strategies(strategies, given["budget"])
    table, positive = _table(features, columns, model, datasets, per_object, given["positive"])
    options = _options(given | {"positive": positive})
    curves = in_order(_run(table, options, names, seeds, workers), names)
    if not curves:
        raise click.Abort
    if out is not None:
        with new_file(out, force=force) as file:
            file.write(_written(out, curves))
    if plot is not None:
        with new_file(plot, force=force) as file:
            file.write(drawn_curves(curves, plot_format(plot), title=f"class {options.positive}", against=against))
    if as_json:
        print_json({"ends": ends(curves), "curves": summary(curves)})
        return
    _show(ends(curves), table)


def _run(
    table: QueryTable, options: LoopOptions, names: Sequence[str], seeds: int, workers: int
) -> Iterator[list[CurvePoint]]:
    """The curves that are done, until all are or the user stops."""
    from redpoll.learn.realisations import realisations

    runs = realisations(table, options, names, range(seeds), workers=workers)
    total, done = seeds * len(names), 0
    try:
        with progress("realisations") as advance:
            advance(0, total)
            for curve in runs:
                done += 1
                advance(done, total)
                yield curve
    except KeyboardInterrupt:
        click.echo(f"stopped: {done} of {total} realisations are done", err=True)


def _table(
    features: Path | None, columns: str | None, model: str | None, datasets: Sequence[str], per_object: int,
    positive: str | None,
) -> tuple[QueryTable, str]:  # fmt: skip
    """The rows of the experiment, and the class to find."""
    if features is not None:
        if datasets or model:
            raise UsageError("use either --features, or --model with --dataset")
        if positive is None:
            raise UsageError("--features needs --class NAME, one of its labels")
        from redpoll.learn.query_table_file import read_query_table

        return read_query_table(features, _listed(columns)), positive
    if not datasets or not model:
        raise UsageError("an experiment needs --features FILE, or --model NAME and --dataset DATA")
    from redpoll.learn.model_inputs import ModelInputs
    from redpoll.learn.model_training import classes_of, scored_rows
    from redpoll.learn.query_rows import query_table

    classes = classes_of(ModelInputs(model).module)
    rows, target = scored_rows(labelled_features(model, datasets, per_object), classes)
    return query_table(rows, target), positive or classes[0]


def _options(given: dict[str, Any]) -> LoopOptions:
    from redpoll.learn.loop_options import LoopOptions

    names = {each.name for each in fields(LoopOptions)}
    chosen = {name: value for name, value in given.items() if name in names and value is not None}
    return LoopOptions(**(chosen | {"similar_by": _listed(given["similar_by"])}))


def _strategies(names: Sequence[str], budget: float | None) -> list[str]:
    """The strategies to run; "all" leaves out the one that needs a budget where there is none."""
    from redpoll.learn.weighted_strategies import STRATEGIES, strategy_of

    if "all" in names:
        return [name for name in STRATEGIES if name != "budgeted" or budget is not None]
    for name in names:
        strategy_of(name)
    return list(dict.fromkeys(names))


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip()) if text else ()


def _check_files(out: Path | None, plot: Path | None, *, force: bool) -> None:
    """Refuse what could not be written, before hours of work."""
    from redpoll.learn.curve_plot import plot_format
    from redpoll.learn.drawing import require_plots

    if out is not None and out.suffix.lower() not in (".csv", ".json"):
        raise UsageError(f"{out}: a table of measurements is a file that ends in .csv or .json")
    if plot is not None:
        plot_format(plot)
        require_plots()
    for path in (out, plot):
        if path is not None and path.exists() and not force:
            raise UsageError(f"{path} exists; use --force to replace it")
        if path is not None and not path.parent.is_dir():
            raise UsageError(f"there is no folder {path.parent}")


def _written(path: Path, curves: Sequence[Sequence[CurvePoint]]) -> bytes:
    rows = [asdict(point) for curve in curves for point in curve]
    if path.suffix.lower() == ".json":
        return (json.dumps(rows, indent=1, allow_nan=False) + "\n").encode()
    return csv_bytes(rows, list(rows[0]))


def _show(found: Sequence[dict[str, Any]], table: QueryTable) -> None:
    rows = [
        {"strategy": row["strategy"], "seeds": row["realisations"], "queries": row["queries"], "cost": row["cost"]}
        | {name: interval([row[name], row[f"{name}_low"], row[f"{name}_high"]]) for name in _SHOWN}
        for row in found
    ]
    headings = {name: name.replace("_", " ") for name in rows[0]}
    n = len(set(table.object_id.tolist()))
    print_rows(rows, headings, title=f"ends of the curves, of {n:,} objects; 95 % of the realisations", none="")
