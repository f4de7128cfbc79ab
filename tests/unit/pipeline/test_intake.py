"""Blocks are bounded by bytes, count and time; positions are committed in order."""

from __future__ import annotations

import threading
import time

import pytest

from redpoll.engine.reader import ReadAhead
from redpoll.errors import SourceError, StoreError
from redpoll.ingest.nights import PacketNight
from redpoll.pipeline.intake import BLOCK_PACKETS, Intake, first_blocks
from redpoll.plugin.polling import FiniteSource
from redpoll.plugin.ports import FilePosition, ReceivedPacket
from redpoll.testing.fakes import FakeStream


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def wait(self, seconds):
        self.now += max(seconds, 0.01)


class Listed(FiniteSource):
    def __init__(self, name, sizes, error=None):
        super().__init__(name)
        self._sizes, self._error, self.is_closed = sizes, error, False

    def _read(self):
        yield from (ReceivedPacket(bytes(n), FilePosition(self.name, str(i))) for i, n in enumerate(self._sizes))
        if self._error:
            raise self._error

    def close(self):
        super().close()
        self.is_closed = True


def sizes(intake):
    return [[len(packet.data) for packet in block.packets] for block in intake]


def refuse(error):
    raise AssertionError(error)


def test_a_block_has_as_many_packets_as_asked_across_sources():
    intake = Intake([Listed("a", [1] * 5), Listed("b", [2] * 2)], refuse, batch_size=3)
    assert sizes(intake) == [[1, 1, 1], [1, 1, 2], [2]]


@pytest.mark.parametrize("batch_size", [None, 1_000_000])
@pytest.mark.parametrize("given", [[40] * 7, [10, 90, 10, 90, 5], [200, 1, 1, 300], [1] * 5000])
def test_a_block_fits_into_its_bytes_unless_one_packet_does_not(given, batch_size):
    blocks = sizes(Intake([Listed("a", given)], refuse, block_bytes=100, batch_size=batch_size))
    assert [size for block in blocks for size in block] == given
    assert all(sum(block) <= 100 or len(block) == 1 for block in blocks)


def test_a_slow_stream_is_processed_as_it_comes():
    clock = Clock()
    stream = FakeStream(lambda n: b"x", per_poll=1, wait=clock.wait)
    poll = stream.poll

    def slowly(max_packets, timeout):
        clock.now += 0.3
        return poll(max_packets, timeout)

    stream.poll = slowly
    blocks = iter(Intake([stream], refuse, block_seconds=1.0, clock=clock))
    started = clock.now
    assert len(next(blocks)) <= 5 and clock.now - started < 1.7


def test_an_idle_stream_gives_what_it_had_after_its_time():
    clock = Clock()
    stream = FakeStream(lambda n: b"x", n_available=3, wait=clock.wait)
    assert len(next(iter(Intake([stream], refuse, block_seconds=1.0, clock=clock)))) == 3
    assert clock.now == pytest.approx(1.0, abs=0.05)


def test_streams_take_turns():
    streams = [FakeStream(lambda n: b"x", topic=name, per_poll=1) for name in "ab"]
    block = next(iter(Intake(streams, refuse, batch_size=6)))
    assert [packet.position.topic for packet in block.packets] == list("ababab")


def test_reading_ends_when_asked_and_drops_what_is_in_no_block():
    clock = Clock()
    stream = FakeStream(lambda n: b"x", n_available=9, per_poll=1, wait=clock.wait)
    intake = Intake([stream], refuse, batch_size=2, stop=lambda: intake.n_read == 5, clock=clock)
    assert sizes(intake) == [[1, 1], [1, 1]]
    assert intake.n_read == 5


def test_a_source_that_breaks_gives_what_it_had_and_the_next_is_read():
    reported = []
    broken = Listed("a", [1, 1], SourceError("a: damaged"))
    assert sizes(Intake([broken, Listed("b", [2])], reported.append, batch_size=10)) == [[1, 1, 2]]
    assert [str(error) for error in reported] == ["a: damaged"]


def test_positions_are_committed_in_order_whatever_is_stored_first():
    stream = FakeStream(lambda n: b"x")
    intake = Intake([stream], refuse, batch_size=2)
    blocks = iter(intake)
    first, second, third = (next(blocks) for _ in range(3))
    intake.stored(second.packets)
    next(blocks)
    assert stream.committed == 0
    intake.stored(first.packets[:1])
    next(blocks)
    assert stream.committed == 0
    intake.stored(first.packets[1:])
    next(blocks)
    assert stream.committed == 4
    intake.stored(third.packets)
    intake.close()
    assert (stream.committed, stream.is_closed) == (6, True)


def test_every_source_is_closed_also_one_that_broke():
    sources = [Listed("a", [1], SourceError("a: damaged")), Listed("b", [1])]
    intake = Intake(sources, lambda error: None)
    list(intake)
    intake.close()
    assert all(source.is_closed for source in sources)


class Broken(Listed):
    """Raises errors that no source should raise."""

    def poll(self, max_packets, timeout):
        raise ConnectionResetError("gone")

    def close(self):
        raise OSError("already closed")


def test_an_unforeseen_error_of_a_source_is_its_failure_and_the_next_is_read(caplog):
    errors = []
    intake = Intake([Broken("broken", []), Listed("b", [2])], errors.append)
    assert sizes(intake) == [[2]]
    assert [str(error) for error in errors] == ["broken: ConnectionResetError: gone"]
    intake.close()
    assert "a source was not closed: broken: OSError: already closed" in caplog.text


def test_an_error_of_redpoll_other_than_of_a_source_ends_the_reading():
    with pytest.raises(StoreError, match="damaged"):
        list(Intake([Listed("a", [1], StoreError("damaged"))], refuse))


@pytest.mark.parametrize("limit", [1, 7, 2_500, 5_000])
def test_first_blocks_are_as_many_packets_as_asked_however_slow_the_source(limit):
    clock = Clock()

    class Slow(Listed):
        def poll(self, max_packets, timeout):
            clock.wait(2.0)
            return super().poll(max_packets, timeout)

    sources = [Slow("a", [1] * 2_000), Slow("b", [1] * 2_000)]
    blocks = [len(packets) for packets in first_blocks(sources, refuse, limit, clock=clock)]
    assert sum(blocks) == min(limit, 4_000) and max(blocks) <= BLOCK_PACKETS
    assert all(source.is_closed for source in sources)


def test_first_blocks_of_a_stream_end_with_what_comes_within_a_second():
    clock = Clock()
    stream = FakeStream(lambda n: b"x", n_available=3, wait=clock.wait)
    assert [len(packets) for packets in first_blocks([stream], refuse, 10, clock=clock)] == [3]
    assert stream.committed == 0


def test_nothing_is_polled_while_reading_is_paused():
    stream = FakeStream(lambda n: b"x", n_available=0, wait=lambda seconds: time.sleep(0.005))
    done = threading.Event()
    intake = Intake([stream], refuse, batch_size=1, stop=done.is_set)
    reader = ReadAhead(iter(intake))
    try:
        with intake.paused():
            time.sleep(0.1)  # the poll at work ends
            before = stream.n_polls
            time.sleep(0.2)
            assert stream.n_polls == before
        deadline = time.monotonic() + 5
        while stream.n_polls == before and time.monotonic() < deadline:
            time.sleep(0.01)
        assert stream.n_polls > before
    finally:
        done.set()
        reader.stop()


def by_object(nights):
    """What finds packets of the object and night that their bytes and `nights` give."""
    return lambda packets: [PacketNight("ztf", nights[len(data)], "s", str(len(data) % 7)) for data in packets]


def test_a_block_of_several_nights_is_shared_by_workers_of_which_the_first_waits():
    source = Listed("a", range(1, 41))
    nights = [1] * 11 + [1, 2] * 15
    intake = Intake([source], refuse, batch_size=10, find_nights=by_object(nights), n_workers=2)
    blocks = [*intake]
    assert [block.waits for block in blocks] == [False, True] + [False] * (len(blocks) - 2)
    assert blocks[0].group is None
    groups = {(len(packet.data) % 7, block.group) for block in blocks[1:] for packet in block.packets}
    assert len(groups) == 7 and len({group for _, group in groups}) > 1
    assert sorted(len(packet.data) for block in blocks for packet in block.packets) == [*range(1, 41)]


@pytest.mark.parametrize(
    ("name", "n_workers", "expected"), [("one", 0, 4), ("one", 1, 4), ("one", 3, 12), (None, 3, 4)]
)
def test_a_block_of_several_nights_is_as_many_times_larger_as_workers_share_it(name, n_workers, expected):
    intake = Intake(
        [Listed("a", [9, 11] * 24)], refuse, block_bytes=40, n_workers=n_workers,
        find_nights=lambda packets: [PacketNight("ztf", len(packet), "s", name) for packet in packets],
    )  # fmt: skip
    assert [len(block) for block in intake] == [expected] * (48 // expected)


def test_positions_of_a_shared_block_are_committed_once_all_its_packets_are_stored():
    stream = FakeStream(lambda n: bytes(n + 1))
    nights = [1, 2] * 40
    intake = Intake([stream], refuse, batch_size=10, find_nights=by_object(nights), n_workers=2)
    blocks = iter(intake)
    one, *others = (next(blocks) for _ in range(3))
    for other in others:
        intake.stored(other.packets)
    [next(blocks) for _ in range(3)]
    assert stream.committed == 0
    intake.stored(one.packets)
    [next(blocks) for _ in range(3)]
    assert stream.committed == 10
    intake.close()
