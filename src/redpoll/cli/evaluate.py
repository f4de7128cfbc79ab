"""``redpoll evaluate``: how good a model is on labelled light curves."""

from __future__ import annotations

from pathlib import Path

import click

from redpoll.cli.models import read_file
from redpoll.cli.options import config_option, json_option, store_of, store_option, verbose_option
from redpoll.cli.output import print_json
from redpoll.cli.query import new_file
from redpoll.cli.train import show_judged
from redpoll.cli.training_data import dataset_options, kept_out_option, labelled_features
from redpoll.config import Config
from redpoll.errors import ModelError
from redpoll.pipeline.shipped import model_of
from redpoll.plugin.model_card import MAX_CARD_BYTES, ModelCard, parse_card
from redpoll.plugin.model_file import MAX_MODEL_BYTES
from redpoll.store.app import open_app

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.command(
    epilog="Example: redpoll evaluate early_sn_ia --dataset mine.parquet --file m.forest --card m.json --html m.html"
)
@click.argument("name")
@dataset_options
@click.option("--file", type=_FILE, help="The file of the model, with --card.  [default: the store's champion]")
@click.option("--card", "card_file", type=_FILE, help="Its card.")
@click.option("--version", metavar="V", help="Version of the store's model.  [default: the champion]")
@kept_out_option
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write a report.")
@click.option("--force", is_flag=True, help="Replace the report if it exists.")
@store_option
@config_option
@json_option
@verbose_option
def command(
    name: str, datasets: tuple[str, ...], per_object: int, file: Path | None, card_file: Path | None,
    version: str | None, kept_out: float | None, html: Path | None, force: bool, store: Path | None, config: Config,
    as_json: bool,
) -> None:  # fmt: skip
    """Judge the model NAME on labelled alerts, with 95 % intervals by bootstrap over objects.

    Alerts that the module does not score, and labels that do not decide the class, are left out and counted.
    """
    from redpoll.learn.judging import judged
    from redpoll.learn.model_inputs import ModelInputs
    from redpoll.learn.model_training import classes_of, scored_rows
    from redpoll.learn.report_page import report_page
    from redpoll.plugin.model_file import open_model

    data, card = _model(name, file, card_file, version, store, config)
    module = ModelInputs(name).module
    model = open_model(data, card, [module])
    table = labelled_features(name, datasets, per_object)
    n = len(table)
    table, target = scored_rows(table, classes_of(module), kept_out)
    found = judged(model.predict_proba, table, target) | {"alerts_read": n, "data_sets": list(datasets)}
    if html is not None:
        with new_file(html, force=force) as out:
            out.write(report_page(dict(card.content), found).encode())
    if as_json:
        print_json(found)
        return
    show_judged(found, title=f"{name} {card.version} on {', '.join(datasets)}")
    click.echo(f"{n:,} alerts read, {len(table):,} scored and of decided class", err=True)


def _model(
    name: str, file: Path | None, card_file: Path | None, version: str | None, store: Path | None, config: Config
) -> tuple[bytes, ModelCard]:
    """The bytes of a model and its card, from files or from the store."""
    if (file is None) != (card_file is None):
        raise ModelError("a model in a file needs both --file and --card")
    if file is not None and card_file is not None:
        card = parse_card(read_file(card_file, MAX_CARD_BYTES))
        if card.name != name:
            raise ModelError(f"{card_file} is the card of the model '{card.name}', not of '{name}'")
        return read_file(file, MAX_MODEL_BYTES), card
    with open_app(store_of(store, config)) as app:
        model = model_of(app.models, name, version)
    return model.data, model.card
