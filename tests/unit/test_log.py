"""Text from elsewhere in the log and in messages."""

from __future__ import annotations

import logging

from redpoll.log import PlainFormatter, plain_lines, plain_text


def record(message: str) -> logging.LogRecord:
    return logging.LogRecord("redpoll", logging.ERROR, __file__, 1, message, (), None)


def test_a_record_has_no_control_characters_but_line_breaks() -> None:
    assert PlainFormatter().format(record("a\x1b[2J\nb\ud800\r")) == "a\\x1b[2J\nb\\ud800\\r"


def test_a_record_is_bounded_and_keeps_both_ends() -> None:
    text = PlainFormatter().format(record("start" + "x" * 10_000_000 + "end"))
    assert len(text) < 11_000
    assert text.startswith("start")
    assert text.endswith("end")


def test_lines_are_kept_only_where_they_are_wanted() -> None:
    assert plain_lines("a\n  ^") == "a\n  ^"
    assert plain_text("a\n  ^") == "a\\n  ^"
