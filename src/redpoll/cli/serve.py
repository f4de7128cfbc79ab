"""``redpoll serve``: the portal and the API."""

from __future__ import annotations

from pathlib import Path

import click

from redpoll.cli.options import config_option, store_of, store_option, verbose_option
from redpoll.config import Config
from redpoll.errors import UsageError
from redpoll.serve import serve


@click.command(epilog="Example: redpoll serve --store my-store --port 9000")
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one.  [default: 8700]")
@store_option
@config_option
@verbose_option
def command(host: str | None, port: int | None, store: Path | None, config: Config) -> None:
    """Serve pages and API over a store until Ctrl-C; a run may write to it meanwhile."""
    serve_until_interrupted(store_of(store, config), host or config.serve.host,
                            config.serve.port if port is None else port)  # fmt: skip


def serve_until_interrupted(store: Path, host: str, port: int) -> None:
    """Serve, and print the address."""
    serve(store, host, port, ready=lambda address: click.echo(f"Serving {store} at {address}  (Ctrl-C ends it)"))


def serve_anywhere(store: Path, host: str, port: int) -> None:
    """Serve at this port or, if it is taken, at a free one."""
    try:
        serve_until_interrupted(store, host, port)
    except UsageError as error:
        click.echo(f"redpoll: {error}; taking a free port instead", err=True)
        serve_until_interrupted(store, host, 0)
