"""``redpoll query``: alerts of a store as a file, or on standard output."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from uuid import uuid4

import click

from redpoll import client
from redpoll.cli.main import write_no_more
from redpoll.cli.options import config_option, selection_options, store_of, store_option, verbose_option
from redpoll.cli.output import progress
from redpoll.client.result import QueryResult
from redpoll.config import Config
from redpoll.errors import RedpollError, UsageError
from redpoll.formats import Format, check_schema, open_writer

if TYPE_CHECKING:
    from redpoll.store.selection import Order

FORMATS = ("csv", "json", "votable", "parquet", "arrow")
ENDINGS = {
    ".csv": "csv", ".json": "json", ".vot": "votable", ".votable": "votable", ".xml": "votable",
    ".parquet": "parquet", ".pq": "parquet", ".arrow": "arrow", ".feather": "arrow", ".ipc": "arrow",
}  # fmt: skip
"""Ending of a file's name -> format."""
_BINARY = ("parquet", "arrow")
_SHOWN_CLASSES = 12


@click.command(
    epilog='Example: redpoll query "mag < 18 and is_rising" --columns alert_id,object_id,mag --out bright.parquet'
)
@click.argument("where", required=False)
@click.option("--columns", metavar="NAMES", help="Names of columns, separated by commas, or 'all'.  [default: indexed]")
@selection_options
@click.option("--order-by", type=click.Choice(["newest", "oldest", "separation", "hpx29"]),
              help="Order of the rows.  [default: separation with --cone, else newest]")  # fmt: skip
@click.option("--limit", type=click.IntRange(min=0), metavar="N", help="Maximum number of rows.  [default: all]")
@click.option("--format", "format_name", type=click.Choice(FORMATS),
              help="Format.  [default: by the ending of --out, else csv]")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="File to write.  [default: standard output]")  # fmt: skip
@click.option("--force", is_flag=True, help="Replace FILE if it exists.")
@store_option
@config_option
@verbose_option
def command(
    where: str | None,
    columns: str | None,
    order_by: Order | None,
    limit: int | None,
    format_name: str | None,
    out: Path | None,
    force: bool,
    store: Path | None,
    config: Config,
    **conditions: Any,
) -> None:
    """Write the alerts that fulfil WHERE and every option given, all rows unless --limit is set.

    WHERE is an expression over columns as in filters, such as "mag < 18 and is_rising". Rows are written while they are
    read, so that memory does not grow with their number. CSV and VOTable hold numbers, text, topics and classes; json
    light curves as well; parquet and arrow every column.
    """
    kind, root = format_of(format_name, out), store_of(store, config)
    if out is not None and Path(os.path.realpath(out)).is_relative_to(os.path.realpath(root)):
        raise UsageError(f"{out} is inside the store {root}: name a file outside of it")
    with client.open(root) as opened:
        found = opened.alerts(where, columns, **conditions, order_by=order_by, limit=limit)
        check_schema(kind, found.schema)
        with new_file(out, force=force) if out is not None else standard_output(kind) as file:
            n = write_rows(found, kind, file, limit)
        hint = f"; {_assigned(opened)}" if not n and conditions["class_"] is not None else ""
    click.echo(f"{n:,} alerts{'' if out is None else f' in {out}'}{hint}", err=True)


def _assigned(opened: client.Client) -> str:
    """The classes that alerts of the store have, most frequent first."""
    counts = opened.classes().to_arrow().to_pylist()
    names = [f"{row['class']} ({row['n_alerts']:,})" for row in counts[:_SHOWN_CLASSES]]
    return f"assigned in this store: {', '.join(names) or 'no class'}{', ...' if len(counts) > len(names) else ''}"


def format_of(name: str | None, out: Path | None) -> Format:
    """The format that is asked for, or that the ending of the file's name stands for; CSV on standard output.

    >>> format_of(None, Path("a.parquet")), format_of("arrow", Path("a")), format_of(None, None)
    ('parquet', 'arrow_file', 'csv')
    """
    if name is None and out is not None and out.suffix.lower() not in ENDINGS:
        raise UsageError(f"the ending of '{out.name}' names no format: use --format {'|'.join(FORMATS)}")
    kind = name if name is not None else "csv" if out is None else ENDINGS[out.suffix.lower()]
    formats: dict[str, Format] = {
        "csv": "csv", "json": "json", "votable": "votable", "parquet": "parquet",
        "arrow": "arrow" if out is None else "arrow_file",
    }  # fmt: skip
    return formats[kind]


def write_rows(found: QueryResult, format: Format, file: BinaryIO, limit: int | None) -> int:
    """Write all rows with a progress bar on stderr; returns how many there are."""
    n = 0
    writer = open_writer(format, file, found.schema)
    with progress("writing") as advance:
        for batch in found.batches():
            writer.write(batch)
            n += batch.num_rows
            advance(n, limit)
    writer.close()
    return n


@contextmanager
def new_file(path: Path, *, force: bool) -> Iterator[BinaryIO]:
    """A file that appears under its name once it is complete; UsageError if there is one and not `force`.

    A symbolic link stays: the file that it names is made or replaced. A device or a named pipe is written to.
    """
    path = Path(os.path.realpath(path))
    with _write_errors(str(path)):
        if _exists(path) and not path.is_file():
            with path.open("wb") as file:
                yield file
            return
        if path.is_file() and not force:
            raise UsageError(f"{path} exists; use --force to replace it")
        if not path.parent.is_dir():
            raise UsageError(f"there is no folder {path.parent}")
        unfinished = path.with_name(f".redpoll-{uuid4().hex}.tmp")
        try:
            with unfinished.open("xb") as file:
                yield file
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)


def write_files(files: Mapping[Path, bytes], *, force: bool) -> None:
    """Make the files as `new_file` does, one after the other, with the folders that they lie in."""
    for path, data in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with new_file(path, force=force) as file:
            file.write(data)


@contextmanager
def standard_output(format: Format) -> Iterator[BinaryIO]:
    """Standard output as bytes; UsageError if the format is binary and it is a terminal."""
    if format in _BINARY and sys.stdout.isatty():
        raise UsageError(f"{format} is binary and standard output a terminal: use --out FILE, or a pipe")
    try:
        with _write_errors("standard output"), open(sys.stdout.fileno(), "wb", closefd=False) as file:
            yield file
    except BrokenPipeError:  # the reader has gone, which is no error
        write_no_more()
        sys.exit(0)


def _exists(path: Path) -> bool:
    try:
        path.stat()
    except FileNotFoundError:
        return False
    return True


@contextmanager
def _write_errors(name: str) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise RedpollError(f"cannot write {name}: {error.strerror or error}") from error
