"""``redpoll models``: trained models of a store, and which of them score alerts."""

from __future__ import annotations

import getpass
import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from redpoll.cli.options import config_option, json_option, store_of, store_option, verbose_option
from redpoll.cli.output import print_json, print_rows, utc_text
from redpoll.cli.query import new_file, write_files
from redpoll.cli.training_data import dataset_options, interval, kept_out_option, labelled_features
from redpoll.config import Config
from redpoll.errors import ModelError, UsageError
from redpoll.log import plain_text
from redpoll.pipeline.assemble import build_graph
from redpoll.pipeline.models import model_validator
from redpoll.pipeline.shipped import adopt, known_versions, model_of, version_row
from redpoll.plugin.forest_file import is_forest
from redpoll.plugin.model_card import MAX_CARD_BYTES, parse_card
from redpoll.plugin.model_file import MAX_MODEL_BYTES, open_model
from redpoll.store.app import NewModel, open_app

_HEADINGS = {"name": "name", "version": "version", "stage": "stage", "n_bytes": "bytes", "created": "registered (UTC)",
             "by": "by"}  # fmt: skip
_METRICS = ("AUC", "efficiency", "purity", "figure of merit", "Brier score", "calibration error")


def user_name() -> str:
    """The user of this machine."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no such user in a container
        return "unknown"


def by_option(command: Any) -> Any:
    """``--by NAME``: who registers or promotes, by default the user of this machine."""
    return click.option("--by", default=user_name, metavar="NAME", help="Who does it.  [default: user name]")(command)


@click.group(epilog="Example: redpoll models list --store my-store")
def command() -> None:
    """Register trained models, and choose which version scores alerts; also while a run goes on."""


@command.command("list", epilog="Example: redpoll models list")
@click.argument("name", required=False)
@store_option
@config_option
@json_option
@verbose_option
def list_models(name: str | None, store: Path | None, config: Config, as_json: bool) -> None:
    """List every version, or those of the model NAME, newest last; first those that come with Redpoll."""
    with open_app(store_of(store, config)) as app:
        rows = [_plain(row) for row in known_versions(app.models, name)]
    if as_json:
        print_json(rows)
    else:
        print_rows(rows, _HEADINGS, none="No models.")


@command.command(epilog="Example: redpoll models show early_sn_ia 2 --html card.html")
@click.argument("name")
@click.argument("version", required=False)
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Write the card as a page for a browser.")  # fmt: skip
@click.option("--force", is_flag=True, help="Replace the page if it exists.")
@store_option
@config_option
@json_option
@verbose_option
def show(
    name: str, version: str | None, html: Path | None, force: bool, store: Path | None, config: Config, as_json: bool
) -> None:
    """Show the card of a version, by default the one that scores alerts, and the promotions of the model."""
    with open_app(store_of(store, config)) as app:
        found = _plain(version_row(app.models, name, version))
        promotions = [_plain(row) for row in app.models.promotions(name).to_pylist()]
    if html is not None:
        with new_file(html, force=force) as out:
            out.write(_page(found).encode())
    if as_json:
        print_json(found | {"promotions": promotions})
        return
    print_rows([found], _HEADINGS | {"sha256": "SHA-256"}, none="")
    click.echo(plain_text(json.dumps(found["card"], ensure_ascii=False)))
    headings = {"generation": "generation", "version": "version", "action": "action", "at": "at (UTC)", "by": "by"}
    print_rows(promotions, headings, title="Promotions", none="Never promoted.")


def _page(row: Mapping[str, Any]) -> str:
    from redpoll.learn.report_page import report_page

    card = row["card"]
    if "judged" not in card:
        raise ModelError(
            f"{row['name']}@{row['version']} has no figures in its card; `redpoll evaluate --html` makes some"
        )
    return report_page(card, card["judged"])


@command.command("import", epilog="Example: redpoll models import models/early_sn_ia-1f6bc3d2.forest")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--card", "card_file", type=click.Path(path_type=Path, dir_okay=False, exists=True),
              help="Its card: a JSON file with name, version, features, classes.  [default: beside FILE]")  # fmt: skip
@by_option
@store_option
@config_option
@json_option
@verbose_option
def import_model(
    file: Path, card_file: Path | None, by: str, store: Path | None, config: Config, as_json: bool
) -> None:
    """Check the model in FILE, a tree ensemble or ONNX, against the modules that use it, and add it as a candidate.

    It scores no alert before it is promoted.
    """
    card = parse_card(read_file(card_file or file.with_suffix(".json"), MAX_CARD_BYTES))
    validate = model_validator(card, build_graph(config).nodes)
    model = NewModel(card.name, card.version, read_file(file, MAX_MODEL_BYTES), card.content, by)
    with open_app(store_of(store, config)) as app:
        sha256 = app.models.register(model, validate)
    if as_json:
        print_json({"name": card.name, "version": card.version, "sha256": sha256})
    else:
        click.echo(f"{card.name} {card.version} is registered; `redpoll models promote {card.name} {card.version}` "
                   "lets it score alerts")  # fmt: skip


@command.command(epilog="Example: redpoll models export early_sn_ia --out models")
@click.argument("name")
@click.argument("version", required=False)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=".", show_default=True, metavar="DIR",
              help="Folder of the file and its card.")  # fmt: skip
@click.option("--onnx", "as_onnx", is_flag=True, help="Write a tree ensemble as ONNX.")
@click.option("--force", is_flag=True, help="Replace files.")
@store_option
@config_option
@json_option
@verbose_option
def export(
    name: str, version: str | None, out: Path, as_onnx: bool, force: bool, store: Path | None, config: Config,
    as_json: bool,
) -> None:  # fmt: skip
    """Write a version, by default the one that scores alerts, and its card, for `redpoll models import` or others."""
    with open_app(store_of(store, config)) as app:
        model = model_of(app.models, name, version)
    data = model.data
    if as_onnx and is_forest(data):
        from redpoll.learn.forests_onnx import forest_onnx

        data = forest_onnx(data)
    stem = f"{name}-{model.card.version}"
    ending = "forest" if is_forest(data) else "onnx"
    files = {out / f"{stem}.{ending}": data, out / f"{stem}.json": card_bytes(model.card.content)}
    write_files(files, force=force)
    if as_json:
        print_json({"name": name, "version": model.card.version, "files": [str(path) for path in files]})
    else:
        click.echo("\n".join(map(str, files)))


@command.command(epilog="Example: redpoll models compare early_sn_ia 55092412 1f6bc3d2 --dataset labelled.parquet")
@click.argument("name")
@click.argument("first")
@click.argument("second")
@dataset_options
@kept_out_option
@store_option
@config_option
@json_option
@verbose_option
def compare(
    name: str, first: str, second: str, datasets: tuple[str, ...], per_object: int, kept_out: float | None,
    store: Path | None, config: Config, as_json: bool,
) -> None:  # fmt: skip
    """Compare two versions of the model NAME on labelled alerts: each metric, and its difference with an interval.

    Use alerts that neither was trained on.
    """
    found = _comparison(store_of(store, config), name, first, second, datasets, per_object, kept_out)
    if as_json:
        print_json(found)
        return
    rows = [
        {"class": class_, "metric": metric, "says": each["says"]}
        | {key: interval(each[key]) for key in ("first", "second", "difference")}
        for class_, metrics in found.items() for metric, each in metrics.items()
    ]  # fmt: skip
    headings = {"class": "class", "metric": "metric", "first": first, "second": second, "difference": "difference",
                "says": f"{second} is"}  # fmt: skip
    print_rows(rows, headings, title=f"{name} on {', '.join(datasets)}", none="")


def _comparison(
    store: Path, name: str, first: str | None, second: str, datasets: Sequence[str], per_object: int,
    kept_out: float | None,
) -> dict[str, Any]:  # fmt: skip
    """What `redpoll.learn.comparison.compared` finds of two versions; without a first, the one that scores alerts."""
    from redpoll.learn.comparison import compared
    from redpoll.learn.model_inputs import ModelInputs
    from redpoll.learn.model_training import classes_of, scored_rows

    module = ModelInputs(name).module
    with open_app(store) as app:
        files = [model_of(app.models, name, version) for version in (first, second)]
    p, q = (open_model(file.data, file.card, [module]).predict_proba for file in files)
    table, target = scored_rows(labelled_features(name, datasets, per_object), classes_of(module), kept_out)
    return compared(p, q, table, target, classes_of(module))


@command.command(epilog="Example: redpoll models promote early_sn_ia 2")
@click.argument("name")
@click.argument("version")
@click.option("--if-better", "metric", type=click.Choice(_METRICS), metavar="METRIC",
              help="Only if the interval of this metric's difference to the champion, on the data of --dataset, says "
                   f"that it is better: {', '.join(_METRICS)}.")  # fmt: skip
@partial(dataset_options, required=False)
@kept_out_option
@by_option
@store_option
@config_option
@json_option
@verbose_option
def promote(
    name: str, version: str, metric: str | None, datasets: tuple[str, ...], per_object: int, kept_out: float | None,
    by: str, store: Path | None, config: Config, as_json: bool,
) -> None:  # fmt: skip
    """Make VERSION of the model NAME the champion: it scores every block that a run begins from now on."""
    root = store_of(store, config)
    if bool(metric) != bool(datasets):
        raise UsageError("--if-better and --dataset belong together")
    if metric:
        from redpoll.learn.comparison import is_better

        if not is_better(_comparison(root, name, None, version, datasets, per_object, kept_out), metric):
            raise ModelError(f"{name} {version} is not better in {metric} than the champion, which stays; "
                             "`redpoll models compare` shows the figures")  # fmt: skip
    with open_app(root) as app:
        adopt(app.models, name)
        generation = app.models.promote(name, version, by=by)
    _show_change(name, version, generation, as_json)


@command.command(epilog="Example: redpoll models rollback early_sn_ia")
@click.argument("name")
@by_option
@store_option
@config_option
@json_option
@verbose_option
def rollback(name: str, by: str, store: Path | None, config: Config, as_json: bool) -> None:
    """Go back to the champion of before the last promotion or retirement of the model NAME."""
    with open_app(store_of(store, config)) as app:
        adopt(app.models, name)
        generation = app.models.rollback(name, by=by)
        rows = app.models.champions(generation).to_pylist()
    _show_change(name, next(row["version"] for row in rows if row["name"] == name), generation, as_json)


@command.command(epilog="Example: redpoll models retire early_sn_ia")
@click.argument("name")
@by_option
@store_option
@config_option
@json_option
@verbose_option
def retire(name: str, by: str, store: Path | None, config: Config, as_json: bool) -> None:
    """Let nothing score alerts by the model NAME any more: the columns of its modules are null until a promotion."""
    with open_app(store_of(store, config)) as app:
        adopt(app.models, name)
        generation = app.models.retire(name, by=by)
    _show_change(name, None, generation, as_json)


def _show_change(name: str, version: str | None, generation: int, as_json: bool) -> None:
    if as_json:
        print_json({"name": name, "version": version, "generation": generation})
    else:
        what = f"{version} is the champion" if version else "has no champion"
        click.echo(f"{name} {what} (generation {generation})")


def card_bytes(content: Mapping[str, Any]) -> bytes:
    """The file of a card."""
    return (json.dumps(dict(content), indent=2, sort_keys=True, allow_nan=False) + "\n").encode()


def read_file(path: Path, max_bytes: int) -> bytes:
    """A regular file of at most so many bytes."""
    try:
        if not path.is_file() or path.stat().st_size > max_bytes:
            raise ModelError(f"{path}: not a regular file of at most {max_bytes:,} bytes")
        with path.open("rb") as file:
            return file.read(max_bytes + 1)
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error}") from error


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row with its times as text and its card as data."""
    times = {key: utc_text(row[key]) for key in ("created", "at") if row.get(key)}
    return row | times | ({"card": json.loads(row["card"])} if "card" in row else {})
