import copy
import json
import os

import pyarrow as pa
import pytest

from redpoll.config import parse_config
from redpoll.errors import ConfigError, SinkError, UsageError
from redpoll.pipeline import assemble
from redpoll.pipeline.assemble import open_sinks, task_maker
from redpoll.sinks.json_lines import JsonLines


def batch(*ids, passed=True, fast=False, night=20261129):
    n = len(ids)
    columns = {
        "survey": pa.array(["ztf"] * n).dictionary_encode(), "alert_id": list(ids), "night": [night] * n,
        "mag": [float("nan")] * n, "light_curve": [[1.0]] * n, "cutout_science": [b"x"] * n,
        "pass_bright": [passed] * n, "pass_fast": [fast] * n,
    }  # fmt: skip
    return pa.record_batch(columns)


def write(sink, *batches):
    sender = sink.open()
    for one in batches:
        sender.send(sink.encode(one))
    sender.flush()
    sender.close()


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_candidates_are_lines_of_scalars_with_ids_as_strings(tmp_path):
    write(JsonLines(str(tmp_path / "c.jsonl")), batch(2**62), batch(7, passed=False))
    row = {"survey": "ztf", "alert_id": str(2**62), "night": 20261129, "mag": None, "topics": ["bright"]}
    assert lines(tmp_path / "c.jsonl") == [row]


def test_a_pattern_makes_a_file_for_each_topic_and_night(tmp_path):
    sink = JsonLines(str(tmp_path / "{survey}" / "{topic}-{night}.jsonl"))
    write(sink, batch(1, 2, fast=True), batch(3, night=20261130))
    found = {p.name: [row["alert_id"] for row in lines(p)] for p in (tmp_path / "ztf").iterdir()}
    assert found == {"bright-20261129.jsonl": ["1", "2"], "fast-20261129.jsonl": ["1", "2"],
                     "bright-20261130.jsonl": ["3"]}  # fmt: skip


def test_an_alert_of_two_topics_is_one_line_of_one_file(tmp_path):
    write(JsonLines(str(tmp_path / "c.jsonl")), batch(1, fast=True))
    assert [row["topics"] for row in lines(tmp_path / "c.jsonl")] == [["bright", "fast"]]


def test_only_the_topics_named_are_written(tmp_path):
    write(JsonLines(str(tmp_path / "c.jsonl"), topics=["fast"]), batch(1), batch(2, fast=True))
    assert [(row["alert_id"], row["topics"]) for row in lines(tmp_path / "c.jsonl")] == [("2", ["fast"])]


def test_a_rerun_doubles_nothing_even_after_a_cut_line(tmp_path):
    path = tmp_path / "c.jsonl"
    write(JsonLines(str(path)), batch(1, 2))
    with path.open("a") as file:
        file.write('{"survey": "ztf", "alert_i')
    write(JsonLines(str(path)), batch(1, 2, 3))
    assert [row["alert_id"] for row in lines(path)] == ["1", "2", "3"]


def test_a_flush_returns_once_every_file_is_synced(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_size))
    write(JsonLines(str(tmp_path / "{topic}")), batch(1, fast=True))
    assert synced == [path.stat().st_size for path in sorted(tmp_path.iterdir())] and min(synced) > 0


def test_what_was_not_flushed_is_not_remembered_as_written(tmp_path):
    sink = JsonLines(str(tmp_path / "c.jsonl"))
    sender = sink.open()
    sender.send(sink.encode(batch(1)))
    sender.close()
    write(sink, batch(1))
    assert len(lines(tmp_path / "c.jsonl")) == 1


@pytest.mark.parametrize("text", ["no json\n", '{"x": 1}\n', "[1]\n"])
def test_a_file_of_something_else_is_refused(text, tmp_path):
    (tmp_path / "c.jsonl").write_text(text)
    with pytest.raises(UsageError, match="cannot be used"):
        JsonLines(str(tmp_path / "c.jsonl")).open()
    assert (tmp_path / "c.jsonl").read_text() == text


def test_a_file_that_cannot_be_written_is_a_sink_error(tmp_path):
    sink = JsonLines(str(tmp_path / "{topic}"))
    (tmp_path / "bright").mkdir()
    with pytest.raises(SinkError, match="bright cannot be used"):
        write(sink, batch(1))


BAD_PATHS = ["{object}", "{}.jsonl", "{topic", "", "{night:{x}}", "{topic.__doc__}", "{night:999999}", "{topic!r}"]


@pytest.mark.parametrize("path", BAD_PATHS)
def test_a_pattern_with_another_field_is_refused(path):
    with pytest.raises(UsageError, match="json_lines: path"):
        JsonLines(path)


def test_its_settings_can_be_sent_to_workers(tmp_path):
    sink = copy.deepcopy(JsonLines(str(tmp_path / "c.jsonl"), ["bright"]))
    assert sink.encode(batch(1))[0]["topic"] == str(tmp_path / "c.jsonl")


@pytest.mark.parametrize("toml", ["[sinks.kafkaa]\nx = 1", "[sinks.json_lines]\nfile = 1", "[sinks.json_lines]"])
def test_a_sink_that_is_not_there_or_not_set_right_is_refused(toml):
    with pytest.raises(ConfigError, match="sinks"):
        open_sinks(parse_config(toml))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: 1 / 0, r"ZeroDivisionError.*check \[sinks.mine\]"),
        (lambda: object(), "an object of type object has no name"),
    ],
)
def test_a_plugin_s_sink_that_cannot_be_made_is_refused_by_name(make, words, monkeypatch):
    monkeypatch.setattr(assemble, "installed_sinks", lambda: {"mine": make})
    with pytest.raises(ConfigError, match=f"sinks: mine: .*{words}"):
        open_sinks(parse_config("[sinks.mine]"))


@pytest.mark.parametrize("topics, words", [('["fast_riser"]', "near: fast_risers"), ('"fast_risers"', "list")])
def test_a_topic_that_no_filter_has_is_refused(topics, words, tmp_path):
    config = parse_config(f'[sinks.json_lines]\npath = "{tmp_path}/a"\ntopics = {topics}')
    with pytest.raises(UsageError, match=words):
        task_maker(config, tmp_path, open_sinks(config))
