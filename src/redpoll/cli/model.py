"""``redpoll model``: trained models of a store, and which of them score alerts."""

from __future__ import annotations

import getpass
import json
from pathlib import Path
from typing import Any

import click

from redpoll.cli.options import config_option, json_option, store_of, store_option, verbose_option
from redpoll.cli.output import print_json, print_rows
from redpoll.config import Config
from redpoll.errors import ModelError, NotFound
from redpoll.log import plain_text
from redpoll.pipeline.assemble import build_graph
from redpoll.pipeline.models import model_validator
from redpoll.plugin.model_card import MAX_CARD_BYTES, parse_card
from redpoll.plugin.model_file import MAX_MODEL_BYTES
from redpoll.store.app import NewModel, open_app

_HEADINGS = {"name": "name", "version": "version", "stage": "stage", "n_bytes": "bytes", "created": "registered (UTC)",
             "by": "by"}  # fmt: skip


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no such user in a container
        return "unknown"


def by_option(command: Any) -> Any:
    """``--by NAME``: who registers or promotes, by default the user of this machine."""
    return click.option("--by", default=_user, metavar="NAME", help="Who does it.  [default: user name]")(command)


@click.group(epilog="Example: redpoll model list --store my-store")
def command() -> None:
    """Register trained models, and choose which version scores alerts; also while a run goes on."""


@command.command("list", epilog="Example: redpoll model list")
@click.argument("name", required=False)
@store_option
@config_option
@json_option
@verbose_option
def list_models(name: str | None, store: Path | None, config: Config, as_json: bool) -> None:
    """List every version, or those of the model NAME, newest last."""
    with open_app(store_of(store, config)) as app:
        rows = [_plain(row) for row in app.models.versions(name).to_pylist()]
    if as_json:
        print_json(rows)
    else:
        print_rows(rows, _HEADINGS, none="No models.")


@command.command(epilog="Example: redpoll model show early_sn_ia 2")
@click.argument("name")
@click.argument("version", required=False)
@store_option
@config_option
@json_option
@verbose_option
def show(name: str, version: str | None, store: Path | None, config: Config, as_json: bool) -> None:
    """Show the card of a version, by default the champion, and the promotions of the model."""
    with open_app(store_of(store, config)) as app:
        rows = [_plain(row) for row in app.models.versions(name).to_pylist()]
        promotions = [_plain(row) for row in app.models.promotions(name).to_pylist()]
    found = [row for row in rows if (row["stage"] == "champion" if version is None else row["version"] == version)]
    if not found:
        raise NotFound(f"no version {version!r} of model {name!r}" if version else f"model {name!r} has no champion")
    if as_json:
        print_json(found[0] | {"promotions": promotions})
        return
    print_rows(found, _HEADINGS | {"sha256": "SHA-256"}, none="")
    click.echo(plain_text(json.dumps(found[0]["card"], ensure_ascii=False)))
    headings = {"generation": "generation", "version": "version", "action": "action", "at": "at (UTC)", "by": "by"}
    print_rows(promotions, headings, title="Promotions", none="Never promoted.")


@command.command(epilog="Example: redpoll model register early.onnx --card early.json")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--card", "card_file", type=click.Path(path_type=Path, dir_okay=False, exists=True), required=True,
              help="Its model card: a JSON file with name, version, features and classes.")  # fmt: skip
@by_option
@store_option
@config_option
@json_option
@verbose_option
def register(file: Path, card_file: Path, by: str, store: Path | None, config: Config, as_json: bool) -> None:
    """Check the model in FILE, a tree ensemble or ONNX, against the modules that use it, and add it as a candidate.

    It scores no alert before it is promoted.
    """
    card = parse_card(read_file(card_file, MAX_CARD_BYTES))
    validate = model_validator(card, build_graph(config).nodes)
    model = NewModel(card.name, card.version, read_file(file, MAX_MODEL_BYTES), card.content, by)
    with open_app(store_of(store, config)) as app:
        sha256 = app.models.register(model, validate)
    if as_json:
        print_json({"name": card.name, "version": card.version, "sha256": sha256})
    else:
        click.echo(f"{card.name} {card.version} is registered; `redpoll model promote {card.name} {card.version}` "
                   "lets it score alerts")  # fmt: skip


@command.command(epilog="Example: redpoll model promote early_sn_ia 2")
@click.argument("name")
@click.argument("version")
@by_option
@store_option
@config_option
@json_option
@verbose_option
def promote(name: str, version: str, by: str, store: Path | None, config: Config, as_json: bool) -> None:
    """Make VERSION of the model NAME the champion: it scores every block that a run begins from now on."""
    with open_app(store_of(store, config)) as app:
        generation = app.models.promote(name, version, by=by)
    _show_change(name, version, generation, as_json)


@command.command(epilog="Example: redpoll model rollback early_sn_ia")
@click.argument("name")
@by_option
@store_option
@config_option
@json_option
@verbose_option
def rollback(name: str, by: str, store: Path | None, config: Config, as_json: bool) -> None:
    """Go back to the champion of before the last promotion of the model NAME."""
    with open_app(store_of(store, config)) as app:
        generation = app.models.rollback(name, by=by)
        rows = app.models.champions(generation).to_pylist()
    _show_change(name, next(row["version"] for row in rows if row["name"] == name), generation, as_json)


def _show_change(name: str, version: str, generation: int, as_json: bool) -> None:
    if as_json:
        print_json({"name": name, "version": version, "generation": generation})
    else:
        click.echo(f"{name} {version} is the champion (generation {generation})")


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
    times = {key: row[key].isoformat(sep=" ", timespec="seconds")[:19] for key in ("created", "at") if key in row}
    return row | times | ({"card": json.loads(row["card"])} if "card" in row else {})
