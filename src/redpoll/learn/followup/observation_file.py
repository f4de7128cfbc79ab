"""What came of observations: classifications in the table of a plan, or another, as labels."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from redpoll.learn.checked_table import CheckedTable, NumberColumn, read_checked_table
from redpoll.learn.errors import DatasetError
from redpoll.schema.bands import SURVEYS
from redpoll.store.app.ports import Label

_TEXTS = ("object_id", "survey", "label", "telescope", "start", "note")
_CONFIDENCE = NumberColumn(0.0, 1.0, may_lack=True, what="confidence")
_MAX_TEXT = 1000
_TIME = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?Z?")


@dataclass(frozen=True)
class Observed:
    """Labels of the rows that have one, and how many rows have none: not observed, or not conclusive."""

    labels: list[Label]
    n_without: int


def read_observations(path: Path, *, survey: str | None, by: str) -> Observed:
    """The classifications of a table with the columns ``object_id`` and ``label``.

    Parameters
    ----------
    path
        The table of ``redpoll recommend``, filled in, or another. It may have ``survey``, ``confidence``,
        ``telescope``, ``start`` (UTC, as 2026-12-01T23:10) and ``note``; telescope and time become part of the note.
    survey
        Survey of rows that name none; None: every row with a label has to.
    by
        Who classified.

    Raises
    ------
    DatasetError
        If the file or a value cannot be used; nothing is taken then.
    """
    table = read_checked_table(path, {"confidence": _CONFIDENCE}, _TEXTS, required=("object_id", "label"))
    _check(table, path, survey)
    found = [_label(table, i, survey, by) for i, word in enumerate(table.texts["label"]) if word]
    return Observed(found, table.n_rows - len(found))


def _check(table: CheckedTable, path: Path, survey: str | None) -> None:
    words = table.texts["label"]
    has = np.array([bool(word) for word in words])
    surveys = table.texts.get("survey", [""] * table.n_rows)
    if "survey" not in table.texts and survey is None and has.any():
        raise DatasetError(f"{path}: has no column 'survey'; give --survey")
    is_known = np.array([each in SURVEYS or (not each and survey is not None) for each in surveys])
    table.refuse(has & ~is_known, "survey", f"is no survey; use {' or '.join(SURVEYS)}, or give --survey", path)
    for name in ("label", "note", "telescope"):
        long = np.array([len(text) > _MAX_TEXT for text in table.texts.get(name, [""] * table.n_rows)])
        table.refuse(long, name, f"is too long; use at most {_MAX_TEXT} characters", path)
    wrong = np.array([bool(text) and not _TIME.fullmatch(text) for text in table.texts.get("start", [""] * len(words))])
    table.refuse(wrong, "start", "is no time; write the UTC as 2026-12-01T23:10", path)


def _label(table: CheckedTable, i: int, survey: str | None, by: str) -> Label:
    def text(name: str) -> str:
        return table.texts[name][i] if name in table.texts else ""

    confidence = table.numbers["confidence"][i] if "confidence" in table.numbers else np.nan
    where = " ".join(part for part in (text("telescope"), text("start")) if part)
    note = "; ".join(part for part in (f"observed: {where}" if where else "", text("note")) if part)
    return Label(
        survey=text("survey") or str(survey), object_id=text("object_id"), label=text("label"), source="expert", by=by,
        confidence=None if np.isnan(confidence) else float(confidence), note=note,
    )  # fmt: skip
