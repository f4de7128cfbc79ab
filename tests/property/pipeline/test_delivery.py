"""Any interleaving of crashes, full, failing and dying sinks loses no message and sends none twice.

Everything is real but the stream, the sink and the store, which outlive each crash.
"""

from __future__ import annotations

import tempfile
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from redpoll.config import DeliveryConfig
from redpoll.engine.local import run_here
from redpoll.errors import SinkBackpressure, SinkError
from redpoll.pipeline.block_result import block_result
from redpoll.pipeline.commits import Committer
from redpoll.pipeline.delivery import Delivery
from redpoll.pipeline.intake import Intake
from redpoll.pipeline.report import RunReport
from redpoll.pipeline.spool import Spool
from redpoll.testing.fakes import Crash, FakeSender, FakeSink, FakeStream

N = 12
QUICK = DeliveryConfig(retries=1, backoff_seconds=0.0, max_pause_seconds=0.15, retry_parked_seconds=2.0)
FAULTS = st.lists(st.sampled_from(["", "slow", "full", "fail", "lose", "crash", "crash after"]), max_size=14)
STORE_FAULTS = st.lists(st.sampled_from(["", "crash before", "crash after"]), max_size=10)


class World:
    """What outlives the process: the stream, the sink, the store, and the folder of the spool."""

    def __init__(self, folder, faults, store_faults):
        self.stream = FakeStream(lambda n: b"%d" % n, n_available=N, per_poll=2)
        self.now = 0.0
        self.sink, self.folder = FakeSink(faults=faults, wait=self.wait), folder
        self.stored, self.faults = [], list(store_faults)

    def commit(self, packets, result):
        """The store's part of a commit."""
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "crash before":
            raise Crash
        keys = {m["key"] for m in self.sink.arrived} | set(waiting(self.folder))
        ids = [packet.data.decode() for packet in packets]
        assert set(ids) <= keys, "committed before its messages were safe"
        self.stored += [i for i in ids if i not in self.stored]
        if fault == "crash after":
            raise Crash
        return []

    def task(self, block):
        ids = [bytes(block.packet(i)).decode() for i in range(len(block))]
        new = [i for i in ids if i not in self.stored]
        messages = [{"key": i, "topic": "t", "payload": b""} for i in new]
        return block_result(messages={"fake": messages}, counts=[("ztf", 1, "stored", "")] * len(ids))

    def run(self):
        """One process, until everything is stored or it dies."""
        self.stream = self.stream.restarted()
        intake = Intake([self.stream], pytest.fail, batch_size=3, stop=lambda: len(self.stored) == N)
        delivery = Delivery(self.sink, Spool(self.folder, 10**6), QUICK, paused=intake.paused, stop=lambda: False,
                            clock=self.tick, sleep=lambda seconds: None)  # fmt: skip
        delivery.start()
        commit = Committer(self, RunReport(), [delivery], lambda packets, _: intake.stored(packets))
        run_here(iter(intake), lambda: self.task, commit, lambda: False)
        delivery.finish()
        intake.close()
        return delivery

    def tick(self):
        self.now += 1.0
        return self.now

    def wait(self, seconds):
        self.now += seconds


def waiting(folder):
    return [m["key"] for _, group in Spool(folder, 10**6).frames() for m in group]


@settings(max_examples=150)
@given(FAULTS, STORE_FAULTS)
@example(["crash after"], [])
@example(["fail", "fail", "", "crash after"], ["", "crash before"])
@example(["lose", "lose", "lose", "lose"], ["crash after", "crash before"])
@example(["full"] * 14, [])
def test_nothing_is_lost_and_nothing_sent_twice(faults, store_faults):
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), faults, store_faults)
        for _ in range(len(faults) + len(store_faults) + 2):
            try:
                delivery = world.run()
            except Crash:
                continue
            if not delivery.is_parked and len(world.stored) == N:
                break
        keys = [message["key"] for message in world.sink.arrived]
        assert sorted(keys, key=int) == [str(i) for i in range(N)]
        assert sorted(world.stored, key=int) == [str(i) for i in range(N)]
        assert waiting(world.folder) == []
        if set(faults) <= {"", "slow", "full"} and not any(store_faults):
            assert world.sink.n_repeated == 0


@given(st.lists(st.sampled_from(["", "fail", "lose", "full"]), max_size=20))
def test_a_parked_sink_gets_its_messages_in_order(faults):
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), faults, [])
        while world.run().is_parked:
            pass
        assert [message["key"] for message in world.sink.arrived] == [str(i) for i in range(N)]


def make(tmp_path, faults, config=QUICK, stop=lambda: False, paused=nullcontext, max_bytes=10**6):
    sink, sleeps = FakeSink(faults=faults), []
    delivery = Delivery(sink, Spool(tmp_path, max_bytes), config, paused=paused, stop=stop, sleep=sleeps.append)
    return sink, delivery, sleeps


def messages(*numbers):
    return [{"key": str(n), "topic": "t", "payload": b""} for n in numbers]


def test_a_full_sink_pauses_the_reading_and_gets_its_messages_later(tmp_path):
    paused = []

    class Pause:
        def __enter__(self):
            paused.append("stopped")

        def __exit__(self, *_):
            paused.append("resumed")

    sink, delivery, sleeps = make(tmp_path, ["full", "full"], DeliveryConfig(backoff_seconds=0.1), paused=Pause)
    delivery.deliver(messages(1))
    assert paused == ["stopped", "resumed"] * 2 and sum(sleeps) == pytest.approx(0.3)
    assert (len(sink.arrived), delivery.is_parked, delivery.n_sent) == (1, False, 1)


def test_a_failing_sink_is_tried_as_often_as_set_and_then_parked(tmp_path):
    sink, delivery, _ = make(tmp_path, ["fail"] * 4, DeliveryConfig(retries=3, backoff_seconds=0.0))
    delivery.deliver(messages(1))
    assert (sink.faults, sink.arrived, delivery.is_parked, waiting(tmp_path)) == ([], [], True, ["1"])


def test_a_slow_sink_is_waited_for_and_not_parked(tmp_path):
    waited = []
    sink, delivery, sleeps = make(tmp_path, ["slow"], DeliveryConfig(max_pause_seconds=1.0))
    sink.wait = waited.append
    delivery.deliver(messages(1))
    assert (len(waited), sleeps, len(sink.arrived), delivery.is_parked) == (1, [], 1, False)


def test_a_parked_sink_gets_nothing_past_its_spool(tmp_path):
    """Messages that come while others wait are sent after them."""
    sink, delivery, _ = make(tmp_path, ["fail"], DeliveryConfig(retries=0, retry_parked_seconds=1e9))
    delivery.deliver(messages(1))
    delivery.deliver(messages(2))
    assert (sink.arrived, waiting(tmp_path)) == ([], ["1", "2"])
    delivery.finish()
    assert [message["key"] for message in sink.arrived] == ["1", "2"]


class Flushing(FakeSender):
    """Full until it was flushed once."""

    is_flushed = False

    def send(self, messages):
        if not self.is_flushed:
            raise SinkBackpressure("flush first")
        super().send(messages)

    def flush(self):
        self.is_flushed = True
        super().flush()


def test_a_full_sink_is_flushed_to_make_room(tmp_path, monkeypatch):
    sink, delivery, _ = make(tmp_path, [])
    monkeypatch.setattr(sink, "open", lambda: Flushing(sink))
    delivery.deliver(messages(1))
    assert (len(sink.arrived), delivery.is_parked) == (1, False)


def test_a_sink_that_fails_is_opened_anew(tmp_path):
    sink, delivery, _ = make(tmp_path, ["fail", "full"])
    delivery.deliver(messages(1, 2))
    assert (sink.n_opened, len(sink.arrived), sink.n_repeated) == (2, 2, 0)


def test_when_stopping_is_asked_for_messages_go_to_the_spool_at_once(tmp_path):
    _, delivery, sleeps = make(tmp_path, ["full"] * 100, DeliveryConfig(), stop=lambda: True)
    delivery.deliver(messages(1))
    assert (sleeps, delivery.is_parked, waiting(tmp_path)) == ([], True, ["1"])


def test_a_full_spool_ends_the_run_with_a_remedy(tmp_path):
    _, delivery, _ = make(tmp_path, ["fail"] * 100, max_bytes=100)
    delivery.deliver(messages(1))
    with pytest.raises(SinkError, match="max_spool_mb"):
        for n in range(2, 20):
            delivery.deliver(messages(n))
    assert waiting(tmp_path)[0] == "1"


def test_a_parked_sink_is_tried_again_while_a_stream_is_idle(tmp_path):
    now = [0.0]
    sink = FakeSink(faults=["fail"])
    config = DeliveryConfig(retries=0, retry_parked_seconds=60.0)
    delivery = Delivery(sink, Spool(tmp_path, 10**6), config, paused=nullcontext, stop=lambda: False,
                        clock=lambda: now[0], sleep=lambda seconds: None)  # fmt: skip

    def wait(seconds):
        now[0] += seconds

    stream = FakeStream(lambda n: b"x", n_available=1, wait=wait)
    intake = Intake([stream], pytest.fail, stop=lambda: now[0] > 100, clock=lambda: now[0])
    intake.on_idle = delivery.retry
    for _ in intake:
        delivery.deliver(messages(1))
        assert delivery.is_parked
    assert (len(sink.arrived), delivery.is_parked, waiting(tmp_path)) == (1, False, [])
