"""A metered source counts what it gives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from redpoll.ingest.files import open_source
from redpoll.ingest.metered import Metered, total_bytes
from redpoll.plugin.ports import Packet, Source


@dataclass
class Plain:
    """A source that does not count for itself."""

    name: str = "plain"
    n_bytes: int | None = None

    def packets(self) -> Iterator[Packet]:
        return iter([Packet(b"abc", "plain", "1"), Packet(b"de", "plain", "2")])


def test_a_source_that_does_not_count_is_counted():
    metered = Metered(Plain())
    assert [(metered.n_read, metered.n_packets) for _ in metered.packets()] == [(3, 1), (5, 2)]


def test_a_source_that_counts_is_believed(put, gz, container):
    path = put("a.avro.gz", gz(container(size=100_000)))
    metered = Metered(open_source(path))
    assert [p.data for p in metered.packets()] == [container(size=100_000)]
    assert metered.n_read == metered.n_bytes == path.stat().st_size < 100_000


def test_counts_start_again_with_the_packets():
    metered = Metered(Plain())
    list(metered.packets())
    list(metered.packets())
    assert (metered.n_read, metered.n_packets) == (5, 2)


def test_a_metered_source_is_a_source():
    assert isinstance(Metered(Plain()), Source)


def test_the_total_is_unknown_if_one_size_is():
    assert total_bytes([Plain(n_bytes=3), Plain(n_bytes=4)]) == 7
    assert total_bytes([Plain(n_bytes=3), Plain()]) is None
