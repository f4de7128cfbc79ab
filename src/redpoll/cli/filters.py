"""``redpoll filters``: the named selections."""

from __future__ import annotations

import click

from redpoll.cli.modules import list_nodes, show_node
from redpoll.cli.options import config_option, json_option, verbose_option
from redpoll.config import Config


@click.command(epilog="Example: redpoll filters fast_risers")
@click.argument("name", required=False)
@config_option
@json_option
@verbose_option
def command(name: str | None, config: Config, as_json: bool) -> None:
    """List the filters, each of which has a topic, or show the filter NAME in full."""
    if name:
        show_node(name, config, as_json, is_module=False)
    else:
        list_nodes(config, as_json, is_module=False)
