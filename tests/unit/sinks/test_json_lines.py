import json

import pyarrow as pa
import pytest

from redpoll.config import parse_config
from redpoll.errors import ConfigError, UsageError
from redpoll.pipeline.assemble import open_sinks
from redpoll.sinks.json_lines import JsonLines


def batch(*ids, passed=True):
    columns = {"survey": ["ztf"] * len(ids), "alert_id": list(ids), "mag": [float("nan")] * len(ids)}
    return pa.record_batch(columns | {"pass_bright": [passed] * len(ids), "pass_fast": [False] * len(ids)})


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_candidates_are_lines_with_ids_as_strings(tmp_path):
    sink = JsonLines(str(tmp_path / "c.jsonl"))
    sink.write(batch(2**62))
    sink.write(batch(7, passed=False))
    sink.flush()
    assert lines(tmp_path / "c.jsonl") == [{"survey": "ztf", "alert_id": str(2**62), "mag": None, "topics": ["bright"]}]


def test_a_rerun_doubles_nothing_even_after_a_cut_line(tmp_path):
    first = JsonLines(str(tmp_path / "c.jsonl"))
    first.write(batch(1, 2))
    first.flush()
    with (tmp_path / "c.jsonl").open("a") as file:
        file.write('{"survey": "ztf", "alert_i')
    again = JsonLines(str(tmp_path / "c.jsonl"))
    again.write(batch(1, 2, 3))
    again.flush()
    assert [row["alert_id"] for row in lines(tmp_path / "c.jsonl")] == ["1", "2", "3"]


@pytest.mark.parametrize("text", ["no json\n", '{"x": 1}\n'])
def test_a_file_of_something_else_is_refused(text, tmp_path):
    (tmp_path / "c.jsonl").write_text(text)
    with pytest.raises(UsageError, match="cannot be used"):
        JsonLines(str(tmp_path / "c.jsonl"))


@pytest.mark.parametrize("toml", ["[sinks.kafkaa]\nx = 1", "[sinks.json_lines]\nfile = 1", "[sinks.json_lines]"])
def test_a_sink_that_is_not_there_or_not_set_right_is_refused(toml):
    with pytest.raises(ConfigError, match="sinks"):
        open_sinks(parse_config(toml))
