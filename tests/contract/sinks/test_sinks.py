"""Redpoll's own sinks pass the suite that plugins pass, and the suite refuses sinks that break the contract."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest

from redpoll.errors import PluginError
from redpoll.sinks.json_lines import JsonLines
from redpoll.testing.batches import sample_batch
from redpoll.testing.fakes import FakeSink
from redpoll.testing.sink_suite import SinkSuite


def alerts() -> pa.RecordBatch:
    batch = sample_batch(5)
    passed = {"pass_bright": [True, False, True, True, False], "pass_fast": [True, True, False, False, False]}
    for name, values in passed.items():
        batch = batch.append_column(name, pa.array(values))
    return batch


class LinesSuite(SinkSuite):
    def make_sink(self, folder):
        return JsonLines(str(folder / "out" / "{topic}.jsonl"))

    def batch(self):
        return alerts()

    def arrived(self, folder):
        files = sorted((folder / "out").glob("*.jsonl"))
        return [(path.name, json.loads(line)["alert_id"]) for path in files for line in path.read_text().splitlines()]


class TestJsonLinesByTopic(LinesSuite):
    pass


class TestJsonLinesInOneFile(LinesSuite):
    def make_sink(self, folder):
        return JsonLines(str(folder / "out" / "all.jsonl"), topics=["bright"])


class TestFakeSink(SinkSuite):
    @pytest.fixture(autouse=True)
    def _sinks(self):
        self.sinks: dict[Path, FakeSink] = {}

    def make_sink(self, folder):
        return self.sinks.setdefault(folder, FakeSink())

    def batch(self):
        return alerts()

    def arrived(self, folder):
        return list(self.sinks[folder].arrived)


@dataclass(frozen=True)
class Doubling(JsonLines):
    """Forgets what it wrote."""

    def open(self):
        sender = super().open()
        sender.open_file = lambda path: sender._written.__setitem__(path, set())
        return sender


@dataclass(frozen=True)
class OneKey(JsonLines):
    """Gives all messages one key."""

    def encode(self, batch):
        return [message | {"key": "ztf:1:x"} for message in super().encode(batch)]


@dataclass(frozen=True)
class Texts(JsonLines):
    """Gives text where bytes are due."""

    def encode(self, batch):
        return [message | {"payload": message["payload"].decode()} for message in super().encode(batch)]


class Counting(JsonLines):
    """Counts its calls."""

    n = 0

    def encode(self, batch):
        Counting.n += 1
        return [message | {"payload": b"%d\n" % Counting.n} for message in super().encode(batch)]


@pytest.mark.parametrize(
    ("kind", "case"),
    [
        (Doubling, "test_a_message_has_its_effect_once"),
        (OneKey, "test_messages_are_plain_data_with_keys_of_their_own"),
        (Texts, "test_messages_are_plain_data_with_keys_of_their_own"),
        (Counting, "test_encode_is_pure"),
    ],
)
def test_a_sink_that_breaks_the_contract_does_not_pass(kind, case, tmp_path):
    class Suite(LinesSuite):
        def make_sink(self, folder):
            (folder / "out").mkdir(exist_ok=True)
            return kind(str(folder / "out" / "{topic}.jsonl"))

    with pytest.raises((AssertionError, PluginError)):
        getattr(Suite(), case)(tmp_path)
