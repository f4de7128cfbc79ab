"""``redpoll label``: what objects were found to be, by experts, TNS and catalogues."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import click
import pyarrow as pa

from redpoll.cli.models import by_option
from redpoll.cli.options import config_option, json_option, store_of, store_option, verbose_option, with_options
from redpoll.cli.output import print_json, print_rows, utc_text
from redpoll.cli.query import FORMATS, format_of, new_file, standard_output
from redpoll.config import Config
from redpoll.errors import UsageError, near
from redpoll.formats import open_writer
from redpoll.learn.label_classes import conflicts, label_class
from redpoll.schema.taxonomy import taxonomy
from redpoll.store.app import Label, LabelQuery, open_app
from redpoll.store.app.ports import LabelSource

_HEADINGS = {"label_id": "number", "survey": "survey", "object_id": "object", "alert_id": "alert", "label": "label",
             "class": "class", "source": "source", "by": "by", "added": "added (UTC)", "confidence": "confidence",
             "note": "note"}  # fmt: skip
_SOURCES = get_args(LabelSource)
_RADIUS = 1.5


@click.group(epilog="Example: redpoll label add ZTF21abiuvdk sn_ia --survey ztf --store my-store")
def command() -> None:
    """Add, import and read labels of objects. A label is never changed: it is taken back by a new row."""


@command.command(epilog="Example: redpoll label add ZTF21abiuvdk sn_ia --survey ztf --confidence 0.9")
@click.argument("object_id")
@click.argument("label")
@click.option("--survey", required=True, metavar="NAME", help="Survey of the object: ztf, rubin or elasticc.")
@click.option("--alert", "alert_id", type=int, metavar="ID", help="Only this alert of the object.")
@click.option("--source", type=click.Choice(_SOURCES), default="expert", show_default=True, help="Kind of source.")
@click.option("--confidence", type=float, metavar="P", help="Confidence, 0 to 1.")
@click.option("--note", default="", metavar="TEXT", help="Free text.")
@by_option
@store_option
@config_option
@json_option
@verbose_option
def add(store: Path | None, config: Config, as_json: bool, **label: Any) -> None:
    """Label the object OBJECT_ID as LABEL: a class of the taxonomy, or a word of TNS or SIMBAD."""
    row = Label(**label)
    with open_app(store_of(store, config)) as app:
        (number,) = app.labels.add([row])
    meant = label_class(row.label, row.source, row.by)
    if as_json:
        print_json({"label_id": number, "class": meant})
        return
    click.echo(f"label {number}: {row.object_id} is {row.label}" + (f" (class {meant})" if meant else ""))
    if meant is None:
        hint = near(row.label, taxonomy().classes)
        click.echo(f"redpoll: '{row.label}' is no class, so models are not trained on it{hint}", err=True)


@command.command(epilog="Example: redpoll label retract 17 --note 'it was an asteroid' --store my-store")
@click.argument("number", type=int)
@click.option("--note", default="", metavar="TEXT", help="Why.")
@by_option
@store_option
@config_option
@verbose_option
def retract(number: int, note: str, by: str, store: Path | None, config: Config) -> None:
    """Take the label NUMBER back; the label and who took it back stay on record."""
    with open_app(store_of(store, config)) as app:
        row = app.labels.retract(number, by=by, note=note)
    click.echo(f"label {number} is taken back (row {row})")


@command.command("import", epilog="Example: redpoll label import tns_public_objects.csv.zip --tns --store my-store")
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--tns", is_flag=True, help="FILE is the daily file of TNS.")
@click.option("--column", metavar="NAME", help="Instead of a FILE: a column of catalogue matches, such as simbad_type.")
@click.option("--radius", type=click.FloatRange(0, 60), default=_RADIUS, show_default=True, metavar="ARCSEC",
              help="With --tns: maximum distance to an object of the store; 0 takes names alone.")  # fmt: skip
@click.option("--survey", metavar="NAME", help="Survey of rows that do not name one.")
@click.option("--source", type=click.Choice(_SOURCES), default="expert", show_default=True,
              help="Kind of source of rows that do not name one.")  # fmt: skip
@by_option
@store_option
@config_option
@json_option
@verbose_option
def import_(
    file: Path | None,
    tns: bool,
    column: str | None,
    radius: float,
    survey: str | None,
    source: LabelSource,
    by: str,
    store: Path | None,
    config: Config,
    as_json: bool,
) -> None:
    """Import labels from a table in FILE, from TNS, or from catalogue matches of the store's alerts.

    A table has the columns object_id and label, and maybe survey, alert_id, source, by, confidence, note. Labels that
    are in the store already are not added again. Where TNS or a catalogue has another one now, the old is taken back.
    """
    from redpoll.learn.label_store import import_labels

    root = store_of(store, config)
    labels = _labels_of(root, file, tns, column, radius, survey, source, by)
    with open_app(root) as app:
        done = import_labels(app.labels, labels, replace=tns or column is not None)
        n_conflicts = len(conflicts(app.labels.table().to_pylist()))
    unknown = sorted({row.label for row in labels if label_class(row.label, row.source, row.by) is None})
    if as_json:
        print_json({"added": done.added, "unchanged": done.unchanged, "taken_back": done.taken_back,
                    "conflicts": n_conflicts, "words_without_class": unknown})  # fmt: skip
        return
    hint = " (redpoll label conflicts)" if n_conflicts else ""
    click.echo(f"{done.added:,} labels added, {done.unchanged:,} were there, {done.taken_back:,} taken back; "
               f"{n_conflicts:,} objects in conflict{hint}")  # fmt: skip
    if unknown:
        click.echo(f"redpoll: words without a class: {', '.join(unknown[:20])}", err=True)


def _labels_of(
    root: Path, file: Path | None, tns: bool, column: str | None, radius: float, survey: str | None,
    source: LabelSource, by: str,
) -> list[Label]:  # fmt: skip
    from redpoll.learn.label_file import read_labels
    from redpoll.learn.label_store import catalogue_labels, object_positions
    from redpoll.learn.tns_labels import read_tns, tns_labels
    from redpoll.store import open_store

    if (file is None) == (column is None):
        raise UsageError("name a FILE or a --column, and not both")
    if column is not None:
        if tns:
            raise UsageError("--tns wants the FILE of TNS, not a --column")
        with open_store(root) as opened:
            return catalogue_labels(opened, column, column.partition("_")[0])
    assert file is not None
    if not tns:
        return read_labels(file, survey=survey, source=source, by=by)
    objects = None
    if radius:
        with open_store(root) as opened:
            objects = object_positions(opened)
    return tns_labels(read_tns(file), objects, radius)[0]


def _query_options(command: Any) -> Any:
    options = (
        click.option("--object", "object_id", metavar="ID", help="Labels of this object."),
        click.option("--label", metavar="LABEL", help="Labels with this text."),
        click.option("--survey", metavar="NAME", help="Labels of objects of this survey."),
        click.option("--source", type=click.Choice(_SOURCES), help="Labels of this kind of source."),
        click.option("--all", "everything", is_flag=True, help="Also labels that were taken back."),
    )
    return with_options(command, options)


def _table(store: Path | None, config: Config, everything: bool, **asked: Any) -> pa.Table:
    """The labels that are asked for, with the class that each means."""
    with open_app(store_of(store, config)) as app:
        table = app.labels.table(LabelQuery(**asked, current=not everything))
    classes = [label_class(row["label"], row["source"], row["by"]) for row in table.to_pylist()]
    return table.add_column(5, "class", pa.array(classes, pa.string()))


@command.command("list", epilog="Example: redpoll label list --object ZTF21abiuvdk")
@_query_options
@store_option
@config_option
@json_option
@verbose_option
def list_labels(as_json: bool, **asked: Any) -> None:
    """List labels in the order they were added, with the class that each means."""
    rows = [_plain(row) for row in _table(**asked).to_pylist()]
    if as_json:
        print_json(rows)
    else:
        print_rows(rows, _HEADINGS, none="No labels.")


@command.command(epilog="Example: redpoll label export --out labels.csv --store my-store")
@_query_options
@click.option("--format", "format_name", type=click.Choice(FORMATS),
              help="Format.  [default: by the ending of --out, else csv]")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="File to write.  [default: standard output]")  # fmt: skip
@click.option("--force", is_flag=True, help="Replace FILE if it exists.")
@store_option
@config_option
@verbose_option
def export(format_name: str | None, out: Path | None, force: bool, everything: bool, **asked: Any) -> None:
    """Write labels as a table, which `redpoll label import` reads again."""
    table = _table(everything=everything, **asked)
    if not everything:
        table = table.drop_columns(["retracts"])
    kind = format_of(format_name, out)
    with new_file(out, force=force) if out is not None else standard_output(kind) as file:
        writer = open_writer(kind, file, table.schema)
        for batch in table.to_batches():
            writer.write(batch)
        writer.close()
    click.echo(f"{len(table):,} labels{'' if out is None else f' in {out}'}", err=True)


@command.command("conflicts", epilog="Example: redpoll label conflicts --store my-store")
@store_option
@config_option
@json_option
@verbose_option
def show_conflicts(store: Path | None, config: Config, as_json: bool) -> None:
    """Show objects whose labels exclude each other: neither class is the other or one of its subclasses."""
    with open_app(store_of(store, config)) as app:
        found = conflicts(app.labels.table().to_pylist())
    keys = ("class", "label", "source", "by", "label_id")
    rows = [
        {"survey": each.survey, "object_id": each.object_id, **dict(zip(keys, label, strict=True))}
        for each in found
        for label in each.labels
    ]
    if as_json:
        print_json(rows)
    else:
        print_rows(rows, {key: _HEADINGS[key] for key in ("survey", "object_id", *keys)}, none="No conflicts.")


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row with its time and its identifier as text."""
    alert_id = None if row["alert_id"] is None else str(row["alert_id"])
    return row | {"added": utc_text(row["added"]), "alert_id": alert_id}
