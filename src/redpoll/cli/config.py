"""``redpoll config``: the commented default configuration."""

from __future__ import annotations

import click

from redpoll.config import default_toml


@click.command(epilog="Example: redpoll config > redpoll.toml && redpoll run night --config redpoll.toml")
def command() -> None:
    """Print every setting with its default, as a TOML file to start from."""
    click.echo(default_toml(), nl=False)
