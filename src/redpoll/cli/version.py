"""``redpoll version``: of Redpoll and of what its answers depend on."""

from __future__ import annotations

import platform
from importlib.metadata import version

import click

from redpoll import __version__
from redpoll.cli.options import json_option
from redpoll.cli.output import print_json

_PARTS = ("numpy", "numba", "pyarrow", "fastapi")


@click.command(epilog="Example: redpoll version --json")
@json_option
def command(as_json: bool) -> None:
    """Print the version."""
    parts = {"redpoll": __version__, "python": platform.python_version(), **{name: version(name) for name in _PARTS}}
    if as_json:
        print_json(parts)
    else:
        click.echo("\n".join(f"{name} {number}" for name, number in parts.items()))
