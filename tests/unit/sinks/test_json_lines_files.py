"""Files that a sink of JSON lines is pointed at by mistake, and settings of the wrong type."""

from __future__ import annotations

import os

import pytest

from redpoll.errors import UsageError
from redpoll.sinks.json_lines import JsonLines


@pytest.mark.parametrize(
    "content",
    [b"my only notes", b'{"settings": 1}', b"\x89PNG", b"[" * 100_000 + b"\n", b"a\nb", b'{"survey": 1}\nrest'],
)
def test_a_file_of_something_else_is_refused_and_left_as_it_is(tmp_path, content) -> None:
    file = tmp_path / "notes.txt"
    file.write_bytes(content)
    with pytest.raises(UsageError, match="cannot be used"):
        JsonLines(str(file)).open()
    assert file.read_bytes() == content


@pytest.mark.parametrize("cut", [1, 5, 20, 35])
def test_a_line_that_a_crash_cut_short_is_cut_off(tmp_path, cut) -> None:
    line = b'{"survey": "ztf", "alert_id": "1", "mag": 18.5}\n'
    file = tmp_path / "candidates.jsonl"
    file.write_bytes(line + line[:cut])
    JsonLines(str(file)).open()
    assert file.read_bytes() == line


def test_a_named_pipe_is_refused_without_waiting(tmp_path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="no regular file"):
        JsonLines(str(tmp_path / "pipe")).open()


@pytest.mark.parametrize(
    "settings",
    [
        {"path": 5},
        {"path": ""},
        {"path": "{topic!r}"},
        {"path": "{night:>999999999999}"},
        {"path": "{topic.__class__}"},
        {"path": "x", "topics": 5},
        {"path": "x", "topics": [1]},
        {"path": "x", "topics": "fast_risers"},
    ],
)
def test_settings_of_the_wrong_type_are_refused(settings) -> None:
    with pytest.raises(UsageError, match="sink json_lines"):
        JsonLines(**settings)


def test_a_binary_file_and_an_empty_path_are_refused_with_the_reason(tmp_path) -> None:
    (tmp_path / "index.sqlite").write_bytes(b"SQLite format 3\x00\xfb\xff" * 9)
    with pytest.raises(UsageError, match="name another file"):
        JsonLines(str(tmp_path / "index.sqlite")).open()
    with pytest.raises(UsageError, match="path is empty: name a file"):
        JsonLines("")
