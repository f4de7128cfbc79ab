"""The group of verbs, and what an error becomes: a line on stderr and exit code 1, or 2 where it is misuse."""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click

from redpoll.errors import RedpollError, UsageError
from redpoll.log import plain_lines, plain_text

VERBS = {
    "demo": "demo",
    "run": "run",
    "simulate": "simulate",
    "fetch": "fetch",
    "try": "try_out",
    "catalog": "catalog",
    "region": "region",
    "skymap": "skymap",
    "modules": "modules",
    "filters": "filters",
    "query": "query",
    "reprocess": "reprocess",
    "label": "label",
    "train": "train",
    "evaluate": "evaluate",
    "models": "models",
    "recommend": "recommend",
    "observations": "observations",
    "cosmology": "cosmology",
    "anomaly": "anomaly",
    "learn": "learn",
    "ledger": "ledger",
    "dead-letters": "dead_letters",
    "why": "why",
    "store": "store",
    "serve": "serve",
    "config": "config",
    "version": "version",
}
"""Verb -> the file that holds it."""


class Verbs(click.Group):
    """A group whose commands are imported when they are asked for, so that each starts fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All verbs, in the order of a night's work."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a verb."""
        if cmd_name not in VERBS:
            return None
        command: click.Command = import_module(f"redpoll.cli.{VERBS[cmd_name]}").command
        return command


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def redpoll() -> None:
    """An alert broker for time-domain surveys: reads packets, classifies their alerts, stores and serves them.

    \b
    Example:
      redpoll simulate night --survey ztf --alerts 1000 --out night
      redpoll run night --store my-store
      redpoll serve --store my-store
    """


def main() -> None:
    """Entry point of the command; exit code 0 done, 1 failed, 2 misused."""
    _open_closed_streams()
    try:
        try:
            redpoll.main(prog_name="redpoll", standalone_mode=False)
        finally:
            sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("redpoll: stopped", err=True)
        sys.exit(130)
    except RedpollError as error:
        click.echo(f"redpoll: {plain_lines(error)}", err=True)
        sys.exit(2 if isinstance(error, UsageError) else 1)
    except BrokenPipeError:
        write_no_more()
        sys.exit(0)
    except OSError as error:  # a full disk, most often under standard output
        write_no_more()
        name = f" {plain_text(error.filename)}" if error.filename else ""
        click.echo(f"redpoll: cannot read or write{name}: {error.strerror or error}", err=True)
        sys.exit(1)


def write_no_more() -> None:
    """Redirect standard output to the null device, because Python's buffered output cannot be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _open_closed_streams() -> None:
    """Lead streams that the caller has closed to nowhere; a file would get their numbers, and be written to."""
    while (handle := os.open(os.devnull, os.O_RDWR)) <= 2:
        if handle == 1:
            sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
        if handle == 2:
            sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
    os.close(handle)
