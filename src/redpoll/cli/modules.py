"""``redpoll modules``: what is computed, from what, by which version, and at what cost."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from inspect import cleandoc
from pathlib import Path
from typing import Any

import click

from redpoll.cli.options import (
    catalogs_option,
    config_option,
    json_option,
    used_store_option,
    verbose_option,
    with_catalogs,
)
from redpoll.cli.output import print_json, print_rows, progress
from redpoll.config import Config
from redpoll.errors import near
from redpoll.ingest.files import open_sources
from redpoll.log import plain_text
from redpoll.pipeline.assemble import build_graph, open_enrichment
from redpoll.pipeline.contexts import context_columns
from redpoll.pipeline.enrich import Enrichment
from redpoll.pipeline.shipped import shipped_models
from redpoll.pipeline.timing import Timing, measure, sample_batches
from redpoll.plugin.discovery import broken_plugins
from redpoll.schema.alert import COLUMNS
from redpoll.schema.column import Column

SAMPLE = "simulate://ztf?alerts=1000&seed=1"


@click.command(epilog="Example: redpoll modules tde; redpoll modules --timing --alerts night.tar.gz")
@click.argument("name", required=False)
@click.option("--timing", is_flag=True, help="Measure what each costs, filters and cross-match included.")
@click.option("--alerts", "inputs", multiple=True, metavar="INPUT",
              help=f"Packets to measure on: file, folder or URI; may be repeated.  [default: {SAMPLE}]")  # fmt: skip
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=2000,
    show_default=True,
    help="Maximum number of packets to measure on.",
)
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True, help="Rounds; the fastest counts.")
@used_store_option
@catalogs_option
@config_option
@json_option
@verbose_option
def command(
    name: str | None,
    timing: bool,
    inputs: tuple[str, ...],
    limit: int,
    rounds: int,
    store: Path | None,
    catalogs: Path | None,
    config: Config,
    as_json: bool,
) -> None:
    """List the science modules in the order in which they run, or show the module NAME in full.

    With --timing, measure what each costs.
    """
    if inputs and not timing:
        raise click.UsageError("--alerts goes with --timing")
    if store and not timing:
        raise click.UsageError("--store goes with --timing")
    if name and timing:
        raise click.UsageError("--timing measures all modules; leave out NAME")
    config = with_catalogs(config, catalogs)
    if timing:
        _time(inputs or (SAMPLE,), limit, rounds, open_enrichment(config, store=store), config, as_json)
    elif name:
        show_node(name, config, as_json, is_module=True)
    else:
        list_nodes(config, as_json, is_module=True)


def _time(inputs: tuple[str, ...], limit: int, rounds: int, enrich: Enrichment, config: Config, as_json: bool) -> None:
    with progress("reading packets") as advance:
        batches = sample_batches(open_sources(inputs), config, limit=limit)
        advance(1, 1)
    with progress("timing") as advance:
        found = measure(enrich, batches, rounds=rounds, progress=advance)
    if as_json:
        print_json(_as_dict(found, inputs, rounds) | {"silent": enrich.silent})
    else:
        _show(found, inputs, rounds)
        _show_silent(enrich.silent)
    for name, why in found.failures.items():
        click.echo(f"{name} failed: {plain_text(why)}", err=True)
    if found.failures:
        sys.exit(1)


def _as_dict(found: Timing, inputs: tuple[str, ...], rounds: int) -> dict[str, Any]:
    return {
        "alerts": found.n_alerts,
        "inputs": list(inputs),
        "rounds": rounds,
        "clock": "CPU seconds of this process, fastest round, after a round that is not counted",
        "alerts_per_cpu_second": found.alerts_per_second,
        "costs": found.rows(),
        "failures": found.failures,
    }


def _show(found: Timing, inputs: tuple[str, ...], rounds: int) -> None:
    rows = [
        row | {"us_per_alert": f"{row['us_per_alert']:.1f}", "fraction": _percent(row["fraction"]),
               "answered": _percent(row["answered"])}
        for row in found.rows()
    ]  # fmt: skip
    headings = {
        "name": "name",
        "kind": "kind",
        "us_per_alert": "us an alert",
        "fraction": "fraction",
        "answered": "non-null",
    }
    print_rows(rows, headings, none="Nothing is installed.")
    total = 1e6 / found.alerts_per_second
    click.echo(
        f"{found.alerts_per_second:,.0f} alerts per CPU-second ({total:.0f} us an alert), without decoding and store."
    )
    click.echo(f"{found.n_alerts:,} alerts of {', '.join(inputs)}; CPU time of this process, "
               f"fastest of {rounds} rounds; compiling and the first round are not counted.")  # fmt: skip
    click.echo("non-null: fraction of alerts with a value from a module or catalogue, or that passed a filter.")


def _show_silent(silent: Mapping[str, str]) -> None:
    for why in dict.fromkeys(silent.values()):
        names = [name for name, reason in silent.items() if reason == why]
        click.echo(f"no values, {plain_text(why)}: {', '.join(names)}")


def _percent(fraction: float | None) -> str | None:
    return None if fraction is None else f"{100 * fraction:.1f} %"


def list_nodes(config: Config, as_json: bool, *, is_module: bool) -> None:
    """Print modules or filters; exit code 1 if a plugin is broken."""
    graph = build_graph(config)
    nodes = [node for node in graph.nodes if node.is_module is is_module]
    rows = [_row(node, graph.settings[node.name]) for node in nodes]
    if as_json:
        print_json(rows)
    else:
        made = {"outputs": "makes"} if is_module else {}
        headings = {"name": "name" if is_module else "topic", "version": "version", "inputs": "reads", **made,
                    "settings": "settings", "doc": "what it is"}  # fmt: skip
        print_rows([_short(row) for row in rows], headings, none="Nothing is installed.")
    for error in broken_plugins():
        click.echo(f"broken plugin: {plain_text(error)}", err=True)
    if broken_plugins():
        sys.exit(1)


def show_node(name: str, config: Config, as_json: bool, *, is_module: bool) -> None:
    """Print all about one module or filter: inputs and outputs with units and meanings, settings, version, model."""
    graph = build_graph(config)
    nodes: dict[str, Any] = {node.name: node for node in graph.nodes if node.is_module is is_module}
    if name not in nodes:
        what = "module" if is_module else "filter"
        raise click.UsageError(f"there is no {what} '{name}'{near(name, nodes)}")
    node, made = nodes[name], {column: c for other in graph.nodes for column, c in other.outputs.items()}
    columns = {**context_columns(config), **made, **COLUMNS}
    row = _row(node, graph.settings[name]) | {
        "inputs": {column: _facts(columns.get(column, Column("bool"))) for column in node.inputs},
        "doc": cleandoc(node.doc or ""),
    }
    if as_json:
        print_json(row)
    else:
        _show_in_full(row)


def _show_in_full(row: Mapping[str, Any]) -> None:
    click.echo(f"{row['name']}, version {row['version']}\n\n{row['doc']}\n")
    if row["model"]:
        origin = "which comes with Redpoll" if row["model"] in shipped_models() else "its columns are null without it"
        click.echo(f"Uses the trained model '{row['model']}', {origin}; `redpoll models` shows its versions.\n")
    headings = {"column": "column", "dtype": "type", "unit": "unit", "doc": "meaning"}
    for title, key in (("Inputs", "inputs"), ("Outputs", "outputs")):
        rows = [{"column": name, **facts, "unit": facts["unit"] or None} for name, facts in row[key].items()]
        print_rows(rows, headings, title=title, none=f"No {key}.")
    settings = [{"setting": name, "value": repr(value)} for name, value in row["settings"].items()]
    print_rows(settings, {"setting": "setting", "value": "value"}, title="Settings", none="No settings.")


def _facts(column: Column) -> dict[str, str]:
    return {"dtype": str(column.arrow_type), "unit": column.unit, "doc": column.doc}


def _row(node: Any, changed: dict[str, Any]) -> dict[str, Any]:
    outputs = {name: _facts(column) for name, column in node.outputs.items()}
    return {
        "name": node.name,
        "version": node.version,
        "model": node.model,
        "inputs": list(node.inputs),
        "outputs": outputs,
        "settings": {**node.settings, **changed},
        "doc": (node.doc or "").strip().partition("\n")[0],
    }


def _short(row: dict[str, Any]) -> dict[str, Any]:
    names = list(row["outputs"])
    outputs = names if len(names) <= 8 else [*names[:6], f"... {len(names)} columns"]
    return row | {"outputs": outputs, "settings": [f"{k} = {v!r}" for k, v in row["settings"].items()]}
