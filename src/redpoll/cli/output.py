"""Tables and progress for people on a terminal, JSON for programs on stdout."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table


class Advance(Protocol):
    """Moves a progress bar."""

    def __call__(self, done: int, total: int | None, note: str = "") -> None:
        """Say how much is done, of how much if that is known, and a word about it."""
        ...


def print_json(data: Any) -> None:
    """Data on stdout as JSON, null for what is not finite; 64-bit ids are the caller's to make strings."""
    click.echo(json.dumps(_finite(data), indent=2, default=_plain, allow_nan=False))


def print_rows(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], *, title: str = "", none: str) -> None:
    """A table on stdout: `columns` maps keys of the rows to headings; `none` is said where there are no rows."""
    if not rows:
        click.echo(none, err=True)
        return
    table = Table(title=title or None, title_justify="left", header_style="bold")
    for heading in columns.values():
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row.get(key)) for key in columns))
    Console(file=sys.stdout, width=None if sys.stdout.isatty() else 140).print(table)


@contextmanager
def progress(what: str, *, in_bytes: bool = False) -> Iterator[Advance]:
    """A progress bar with rate and time left on stderr; yields a function of (done, total)."""
    amount = [DownloadColumn(), TransferSpeedColumn()] if in_bytes else [MofNCompleteColumn()]
    columns = [
        TextColumn("{task.description}"),
        BarColumn(),
        *amount,
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(),
    ]
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(what, total=None, note="")

        def advance(done: int, total: int | None, note: str = "") -> None:
            bars.update(task, completed=done, total=total, note=note)

        yield advance


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6f}" if abs(value) >= 1e4 else f"{value:.5g}"
    if isinstance(value, Mapping):
        return "\n".join(f"{n:,}  {reason}" for reason, n in value.items()) or "-"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "-"
    return f"{value:,}" if isinstance(value, int) and abs(value) < 10**7 else str(value)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    return [_finite(inner) for inner in value] if isinstance(value, list | tuple) else value


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else str(value)
