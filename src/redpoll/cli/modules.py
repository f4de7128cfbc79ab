"""``redpoll modules``: what is computed, from what, by which version."""

from __future__ import annotations

import sys
from typing import Any

import click

from redpoll.cli.options import config_option, json_option, verbose_option
from redpoll.cli.output import print_json, print_rows
from redpoll.config import Config
from redpoll.pipeline.assemble import build_graph
from redpoll.plugin.discovery import broken_plugins


@click.command(epilog="Example: redpoll modules --json")
@config_option
@json_option
@verbose_option
def command(config: Config, as_json: bool) -> None:
    """List the science modules in the order in which they run."""
    list_nodes(config, as_json, is_module=True)


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
        click.echo(f"broken plugin: {error}", err=True)
    if broken_plugins():
        sys.exit(1)


def _row(node: Any, changed: dict[str, Any]) -> dict[str, Any]:
    outputs = {name: {"dtype": str(c.arrow_type), "unit": c.unit, "doc": c.doc} for name, c in node.outputs.items()}
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
