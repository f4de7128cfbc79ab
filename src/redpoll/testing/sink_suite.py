"""Conformance suite of sinks, for Redpoll's own and a plugin's alike."""

from __future__ import annotations

import pickle
from abc import ABC, abstractmethod
from copy import deepcopy
from pathlib import Path
from typing import Any

import pyarrow as pa

from redpoll.plugin.ports import Message, Sink, checked_message


class SinkSuite(ABC):
    """Subclass it in a test file, name the subclass ``Test...``, and define how to make the sink.

    pytest then runs each ``test_`` method below, in a fresh folder.
    """

    @abstractmethod
    def make_sink(self, folder: Path) -> Sink:
        """A sink; called again with the same folder, one with the same settings and the same destination."""

    @abstractmethod
    def batch(self) -> pa.RecordBatch:
        """At least two alerts with every column, of which at least two give messages."""

    @abstractmethod
    def arrived(self, folder: Path) -> list[Any]:
        """What is at the destination of `make_sink`, in order; it may be compared."""

    def test_is_a_sink(self, tmp_path: Path) -> None:
        """It has what the port asks for, and the same settings give the same name."""
        sink = self.make_sink(tmp_path)
        assert isinstance(sink, Sink)
        assert sink.name and sink.name == self.make_sink(tmp_path).name

    def test_its_settings_cross_processes(self, tmp_path: Path) -> None:
        """It can be pickled, and a copy encodes the same messages."""
        sink = self.make_sink(tmp_path)
        assert pickle.dumps(sink)
        copy = deepcopy(sink)
        assert copy.name == sink.name and copy.encode(self.batch()) == sink.encode(self.batch())

    def test_messages_are_plain_data_with_keys_of_their_own(self, tmp_path: Path) -> None:
        """A spool can hold every message and tell it from the others."""
        messages = self._messages(tmp_path)
        assert len(messages) >= 2
        assert [checked_message(message) for message in messages] == messages
        assert len({message["key"] for message in messages}) == len(messages)

    def test_encode_is_pure(self, tmp_path: Path) -> None:
        """Messages depend on the alert alone, not on earlier calls or the rest of the batch; no alerts give none."""
        sink, batch = self.make_sink(tmp_path), self.batch()
        before = self.arrived(tmp_path)
        first = sorted(map(_by_key, sink.encode(batch)))
        alone = [message for row in range(batch.num_rows) for message in sink.encode(batch.slice(row, 1))]
        assert sorted(map(_by_key, sink.encode(batch))) == sorted(map(_by_key, alone)) == first
        assert sink.encode(batch.slice(0, 0)) == []
        assert self.arrived(tmp_path) == before

    def test_what_was_flushed_has_arrived(self, tmp_path: Path) -> None:
        """Nothing stays behind, however the messages are cut into sends."""
        self._deliver(tmp_path, *([message] for message in self._messages(tmp_path)))
        (tmp_path / "at-once").mkdir()
        self._deliver(tmp_path / "at-once", self._messages(tmp_path / "at-once"))
        assert len(self.arrived(tmp_path)) == len(self.arrived(tmp_path / "at-once")) > 0

    def test_a_message_has_its_effect_once(self, tmp_path: Path) -> None:
        """Sent again by the same sender, by another, or mixed with new ones, it changes nothing."""
        messages = self._messages(tmp_path)
        self._deliver(tmp_path, messages[:1], messages[:1])
        self._deliver(tmp_path, messages)
        before = self.arrived(tmp_path)
        self._deliver(tmp_path, messages, messages[1:])
        assert self.arrived(tmp_path) == before and before

    def test_a_sender_can_be_closed_at_any_time(self, tmp_path: Path) -> None:
        """Without a flush, and twice; what was not flushed can be sent again."""
        messages = self._messages(tmp_path)
        sender = self.make_sink(tmp_path).open()
        sender.send(messages)
        sender.close()
        sender.close()
        self._deliver(tmp_path, messages)
        assert self.arrived(tmp_path)

    def _messages(self, folder: Path) -> list[Message]:
        return self.make_sink(folder).encode(self.batch())

    def _deliver(self, folder: Path, *groups: list[Message]) -> None:
        sender = self.make_sink(folder).open()
        for messages in groups:
            sender.send(messages)
            sender.flush()
        sender.close()


def _by_key(message: Message) -> tuple[str, str, bytes]:
    return message["key"], message["topic"], message["payload"]
