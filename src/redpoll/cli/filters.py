"""``redpoll filters``: the named selections."""

from __future__ import annotations

import click

from redpoll.cli.modules import list_nodes
from redpoll.cli.options import config_option, json_option, verbose_option
from redpoll.config import Config


@click.command(epilog="Example: redpoll filters")
@config_option
@json_option
@verbose_option
def command(config: Config, as_json: bool) -> None:
    """List the filters; each has a topic."""
    list_nodes(config, as_json, is_module=False)
