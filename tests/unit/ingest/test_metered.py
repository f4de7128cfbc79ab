"""A metered source counts what it gives."""

from __future__ import annotations

import pytest

from redpoll.errors import SourceError
from redpoll.ingest.files import open_source
from redpoll.ingest.metered import Metered, total_bytes
from redpoll.plugin.polling import FiniteSource, all_packets
from redpoll.plugin.ports import FilePosition, ReceivedPacket, Source
from redpoll.testing.fakes import FakeStream


class Plain(FiniteSource):
    """A source that does not count for itself."""

    def __init__(self, n_bytes=None, error=None):
        super().__init__("plain", n_bytes)
        self.error = error

    def _read(self):
        yield from (ReceivedPacket(data, FilePosition("plain", data.decode())) for data in (b"abc", b"de"))
        if self.error:
            raise self.error


def test_a_source_that_does_not_count_is_counted():
    metered = Metered(Plain())
    counts = []
    while not metered.is_finished:
        metered.poll(1, 0.0)
        counts.append((metered.n_read, metered.n_packets))
    assert counts[:2] == [(3, 1), (5, 2)] and counts[-1] == (5, 2)


def test_a_source_that_counts_is_believed(put, gz, container):
    path = put("a.avro.gz", gz(container(size=100_000)))
    metered = Metered(open_source(path))
    assert [p.data for p in all_packets(metered)] == [container(size=100_000)]
    assert metered.n_read == metered.n_bytes == path.stat().st_size < 100_000


def test_commits_and_errors_reach_the_source():
    stream = FakeStream(lambda n: b"x")
    metered = Metered(stream)
    metered.commit([packet.position for packet in metered.poll(3, 0.0)])
    metered.close()
    assert (stream.committed, stream.is_closed, metered.is_finite, metered.is_finished) == (3, True, False, False)
    with pytest.raises(SourceError):
        list(all_packets(Metered(Plain(error=SourceError("damaged")))))


def test_a_metered_source_is_a_source():
    assert isinstance(Metered(Plain()), Source)


def test_the_total_is_unknown_if_one_size_is():
    assert total_bytes([Plain(n_bytes=3), Plain(n_bytes=4)]) == 7
    assert total_bytes([Plain(n_bytes=3), Plain()]) is None
