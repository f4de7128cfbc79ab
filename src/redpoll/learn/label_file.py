"""Labels in a table that people write: CSV, Parquet, FITS or VOTable."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from redpoll.catalogs.table_file import open_table
from redpoll.catalogs.tables import Table, require_columns
from redpoll.errors import UsageError, near
from redpoll.store.app.ports import Label, LabelSource

_NEEDED = ("object_id", "label")
_MORE = ("survey", "alert_id", "source", "by", "confidence", "note")
_EXPORTED = ("label_id", "added", "class")
"""Columns that ``redpoll label export`` writes and that a store gives anew."""
_MAX_SHOWN = 5
_MAX_ID = 1 << 63


def read_labels(path: Path, *, survey: str | None, source: LabelSource, by: str) -> list[Label]:
    """The labels in a table with columns ``object_id`` and ``label``; all of its rows, or an error.

    Parameters
    ----------
    path
        A CSV (or tab, semicolon, bar), Parquet, FITS or VOTable file. It may have the columns ``survey``, ``alert_id``,
        ``source``, ``by``, ``confidence`` and ``note`` as well; others are refused.
    survey, source, by
        What holds for rows without a value in these columns; `survey` None: every row has to name it.

    Raises
    ------
    CatalogError
        If the file cannot be read.
    UsageError
        If a column is unknown or missing, or a row has a value that cannot be used; it names the first such rows.
    """
    with open_table(path) as table:
        names = _columns(table, path)
        rows = list(_rows(table, names))
        if odd := getattr(table, "n_odd", 0):
            raise UsageError(f"{path}: {odd} rows have more or fewer values than its header; nothing was imported")
    fallback = {"survey": survey, "source": source, "by": by}
    problems: list[str] = []
    labels = [label for n, row in enumerate(rows, 1) if (label := _label(fallback | row, n, problems.append))]
    if problems:
        rest = f"; {len(problems) - _MAX_SHOWN} more" if len(problems) > _MAX_SHOWN else ""
        raise UsageError(f"{path}: {'; '.join(problems[:_MAX_SHOWN])}{rest}; nothing was imported")
    return labels


def _columns(table: Table, path: Path) -> list[str]:
    require_columns(table, _NEEDED, str(path))
    known = (*_NEEDED, *_MORE, *_EXPORTED)
    if unknown := [name for name in table.names if name not in known]:
        raise UsageError(f"{path}: column '{unknown[0]}' is none of a table of labels{near(unknown[0], known)}")
    return [name for name in table.names if name not in _EXPORTED]


def _rows(table: Table, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The values of each row that are not empty."""
    for batch in table.batches(names):
        columns = {name: _plain(column) for name, column in batch.items()}
        for values in zip(*columns.values(), strict=True):
            yield {n: v for n, v in zip(columns, values, strict=True) if v is not None and v != ""}


def _plain(column: pa.Array | pa.ChunkedArray) -> list[Any]:
    values: list[Any] = column.to_pylist()
    return [v.strip() if isinstance(v, str) else v for v in values]


def _label(row: dict[str, Any], n: int, problem: Callable[[str], None]) -> Label | None:
    try:
        return Label(
            survey=_text(row, "survey"),
            object_id=_identifier(row.get("object_id"), "object_id"),
            label=_text(row, "label"),
            source=row["source"],
            by=_text(row, "by"),
            alert_id=_integer(row["alert_id"]) if "alert_id" in row else None,
            confidence=_number(row["confidence"]) if "confidence" in row else None,
            note=str(row.get("note", "")),
        )
    except ValueError as error:
        problem(f"row {n}: {error}")
        return None


def _text(row: dict[str, Any], name: str) -> str:
    if not isinstance(row.get(name), str):
        remedy = "; give --survey" if name == "survey" else ""
        raise ValueError(f"{name} {row[name]!r} is no text" if row.get(name) is not None else f"no {name}{remedy}")
    return str(row[name])


def _identifier(value: Any, name: str) -> str:
    """Text, or a whole number as text; a float cannot hold 64 bits exactly."""
    if isinstance(value, bool | float) or value is None:
        raise ValueError(f"no {name}" if value is None else f"{name} {value!r} is no text or whole number")
    return str(value)


def _integer(value: Any) -> int:
    text = _identifier(value, "alert_id")
    if not text.lstrip("+-").isdecimal() or not text.isascii() or len(text) > 20 or abs(int(text)) >= _MAX_ID:
        raise ValueError(f"alert_id {text[:40]!r} is no 64-bit integer")
    return int(text)


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ValueError(f"confidence {str(value)[:40]!r} is no number") from None
