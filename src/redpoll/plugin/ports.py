"""Interfaces of sources, sinks and models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypedDict, runtime_checkable

import pyarrow as pa
from numpy.typing import NDArray

from redpoll.errors import PluginError


class PacketPosition(Protocol):
    """Where a packet was received; ``str`` gives the position within the source, for people."""

    @property
    def source(self) -> str:
        """The file, topic or URI."""
        ...


@dataclass(frozen=True)
class FilePosition:
    """A packet within a file, or within anything else that is read from its start to its end.

    >>> str(FilePosition("night.tar", "member a.avro (3)"))
    'member a.avro (3)'
    """

    path: str
    within: str

    @property
    def source(self) -> str:
        """The path."""
        return self.path

    def __str__(self) -> str:
        return self.within


@dataclass(frozen=True)
class TopicPosition:
    """A message of a partition of a topic.

    >>> str(TopicPosition("ztf_20261130_programid1", 3, 1700))
    'partition 3, offset 1700'
    """

    topic: str
    partition: int
    offset: int

    @property
    def source(self) -> str:
        """The topic."""
        return self.topic

    def __str__(self) -> str:
        return f"partition {self.partition}, offset {self.offset}"


@dataclass(frozen=True)
class ReceivedPacket:
    """One alert packet as it was received.

    ``data`` is an Avro object container of one record, a Confluent-framed message, or an Arrow IPC stream of one row.
    """

    data: bytes
    position: PacketPosition


@runtime_checkable
class Source(Protocol):
    """Packets from somewhere, in order.

    ``n_bytes`` is the size to expect, for progress; None if unknown. ``is_finite`` is False for a stream, which never
    finishes. ``is_finished`` becomes True once every packet was given. The three methods are never called at the same
    time, but not always from the same thread.
    """

    name: str
    n_bytes: int | None
    is_finite: bool

    @property
    def is_finished(self) -> bool:
        """Whether there is nothing more to poll."""
        ...

    def poll(self, max_packets: int, timeout: float) -> list[ReceivedPacket]:
        """Return the next packets, 1 to `max_packets`, as soon as there are some; none after `timeout` seconds.

        Raises
        ------
        SourceError
            After all packets before it were returned: if what follows cannot be read; it names source and position.
        """
        ...

    def commit(self, positions: Sequence[PacketPosition]) -> None:
        """Remember that these packets, and all polled before them, are stored: a new source starts after them."""
        ...

    def close(self) -> None:
        """Give back files and connections."""
        ...


class Message(TypedDict):
    """What a sink sends for an alert: plain data, made in one process and sent from another.

    ``key`` is unique to alert and topic: a message whose key was sent before must have no effect. ``topic`` is the
    destination in the sink's own terms: a Kafka topic, a file, a channel.
    """

    key: str
    topic: str
    payload: bytes


def checked_message(message: Any) -> Message:
    """The message; PluginError unless it has a key and a topic as text, a payload as bytes, and nothing else.

    >>> checked_message({"key": "ztf:1:bright", "topic": "bright", "payload": b"1"})["topic"]
    'bright'
    """
    fields = dict(message) if isinstance(message, Mapping) else {}
    kinds = {"key": str, "topic": str, "payload": bytes}
    if fields.keys() != kinds.keys() or any(not isinstance(fields[name], kind) for name, kind in kinds.items()):
        raise PluginError(
            f"a message is a dict of key (str), topic (str) and payload (bytes), not {str(message)[:100]!r}"
        )
    try:
        is_text = all(fields[name].encode() for name in ("key", "topic"))
    except UnicodeEncodeError:
        is_text = False
    if not is_text:
        raise PluginError(
            f"the key and the topic of a message are UTF-8 text that is not empty: {str(message)[:100]!r}"
        )
    return {"key": fields["key"], "topic": fields["topic"], "payload": fields["payload"]}


class Sender(Protocol):
    """The half of a sink that acts; one is open at a time, in one process."""

    def send(self, messages: Sequence[Message]) -> None:
        """Take messages; those whose key was sent before have no effect.

        Raises
        ------
        SinkBackpressure
            If there is no room now. What was taken stays taken; the pipeline stops reading, waits, flushes and sends
            all of `messages` again.
        SinkError
            If they cannot be sent. The pipeline opens the sink anew and sends all of them again, a limited number of
            times; then they go to the spool.
        """
        ...

    def flush(self) -> None:
        """Return once every message taken has arrived; SinkError if that fails."""
        ...

    def close(self) -> None:
        """Give back files and connections."""
        ...


@runtime_checkable
class Sink(Protocol):
    """Settings of something that acts on alerts, and the half that encodes. It must be picklable and hold nothing open.

    Names are unique among the sinks of a run.
    """

    @property
    def name(self) -> str:
        """Shown in reports; the same settings give the same name, because a spool is found by it."""
        ...

    def encode(self, batch: pa.RecordBatch) -> list[Message]:
        """Return the messages for a batch; called in the workers.

        It must be pure: no network, file or clock. The batch has every column, with ``light_curve``, the cutouts and
        ``packet``.
        """
        ...

    def open(self) -> Sender:
        """Connect; SinkError if the other side cannot be reached, UsageError if the settings cannot be followed."""
        ...


class Model(Protocol):
    """A trained model as a science module sees it: given by the registry, never loaded by the module."""

    version: str

    def predict_proba(self, X: NDArray[Any]) -> NDArray[Any]:
        """Class probabilities, one row per row of X."""
        ...
