"""The first rows of an answer, for a terminal and for a notebook."""

from __future__ import annotations

import math
from html import escape
from typing import Any

import pyarrow as pa

from redpoll.formats.values import shortest
from redpoll.schema.column import field_fact

_MAX_COLUMNS, _FEW_COLUMNS, _MAX_VALUES = 12, 6, 12
_CELL, _WIDE_CELL = 24, 72
"""Maximum number of characters of a cell, and of one in a table of few columns."""


def as_text(table: pa.Table, follows: bool) -> str:
    """The rows as lines of text, columns aligned."""
    head, *body = rows = [_names(table), *_rows(table)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*lines, *_notes(table, follows, bool(body))])


def as_html(table: pa.Table, follows: bool) -> str:
    """The rows as an HTML table, the meaning of each column in its tooltip."""
    titles = [_title(field) for field in list(table.schema)[:_MAX_COLUMNS]]
    names = _names(table)
    titles += [""] * (len(names) - len(titles))
    head = "".join(
        f'<th title="{escape(title)}">{escape(name)}</th>' for name, title in zip(names, titles, strict=True)
    )
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in _rows(table))
    notes = "".join(f"<p>{escape(note)}</p>" for note in _notes(table, follows, table.num_rows > 0))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{notes}"


def _names(table: pa.Table) -> list[str]:
    names = table.column_names
    return names if len(names) <= _MAX_COLUMNS else [*names[:_MAX_COLUMNS], "..."]


def _rows(table: pa.Table) -> list[list[str]]:
    columns = [table.column(i) for i in range(min(_MAX_COLUMNS, table.num_columns))]
    end = ["..."] if table.num_columns > _MAX_COLUMNS else []
    widest = _WIDE_CELL if table.num_columns <= _FEW_COLUMNS else _CELL
    cells = [[_cell(value, column.type, widest) for value in column.to_pylist()] for column in columns]
    return [[*row, *end] for row in zip(*cells, strict=True)]


def _notes(table: pa.Table, follows: bool, has_rows: bool) -> list[str]:
    notes = [] if has_rows else ["no rows"]
    notes += ["more rows follow"] if follows else []
    left = table.num_columns - _MAX_COLUMNS
    return [*notes, *([f"{left} more columns: see .schema.names"] if left > 0 else [])]


def _title(field: pa.Field) -> str:
    unit, doc = field_fact(field, "unit"), field_fact(field, "doc")
    return f"{doc} [{unit}]" if unit else doc


def _cell(value: Any, kind: pa.DataType, widest: int) -> str:
    if value is None:
        return "-"
    if isinstance(value, bytes):
        return f"{len(value):,} bytes"
    if isinstance(value, list) and (len(value) > _MAX_VALUES or any(isinstance(item, dict) for item in value)):
        return f"{len(value)} values"
    if isinstance(value, float):
        return str(shortest(value)) if pa.types.is_float32(kind) and math.isfinite(value) else f"{value:.8g}"
    text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(value))
    return text if len(text) <= widest else f"{text[: widest - 3]}..."
