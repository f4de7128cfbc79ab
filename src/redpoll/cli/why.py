"""``redpoll why``: what became of an alert, or of the alerts of an object."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
import numpy as np
import pyarrow as pa

from redpoll.cli.options import config_option, json_option, store_of, store_option, verbose_option
from redpoll.cli.output import print_json, print_rows
from redpoll.config import Config
from redpoll.errors import ExpressionError, NotFound, PluginError
from redpoll.log import plain_text
from redpoll.pipeline.assemble import store_graph
from redpoll.pipeline.filter_answers import FilterAnswer, columns_of, filter_answers
from redpoll.plugin.expression_filter import ExpressionFilter, expression_filter
from redpoll.plugin.node import Node
from redpoll.schema.bands import SURVEYS
from redpoll.schema.names import CUT
from redpoll.store import Selection, Store, open_store
from redpoll.store.identifiers import alert_number, near_identifiers
from redpoll.store.rejected import MAX_TEXT

MAX_LETTERS = 1000
"""How many dead letters, the newest, are searched."""
_SHOWN = 40
_OWN = ("object_id", "night", "mjd")
_HEADINGS = {
    "alert_id": "alert", "object_id": "object", "night": "night", "outcome": "outcome", "run": "run", "why": "why",
    "where": "where",
}  # fmt: skip


@click.command(epilog="Example: redpoll why ZTF20aaelulu --store my-store")
@click.argument("identifier", metavar="[ID]", required=False)
@click.option("--rejected", is_flag=True, help="List alerts of any ID that a cut rejected, newest first.")
@click.option("--survey", type=click.Choice(SURVEYS), help="Only alerts of this survey.")
@click.option(
    "--limit",
    type=click.IntRange(min=1, max=1_000_000),
    default=10,
    show_default=True,
    help="Maximum number of alerts of an object, or of --rejected.",
)
@store_option
@config_option
@json_option
@verbose_option
def command(
    identifier: str | None,
    rejected: bool,
    survey: str | None,
    limit: int,
    store: Path | None,
    config: Config,
    as_json: bool,
) -> None:
    """Show what became of an alert, or of the newest alerts of an object.

    ID is the identifier of an alert or of an object. The answer names the run that stored it, its packet, the cut and
    the value that rejected it, its dead letters, and the filters that it passed or nearly passed: all conditions of an
    expression but one. Filters are those of the configuration and those that people saved in the store. Values that
    `redpoll reprocess` replaced are listed too. Dead letters are searched for the identifier in their bytes, the newest
    1,000.
    """
    if rejected == (identifier is not None):
        raise click.UsageError("give either an ID or --rejected")
    if identifier is None:
        _list_rejected(store_of(store, config), survey, limit, as_json)
        return
    identifier = identifier.strip()
    configured = [node for node in store_graph(config, store_of(store, config)).nodes if not node.is_module]
    surveys = SURVEYS if survey is None else (survey,)
    with open_store(store_of(store, config)) as opened:
        filters = [*configured, *saved_filters(opened, {node.name for node in configured})]
        answer = explain(opened, identifier, surveys, limit, filters)
        near = [] if _is_found(answer) else near_identifiers(opened, identifier, ["object_id", "alert_id"])
    if as_json:
        print_json(answer | {"near": near})
    elif _is_found(answer):
        _show(answer)
    if not _is_found(answer):
        hint = f"; near: {', '.join(map(plain_text, near))}" if near else ""
        click.echo(f"redpoll: this store has no alert or object '{plain_text(identifier[:60])}'{hint}", err=True)
        sys.exit(1)


def explain(
    store: Store, identifier: str, surveys: Sequence[str], limit: int, filters: Sequence[Node]
) -> dict[str, Any]:  # fmt: skip
    """What became of an alert or object, as plain data; identifiers of alerts are strings."""
    empty: dict[str, Any] = {"id": identifier, "stored": [], "rejected": [], "dead_letters": []}
    if not identifier.isprintable() or not identifier or len(identifier) > MAX_TEXT:
        return empty
    runs = {row["run"]: row for row in store.runs.table().to_pylist()}
    keys = _keys(store, identifier, surveys, limit)
    stored = [_stored(store, key, filters, runs) for key in dict.fromkeys(keys)]
    rejected = [
        row
        for survey in surveys
        for row in _with_command(
            store.rejected.find(alert_id=alert_number(identifier), object_id=identifier, survey=survey, limit=limit),
            runs,
        )
    ]
    return empty | {"stored": stored, "rejected": rejected, "dead_letters": list(_letters(store, identifier))}


def _list_rejected(path: Path, survey: str | None, limit: int, as_json: bool) -> None:
    with open_store(path) as store:
        runs = {row["run"]: row for row in store.runs.table().to_pylist()}
        rows = [*_with_command(store.rejected.find(survey=survey, limit=limit), runs)]
    if as_json:
        print_json({"rejected": rows})
    elif rows:
        print_rows([*_rejected_rows(rows)], _HEADINGS, none="")
    else:
        click.echo("no alert was rejected by a cut", err=True)


def _with_command(rejected: pa.Table, runs: Mapping[int, Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for row in rejected.to_pylist():
        yield row | {"alert_id": str(row["alert_id"]), "command": _command(runs, row["run"])}


def saved_filters(store: Store, taken: Set[str]) -> list[ExpressionFilter]:
    """The active filters that people saved in a store, but for those whose topics are `taken`.

    One that is no valid expression any more is named on stderr and left out.
    """
    found: list[ExpressionFilter] = []
    for row in store.filters.table(active=True).to_pylist():
        if row["topic"] in taken:
            continue
        try:
            found.append(expression_filter(row["topic"], row["expression"]))
        except (ExpressionError, PluginError) as error:
            click.echo(f"saved filter left out: {plain_text(error)}", err=True)
    return found


def _keys(store: Store, text: str, surveys: Sequence[str], limit: int) -> Iterator[tuple[str, int]]:
    number = alert_number(text)
    for survey in surveys:
        if number is not None and store.alerts.exists(survey, np.array([number]))[0]:
            yield survey, number
        selection = Selection(object_ids=[text], survey=survey)
        for row in store.alerts.scan(["alert_id"], selection, limit=limit).to_table().to_pylist():
            yield survey, row["alert_id"]


def _stored(
    store: Store, key: tuple[str, int], filters: Sequence[Node], runs: Mapping[int, Mapping[str, Any]]
) -> dict[str, Any]:  # fmt: skip
    survey, alert_id = key
    there = set(store.alerts.schema().names)
    names = list(dict.fromkeys([*_OWN, *(name for name in columns_of(filters) if name in there)]))
    (alert,) = store.alerts.get(alert_id, survey, names).combine_chunks().to_batches()
    (origin,) = store.ledger.origin(alert_id, survey).to_pylist()
    own = {name: alert[name][0].as_py() for name in _OWN}
    facts = {"survey": survey, "alert_id": str(alert_id), **own, **origin, "command": _command(runs, origin["run"])}
    revisions = store.revisions.of_alert(alert_id, survey).to_pylist()
    return facts | {
        "filters": [_plain(found) for found in filter_answers(filters, _flat(alert))],
        "revisions": revisions,
    }


def _flat(alert: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with categories as text."""
    columns = [c.dictionary_decode() if pa.types.is_dictionary(c.type) else c for c in alert.columns]
    return pa.record_batch(columns, names=alert.schema.names)


def _plain(found: FilterAnswer) -> dict[str, Any]:
    conditions = None if found.conditions is None else [dict(vars(condition)) for condition in found.conditions]
    return {"topic": found.topic, "outcome": found.outcome, "passed": found.passed, "n_failed": found.n_failed,
            "conditions": conditions, "values": dict(found.values)}  # fmt: skip


def _command(runs: Mapping[int, Mapping[str, Any]], run: int | None) -> str | None:
    found = None if run is None else runs.get(run)
    return None if found is None else str(found["command"])


def _letters(store: Store, text: str) -> Iterator[dict[str, Any]]:
    """Dead letters whose bytes hold the identifier: an object's as text, an alert's as Avro writes a long."""
    number = alert_number(text)
    wanted = [text.encode(), *([avro_long(number)] if number is not None else [])]
    wanted = [mark for mark in wanted if len(mark) >= 4]  # fewer bytes are found anywhere
    for row in store.dead_letters.table(limit=MAX_LETTERS).to_pylist() if wanted else ():
        with suppress(NotFound):  # removed meanwhile
            data = store.dead_letters.get(row["id"]).data
            if any(mark in data for mark in wanted):
                yield row


def avro_long(number: int) -> bytes:
    """A number as an Avro packet holds it.

    >>> avro_long(0), avro_long(64).hex()
    (b'\\x00', '8001')
    """
    left, found = number << 1, bytearray()
    while left > 0x7F:
        found.append(left & 0x7F | 0x80)
        left >>= 7
    return bytes([*found, left])


def _is_found(answer: Mapping[str, Any]) -> bool:
    return bool(answer["stored"] or answer["rejected"] or answer["dead_letters"])


def _show(answer: Mapping[str, Any]) -> None:
    fates = [*_stored_rows(answer["stored"]), *_rejected_rows(answer["rejected"])]
    fates += [{"outcome": f"dead letter {row['id']}", "why": row["reason"], "where": _position(row)}
              for row in answer["dead_letters"]]  # fmt: skip
    print_rows(fates, _HEADINGS, none="")
    rows = [_filter_row(alert, found) for alert in answer["stored"] for found in alert["filters"]]
    if rows:
        print_rows(rows, {"alert_id": "alert", "topic": "filter", "outcome": "outcome", "why": "why"},
                   title="Filters", none="")  # fmt: skip
    replaced = [_replaced_row(alert, row) for alert in answer["stored"] for row in alert["revisions"]
                if row["value_before"] != row["value_after"]]  # fmt: skip
    if replaced:
        print_rows(replaced, {"alert_id": "alert", "column": "column", "before": "before", "after": "after",
                              "by": "by", "revised": "reprocessed"}, title="Replaced values", none="")  # fmt: skip


def _stored_rows(stored: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for row in stored:
        facts = {"night": str(row["night"]), "outcome": "stored", "why": row["command"]}
        segment = f"segment {row['segment']}, row {row['row']}"
        yield {**row, **facts, "where": segment if row["source"] is None else _position(row)}


def _rejected_rows(rejected: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for row in rejected:
        column = row["reason"].removeprefix(CUT).split()[0]
        value = "is missing" if row["value"] is None else f"is {row['value']}"
        times = f", {row['n']} times" if row["n"] > 1 else ""
        why = f"{row['reason']}; {column} {value}"
        yield {**row, "night": str(row["night"]), "outcome": f"rejected{times}", "why": why, "where": _position(row)}


def _position(row: Mapping[str, Any]) -> str:
    return f"{row['source']}, {row['position']}"


def _filter_row(alert: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    if found["conditions"] is None:
        why = _named(found["values"])
    else:
        failed = [condition for condition in found["conditions"] if not condition["holds"]]
        why = "; ".join(f"{c['text']} fails: {_named(c['values'])}" for c in failed)
    return {"alert_id": alert["alert_id"], "topic": found["topic"], "outcome": found["outcome"], "why": why or None}


def _replaced_row(alert: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    by = row["by_after"] if row["by_before"] in (None, row["by_after"]) else f"{row['by_before']} -> {row['by_after']}"
    texts = {name: _short(row[f"value_{name}"]) for name in ("before", "after")}
    return {"alert_id": alert["alert_id"], "column": row["column"], **texts, "by": by, "revised": row["revised"][:19]}


def _short(text: str | None) -> str | None:
    return text if text is None or len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _named(values: Mapping[str, Any]) -> str:
    texts = (f"{name} is {'unknown' if value is None else value}" for name, value in values.items())
    return ", ".join(texts) or "reads a column that is not stored"
