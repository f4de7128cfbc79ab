"""Tables and progress for people on a terminal, JSON for programs on stdout."""

from __future__ import annotations

import csv
import io
import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
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
from rich.text import Text

from redpoll.log import plain_text

_TEXT_WIDTH = 8


class Advance(Protocol):
    """Moves a progress bar."""

    def __call__(self, done: int, total: int | None, note: str = "") -> None:
        """Report how much is done, of how much if that is known, with a note."""
        ...


def print_json(data: Any) -> None:
    """Print data as JSON, with null for values that are not finite; callers convert 64-bit ids to strings."""
    click.echo(json.dumps(_finite(data), indent=2, default=_plain, allow_nan=False))


def csv_bytes(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> bytes:
    """A CSV file of rows with these columns, which every row has."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def utc_text(time: datetime) -> str:
    """A time to the second, as tables show it.

    >>> utc_text(datetime(2026, 12, 1, 4, 5, 6, 700))
    '2026-12-01 04:05:06'
    """
    return time.isoformat(sep=" ", timespec="seconds")[:19]


def print_rows(
    rows: Sequence[Mapping[str, Any]],
    columns: Mapping[str, str],
    *,
    title: str = "",
    total: Mapping[str, Any] | None = None,
    none: str,
) -> None:
    """A table on stdout: `columns` maps keys of the rows to headings; `none` is printed where there are no rows.

    Text is shown as it is, never as markup of the terminal. Numbers are never cut: where they need more than the
    terminal's width, the table is wider than the terminal.
    """
    if not rows:
        click.echo(none, err=True)
        return
    table = Table(title=Text(title) if title else None, title_justify="left", header_style="bold")
    shown = [*rows] if total is None else [*rows, total]
    for key, heading in columns.items():
        is_number = all(isinstance(row.get(key), int | float | None) for row in shown)
        table.add_column(Text(heading), overflow="fold", no_wrap=is_number)
    for row in rows:
        table.add_row(*(Text(_cell(row.get(key))) for key in columns))
    if total is not None:
        table.add_section()
        table.add_row(*(Text(_cell(total[key]) if key in total else "") for key in columns))
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else 140)
    console.width = max(console.width, _min_width(table))
    console.print(table)


def _min_width(table: Table) -> int:
    """Width below which a number would be cut or a column of text have less than `_TEXT_WIDTH`."""
    widths = []
    for column in table.columns:
        cells = [column.header, *column.cells] if column.no_wrap else [column.header]
        widest = max(cell.cell_len for cell in cells if isinstance(cell, Text))
        widths.append(widest if column.no_wrap else min(_TEXT_WIDTH, widest))
    return sum(widths) + 3 * len(widths) + 1


@contextmanager
def progress(what: str, *, in_bytes: bool = False) -> Iterator[Advance]:
    """A progress bar with rate and time left on stderr; yields a function of (done, total)."""
    amount = [DownloadColumn(), TransferSpeedColumn()] if in_bytes else [MofNCompleteColumn()]
    columns = [
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        *amount,
        TextColumn("{task.fields[note]}", markup=False),
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
        return "\n".join(f"{n:,}  {plain_text(reason)}" for reason, n in value.items()) or "-"
    if isinstance(value, list | tuple):
        return ", ".join(map(plain_text, value)) or "-"
    return f"{value:,}" if isinstance(value, int) and abs(value) < 10**7 else plain_text(value)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    return [_finite(inner) for inner in value] if isinstance(value, list | tuple) else value


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else str(value)
