"""A fake stream and a fake sink with faults, for tests of sources, sinks and of what happens in a crash; a cache.

>>> stream = FakeStream(lambda n: b"packet %d" % n)
>>> [packet.data for packet in stream.poll(2, timeout=1.0)]
[b'packet 0', b'packet 1']
>>> stream.restarted().poll(1, timeout=1.0)[0].data  # nothing was committed
b'packet 0'
>>> sink = FakeSink(faults=["full"])
>>> sender = sink.open()
>>> try:
...     sender.send([{"key": "1", "topic": "bright", "payload": b""}])
... except SinkBackpressure as error:
...     print(error)
the fake sink is full
>>> sender.send([{"key": "1", "topic": "bright", "payload": b""}])
>>> sender.flush()
>>> [message["key"] for message in sink.arrived]
['1']
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

import pyarrow as pa

from redpoll.errors import SinkBackpressure, SinkError
from redpoll.plugin.ports import Message, PacketPosition, ReceivedPacket, TopicPosition
from redpoll.schema.names import PASS

Fault = Literal["", "slow", "full", "fail", "lose", "crash", "crash after"]
"""What goes wrong with one delivery; see `FakeSink`."""
_SLOW_SECONDS = 10.0


class FakeAnswerCache:
    """An answer cache (`redpoll.answer_cache.AnswerCache`) that lives as long as the object; ``answers`` has them."""

    def __init__(self) -> None:
        self.answers: dict[int, bytes] = {}

    def get(self, keys: Sequence[int]) -> dict[int, bytes]:
        """Those that it has."""
        return {key: self.answers[key] for key in keys if key in self.answers}

    def put(self, answers: Mapping[int, bytes]) -> None:
        """Keep them all."""
        self.answers.update(answers)


def no_wait(seconds: float) -> None:
    """Do not wait."""


class Crash(BaseException):
    """The process dies here, as far as a test is concerned."""


class FakeStream:
    """An unbounded topic of one partition, in order, which starts again after the committed position.

    Parameters
    ----------
    make_packet
        From an offset to the bytes of its packet.
    topic
        Name of the topic.
    start
        Offset of the first packet.
    per_poll
        Maximum number of packets a poll returns, however many are asked for: a slow stream has one.
    n_available
        How many packets there are in the topic now; it may be raised later. None: endless.
    wait
        Called with the timeout of a poll that finds nothing.
    """

    is_finite = False
    is_finished = False
    n_bytes: int | None = None

    def __init__(
        self,
        make_packet: Callable[[int], bytes],
        *,
        topic: str = "alerts",
        start: int = 0,
        per_poll: int | None = None,
        n_available: int | None = None,
        wait: Callable[[float], None] = no_wait,
    ) -> None:
        self.name, self.n_available = topic, n_available
        self._make_packet, self._per_poll, self._wait = make_packet, per_poll, wait
        self._next = self.committed = start
        self.n_polls = 0
        self.is_closed = False

    def poll(self, max_packets: int, timeout: float) -> list[ReceivedPacket]:
        """The next packets of the topic."""
        self.n_polls += 1
        n = max_packets if self._per_poll is None else min(max_packets, self._per_poll)
        if self.n_available is not None:
            n = min(n, self.n_available - self._next)
        if not n:
            self._wait(timeout)
        offsets = range(self._next, self._next + n)
        self._next += n
        return [ReceivedPacket(self._make_packet(i), TopicPosition(self.name, 0, i)) for i in offsets]

    def commit(self, positions: Sequence[PacketPosition]) -> None:
        """Start after the last of these positions next time."""
        offsets = [position.offset for position in positions if isinstance(position, TopicPosition)]
        self.committed = max([self.committed, *(offset + 1 for offset in offsets)])

    def close(self) -> None:
        """Note that it was closed."""
        self.is_closed = True

    def restarted(self) -> FakeStream:
        """The stream as a new process finds it: from the committed position."""
        return FakeStream(
            self._make_packet, topic=self.name, start=self.committed, per_poll=self._per_poll,
            n_available=self.n_available, wait=self._wait,
        )  # fmt: skip


class FakeSink:
    """A sink that records every message that arrived, even if its senders or the process die.

    A message counts as arrived once it is flushed. One whose key has arrived before has no effect, as the port asks:
    ``arrived`` has each key once, in order; ``n_repeated`` counts the others.

    Parameters
    ----------
    name
        Its name.
    faults
        What happens to each delivery (a send and its flush), in order; ``""`` after the last.

        - ``"slow"``: `flush` takes ten seconds
        - ``"full"``: `send` raises SinkBackpressure
        - ``"fail"``: `send` raises SinkError, after it took half of the messages
        - ``"lose"``: the other side dies between send and flush; `flush` raises SinkError and nothing arrives
        - ``"crash"``: this process dies (`Crash`) before the flush: nothing arrives
        - ``"crash after"``: this process dies after the flush: everything has arrived
    wait
        Called with the seconds that a slow sink takes.
    """

    def __init__(
        self,
        name: str = "fake",
        faults: Iterable[Fault] = (),
        wait: Callable[[float], None] = no_wait,
    ) -> None:
        self.name, self.faults, self.wait = name, list(faults), wait
        self.arrived: list[Message] = []
        self.n_repeated = self.n_opened = 0

    def encode(self, batch: pa.RecordBatch) -> list[Message]:
        """One message for each alert and topic that it passed; the payload is the alert's id."""
        topics = [name for name in batch.schema.names if name.startswith(PASS)]
        rows = batch.select(["survey", "alert_id", *topics]).to_pylist()
        return [
            {"key": f"{row['survey']}:{row['alert_id']}:{name}", "topic": name.removeprefix(PASS),
             "payload": str(row["alert_id"]).encode()}
            for row in rows for name in topics if row[name]
        ]  # fmt: skip

    def open(self) -> FakeSender:
        """A sender with nothing in flight."""
        self.n_opened += 1
        return FakeSender(self)

    def next_fault(self) -> Fault:
        """The fault of the delivery that begins."""
        return self.faults.pop(0) if self.faults else ""

    def arrive(self, messages: Iterable[Message]) -> None:
        """Take messages for good, those that arrived before excepted."""
        keys = {message["key"] for message in self.arrived}
        for message in messages:
            if message["key"] in keys:
                self.n_repeated += 1
            else:
                keys.add(message["key"])
                self.arrived.append(message)


class FakeSender:
    """The sender of a `FakeSink`; messages are in flight until they are flushed."""

    def __init__(self, sink: FakeSink) -> None:
        self._sink, self._fault = sink, ""
        self._in_flight: list[Message] = []

    def send(self, messages: Sequence[Message]) -> None:
        """Take messages, unless the next fault is "full" or "fail"."""
        self._fault = self._sink.next_fault()
        if self._fault == "full":
            raise SinkBackpressure("the fake sink is full")
        if self._fault == "fail":
            self._in_flight += messages[: len(messages) // 2]
            raise SinkError("the fake sink fails")
        self._in_flight += messages

    def flush(self) -> None:
        """Let messages arrive, unless they are lost or the process dies."""
        fault, self._fault = self._fault, ""
        if fault == "slow":
            self._sink.wait(_SLOW_SECONDS)
        if fault == "lose":
            self._in_flight.clear()
            raise SinkError("the fake sink died between send and flush")
        if fault == "crash":
            raise Crash
        self._sink.arrive(self._in_flight)
        self._in_flight.clear()
        if fault == "crash after":
            raise Crash

    def close(self) -> None:
        """Discard messages that are in flight."""
        self._in_flight.clear()
