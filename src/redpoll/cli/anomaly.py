"""``redpoll anomaly``: an anomaly model of one's own, which learns from its owner's labels and scores the stream."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from redpoll.cli.models import card_bytes, user_name
from redpoll.cli.options import config_option, json_option, store_of, store_option, verbose_option, with_options
from redpoll.cli.output import csv_bytes, print_json, print_rows, progress, utc_text
from redpoll.cli.query import write_files
from redpoll.config import Config
from redpoll.store.app import open_app

_WORDS, _KINDS = ("anomaly", "regular"), ("aad", "pine_forest", "isolation_forest")
_RANKED = {"rank": "rank", "object_id": "object", "alert_id": "alert", "survey": "survey", "night": "night",
           "score": "score", "why": "pushed up by"}  # fmt: skip
_HISTORY = {"label_id": "number", "survey": "survey", "object_id": "object", "alert_id": "alert", "label": "label",
            "state": "state", "added": "added (UTC)", "note": "note"}  # fmt: skip
_MODELS = {"name": "name", "kind": "kind", "seed": "seed", "version": "version", "anomaly": "anomalies",
           "regular": "regular", "base": "base", "created": "created (UTC)"}  # fmt: skip


def _own(command: Any) -> Any:
    """Options of every verb: the user, the store, and where the settings are."""
    user = click.option("--user", default=user_name, metavar="NAME", help="Whose model it is.  [default: user name]")
    return with_options(command, (user, store_option, config_option, verbose_option))


@click.group(epilog="Example: redpoll anomaly create odd_novae --store my-store")
def command() -> None:
    """Find anomalies with a model of your own: it asks, you label, it is fitted anew, and it scores new alerts.

    Models of other users are neither shown nor changed.
    """


@command.command(epilog="Example: redpoll anomaly create odd_novae --kind aad --store my-store")
@click.argument("name")
@click.option("--kind", type=click.Choice(_KINDS), default=_KINDS[0], show_default=True, help="Kind of forest.")
@click.option("--rows", type=click.IntRange(16, 1_000_000), default=50_000, show_default=True, metavar="N",
              help="Maximum number of alerts to make it from.")  # fmt: skip
@click.option("--night", type=int, metavar="YYYYMMDD", help="Make it from alerts of this night.")
@click.option("--survey", metavar="NAME", help="Make it from alerts of this survey: ztf or rubin.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=1, show_default=True, help="Seed of the trees.")
@_own
@json_option
def create(
    name: str, kind: str, rows: int, night: int | None, survey: str | None, seed: int, user: str, store: Path | None,
    config: Config, as_json: bool,
) -> None:  # fmt: skip
    """Make the model NAME from the newest alert of each object in the store.

    From the next run on, alerts get its score as the column anomaly_NAME; those of at least 0.5 pass the filter of that
    name. A run that goes on uses new labels from the next batch on.
    """
    from redpoll.crossmatch.known_columns import known_columns
    from redpoll.learn.anomaly_base import AnomalyBase
    from redpoll.learn.anomaly_rows import FEATURES, stored_rows
    from redpoll.learn.personal_anomalies import create_model
    from redpoll.pipeline.assemble import build_graph
    from redpoll.schema.alert import COLUMNS
    from redpoll.store import Selection, open_store

    root = store_of(store, config)
    with open_store(root) as opened, progress("reading alerts") as advance:
        found = stored_rows(opened, FEATURES, Selection(night=night, survey=survey), limit=rows, step=advance)
    made = {key for node in build_graph(config).nodes for key in (node.name, *node.outputs)}
    with open_app(root) as app:
        base = AnomalyBase(FEATURES, found.features)
        taken = made | COLUMNS.keys() | known_columns().keys()
        fitted = create_model(app, name, base, owner=user, taken=taken, kind=kind, seed=seed)
    if as_json:
        print_json(asdict(fitted) | {"rows": len(found), "column": f"anomaly_{name}"})
        return
    click.echo(f"{name} ({kind}, version {fitted.version}) is made from {len(found):,} objects; the next run scores "
               f"alerts as anomaly_{name}. `redpoll anomaly top {name}` asks the first questions.")  # fmt: skip


@command.command("list", epilog="Example: redpoll anomaly list --store my-store")
@_own
@json_option
def list_models(user: str, store: Path | None, config: Config, as_json: bool) -> None:
    """List your models, with the version that scores alerts and the number of labels."""
    with open_app(store_of(store, config)) as app:
        champions = {row["name"]: row for row in app.models.champions().to_pylist()}
        rows = [_with_version(asdict(model), champions) for model in app.anomalies.models(user)]
    if as_json:
        print_json(rows)
    else:
        print_rows([row | {"base": row["base"][:12]} for row in rows], _MODELS, none=f"{user} has no anomaly models.")


def _with_version(row: dict[str, Any], champions: dict[str, dict[str, Any]]) -> dict[str, Any]:
    champion = champions.get(f"anomaly_{row['name']}")
    labels = json.loads(champion["card"])["labels"] if champion else {}
    return (
        row | {"version": champion and champion["version"], "created": row["created"][:19].replace("T", " ")} | labels
    )


@command.command(epilog="Example: redpoll anomaly top odd_novae -n 20 --night 20261201 --store my-store")
@click.argument("name")
@click.option("-n", "number", type=click.IntRange(1, 10_000), default=10, show_default=True, help="Number of objects.")
@click.option("--night", type=int, metavar="YYYYMMDD", help="Alerts of this night.")
@click.option("--survey", metavar="NAME", help="Alerts of this survey: ztf or rubin.")
@click.option("--object", "objects", multiple=True, metavar="ID", help="Only this object, labelled or not.")
@_own
@json_option
def top(
    name: str, number: int, night: int | None, survey: str | None, objects: tuple[str, ...], user: str,
    store: Path | None, config: Config, as_json: bool,
) -> None:  # fmt: skip
    """Show the objects of highest score that you have not labelled, and the features that push the score up.

    Of each object the newest alert counts. After each feature stand its value and, in brackets, the median of the
    alerts that the model was made from.
    """
    from redpoll.learn.anomaly_rows import stored_rows
    from redpoll.learn.personal_anomalies import base_of, forest_in_use, ranked
    from redpoll.store import Selection, open_store

    root = store_of(store, config)
    with open_app(root) as app, open_store(root) as opened:
        version, forest = forest_in_use(app, name, owner=user)
        base = base_of(app, app.anomalies.model(name, owner=user))
        known = app.anomalies.labels(name, owner=user).select(["survey", "object_id"]).to_pylist()
        labelled = [] if objects else [(row["survey"], row["object_id"]) for row in known]
        wanted = Selection(night=night, survey=survey, object_ids=objects or None)
        with progress("reading alerts") as advance:
            rows = stored_rows(opened, base.names, wanted, without=labelled, step=advance)
    found = [
        {"rank": i + 1, **each.key, "score": each.score, "pushed_by": each.pushed_by}
        for i, each in enumerate(ranked(forest, base, rows, number))
    ]
    if as_json:
        print_json([row | {"alert_id": str(row["alert_id"])} for row in found])
        return
    shown = [row | {"alert_id": str(row["alert_id"]), "why": _reasons(row["pushed_by"])} for row in found]
    print_rows(shown, _RANKED, title=f"{name} {version}: {len(rows):,} objects without a label",
               none="No object without a label has the features of the model.")  # fmt: skip


def _reasons(pushed_by: list[dict[str, Any]]) -> str:
    numbers = [{key: "none" if x is None else x for key, x in reason.items()} for reason in pushed_by]
    return ", ".join(f"{r['feature']} {_short(r['value'])} ({_short(r['median'])})" for r in numbers)


def _short(x: Any) -> str:
    return f"{x:.3g}" if isinstance(x, float) else str(x)


@command.command(epilog="Example: redpoll anomaly label odd_novae regular ZTF21abiuvdk ZTF18aazxcwf --store my-store")
@click.argument("name")
@click.argument("label", type=click.Choice(_WORDS))
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@click.option("--survey", metavar="NAME", help="Survey of the alerts, if the identifiers are in several.")
@click.option("--note", default="", metavar="TEXT", help="Free text.")
@_own
@json_option
def label(
    name: str, label: str, ids: tuple[str, ...], survey: str | None, note: str, user: str, store: Path | None,
    config: Config, as_json: bool,
) -> None:  # fmt: skip
    """Label alerts, or the newest alerts of objects, as what you look for (anomaly) or not (regular); fit anew."""
    from redpoll.learn.anomaly_rows import AnomalyRows, joined_rows, stored_row
    from redpoll.learn.personal_anomalies import base_of, label_alerts
    from redpoll.store import open_store

    root = store_of(store, config)
    with open_app(root) as app, open_store(root) as opened:
        features = base_of(app, app.anomalies.model(name, owner=user)).names
        rows: AnomalyRows = joined_rows([stored_row(opened, features, identifier, survey) for identifier in ids])
        numbers, fitted = label_alerts(app, name, rows, label, owner=user, note=note)
    if as_json:
        print_json(asdict(fitted) | {"label_ids": numbers})
        return
    click.echo(f"{len(numbers)} labelled {label} (label {', '.join(map(str, numbers))}); {name} was fitted to "
               f"{fitted.n_anomalies} anomalies and {fitted.n_regular} regular alerts in {fitted.seconds:.2f} s: "
               f"version {fitted.version}")  # fmt: skip


@command.command(epilog="Example: redpoll anomaly undo odd_novae --store my-store")
@click.argument("name")
@_own
@json_option
def undo(name: str, user: str, store: Path | None, config: Config, as_json: bool) -> None:
    """Undo the newest label that counts; the model of before scores alerts again. The label stays on record."""
    from redpoll.learn.personal_anomalies import refit

    with open_app(store_of(store, config)) as app:
        number = app.anomalies.undo(name, owner=user)
        fitted = refit(app, name, owner=user)
    if as_json:
        print_json(asdict(fitted) | {"label_id": number})
        return
    click.echo(f"label {number} is undone; {name} has {fitted.n_anomalies} anomalies and {fitted.n_regular} regular "
               f"alerts: version {fitted.version}")  # fmt: skip


@command.command(epilog="Example: redpoll anomaly history odd_novae --store my-store")
@click.argument("name")
@_own
@json_option
def history(name: str, user: str, store: Path | None, config: Config, as_json: bool) -> None:
    """Show every label of the model in the order of adding, also those undone."""
    rows = _history(store_of(store, config), name, user)
    if as_json:
        print_json(rows)
    else:
        print_rows(rows, _HISTORY, none=f"{name} has no labels.")


def _history(root: Path, name: str, user: str) -> list[dict[str, Any]]:
    with open_app(root) as app:
        table = app.anomalies.labels(name, owner=user, current=False)
    rows: list[dict[str, Any]] = table.drop_columns(["features"]).to_pylist()
    undone = {row["undoes"] for row in rows}
    for row in rows:
        row["alert_id"], row["added"] = str(row["alert_id"]), utc_text(row["added"])
        row["state"] = (
            f"undoes {row['undoes']}" if row["undoes"] else "undone" if row["label_id"] in undone else "counts"
        )
    return rows


@command.command(epilog="Example: redpoll anomaly export odd_novae --out models --store my-store")
@click.argument("name")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=".", show_default=True, metavar="DIR",
              help="Folder of the files.")  # fmt: skip
@click.option("--force", is_flag=True, help="Replace files.")
@_own
def export(name: str, out: Path, force: bool, user: str, store: Path | None, config: Config) -> None:
    """Write the version that scores alerts, its card and the labels: three files in a folder."""
    from redpoll.pipeline.shipped import model_of

    root = store_of(store, config)
    rows = _history(root, name, user)
    with open_app(root) as app:
        model = model_of(app.models, f"anomaly_{name}")
    stem = out / f"anomaly_{name}-{model.card.version}"
    card, labels = card_bytes(model.card.content), csv_bytes(rows, [*_HISTORY, "undoes"])
    parts = {".forest": model.data, ".json": card, ".labels.csv": labels}
    write_files({stem.with_name(stem.name + ending): data for ending, data in parts.items()}, force=force)
    click.echo(f"{stem}.forest, .json and .labels.csv: {len(model.data):,} bytes, {len(rows):,} rows of labels")
