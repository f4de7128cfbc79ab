"""The index of columns by question names columns that exist, with their true origin."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from redpoll.schema.alert import COLUMNS
from redpoll_reference.links import made

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "find-a-column.md"
ROW = re.compile(r"^\| ([^|]+\?) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def rows() -> list[tuple[str, list[str], str]]:
    """Question, columns and origin of each row."""
    found = ROW.findall(PAGE.read_text(encoding="utf-8"))
    return [(question, re.findall(r"`(\w+)`", columns), origin.strip("` ")) for question, columns, origin in found]


@pytest.fixture(scope="module")
def origins() -> dict[str, str]:
    joined = ("light_curve", "packet_light_curve", "history_days", "n_points")
    columns = dict.fromkeys(COLUMNS, "survey") | dict.fromkeys(joined, "history")
    return columns | {name: maker for name, _, maker, _ in made()}


def test_every_column_exists_and_comes_from_where_the_page_says(origins: dict[str, str]) -> None:
    wrong = [(name, origin) for _, columns, origin in rows() for name in columns if origins.get(name) != origin]
    assert wrong == []


def test_every_row_of_the_page_is_read() -> None:
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    assert len(rows()) == len([line for line in lines if not line.startswith("| question")]) > 60
    assert all(columns for _, columns, _ in rows())


def test_no_question_is_asked_twice() -> None:
    questions = [question for question, _, _ in rows()]
    assert len(set(questions)) == len(questions)


def test_every_module_that_assigns_a_class_is_on_the_page() -> None:
    listed = {origin for _, _, origin in rows()}
    makers = {maker for _, column, maker, page in made() if column.assigns and page == "modules"}
    assert makers - listed == {"solar_system"}, "solar_system follows from the column roid, which is listed"
