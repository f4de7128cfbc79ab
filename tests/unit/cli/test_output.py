"""How answers look on a terminal, and as JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redpoll.cli.ledger import newest_last, total_of
from redpoll.cli.output import print_json, print_rows
from redpoll.log import plain_text


@pytest.mark.parametrize(("value", "shown"), [(True, "yes"), (False, "no"), (1, "1"), (0, "0"), (None, "-")])
def test_a_table_says_yes_or_no_where_json_says_true_or_false(value, shown, capsys):
    print_rows([{"is_good": value}], {"is_good": "good"}, none="")
    assert shown in capsys.readouterr().out.split()
    print_json({"is_good": value})
    assert json.loads(capsys.readouterr().out) == {"is_good": value}


FOREIGN = ["[/a] junk", "night[final].avro", "[yr]", "[bold red]x[/]", "[link=http://a]b[/link]"]


@pytest.mark.parametrize("text", FOREIGN)
def test_brackets_in_foreign_text_are_shown_as_they_are(text, capsys):
    print_rows([{"a": text, "b": {text: 2}, "c": [text]}], {"a": text, "b": "b", "c": "c"}, title=text, none="")
    assert capsys.readouterr().out.count(text) == 5


def test_control_characters_of_foreign_text_do_not_reach_the_terminal(capsys):
    print_rows([{"a": "x\x1b[2J\x07y", "b": {"\x1b]0;t": 1}}], {"a": "a", "b": "b"}, none="")
    out = capsys.readouterr().out
    assert "\\x1b[2J\\x07y" in out and "\x1b" not in out


@given(st.text())
def test_plain_text_has_no_control_character(text):
    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in plain_text(text))


@pytest.mark.parametrize("width", [20, 40, 80])
def test_numbers_are_whole_on_a_narrow_terminal(width, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    numbers = {name: 123_456_789_012 + i for i, name in enumerate("abcdef")}
    print_rows([numbers | {"why": "reason " * 30}], {n: n for n in [*numbers, "why"]}, total=numbers, none="")
    lines = capsys.readouterr().out
    assert all(lines.count(str(n)) == 2 for n in numbers.values())
    assert "…" not in lines


def _row(night, survey="ztf", n=1, reasons=None):
    counts = {"received": n, "stored": n, "duplicate": 0, "rejected": 0}
    return {"survey": survey, "night": night, **counts, "reasons": reasons or {}}


ROWS = st.lists(st.tuples(st.none() | st.integers(20200101, 20200110), st.sampled_from(["ztf", "rubin", None])))


@given(ROWS, st.none() | st.integers(1, 5))
def test_the_newest_nights_of_the_ledger_come_last(keys, last):
    shown = newest_last([_row(night, survey) for night, survey in keys], "night", last)
    nights = [row["night"] or 0 for row in shown]
    assert nights == sorted(nights)
    assert set(nights) == set(sorted({night or 0 for night, _ in keys})[-last if last else 0 :])


def test_the_total_sums_counts_and_reasons():
    rows = [_row(1, n=2, reasons={"cut": 1}), _row(2, n=3, reasons={"cut": 2, "already stored": 1})]
    total = total_of(rows)
    assert (total["received"], total["reasons"]) == (5, {"cut": 3, "already stored": 1})
