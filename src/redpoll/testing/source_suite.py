"""Conformance suite of sources of packets, for Redpoll's own and a plugin's alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

from redpoll.errors import SourceError
from redpoll.plugin.ports import ReceivedPacket, Source

_POLLS = 10_000


class SourceSuite(ABC):
    """Subclass it in a test file, name the subclass ``Test...``, and define how to make the source.

    pytest then runs each ``test_`` method below, in a fresh folder.
    """

    @abstractmethod
    def make_source(self, folder: Path) -> Source:
        """A source of at least two packets, from the first; called again with the same folder, an equal one."""

    @abstractmethod
    def expected(self) -> list[bytes]:
        """Bytes of the first packets that the source of `make_source` gives, in order; of a finite source, of all."""

    @abstractmethod
    def make_broken_source(self, folder: Path) -> Source:
        """A source that cannot be read to its end."""

    def test_is_a_source(self, tmp_path: Path) -> None:
        """It has what the port asks for, and a name to be known by."""
        source = self.make_source(tmp_path)
        assert isinstance(source, Source)
        assert source.name and (source.n_bytes is None or source.n_bytes >= 0)
        assert not source.is_finished

    def test_packets_are_byte_exact_and_in_order(self, tmp_path: Path) -> None:
        """Packets are what went in."""
        assert [packet.data for packet in self._read(self.make_source(tmp_path))] == self.expected()

    def test_gives_no_more_packets_than_asked_for(self, tmp_path: Path) -> None:
        """One packet a poll gives the same packets as many."""
        one_by_one = self._read(self.make_source(tmp_path), max_packets=1)
        assert one_by_one == self._read(self.make_source(tmp_path), max_packets=1000)

    def test_a_finite_source_finishes_and_a_stream_does_not(self, tmp_path: Path) -> None:
        """The end is signalled, and nothing comes after it."""
        source = self.make_source(tmp_path)
        self._read(source)
        assert source.is_finished == source.is_finite
        if source.is_finite:
            assert source.poll(10, 0.0) == []

    def test_packets_are_told_apart(self, tmp_path: Path) -> None:
        """No two packets have one position, and source and position are text that is not empty."""
        packets = self._read(self.make_source(tmp_path))
        positions = {(packet.position.source, str(packet.position)) for packet in packets}
        assert len(positions) == len(packets)
        assert all(isinstance(packet, ReceivedPacket) for packet in packets)
        assert all(source and position for source, position in positions)

    def test_another_source_of_the_same_gives_the_same(self, tmp_path: Path) -> None:
        """Packets and positions depend on what is read alone."""
        assert self._read(self.make_source(tmp_path)) == self._read(self.make_source(tmp_path))

    def test_takes_commits_and_can_be_closed(self, tmp_path: Path) -> None:
        """Positions that were polled can be committed, none at all too, and closing ends it."""
        source = self.make_source(tmp_path)
        packets = source.poll(1, 1.0)
        source.commit([packet.position for packet in packets])
        source.commit([])
        source.close()

    def test_what_cannot_be_read_is_a_source_error(self, tmp_path: Path) -> None:
        """Damage is a SourceError, which names the source; it does not pass for the end."""
        source = self.make_broken_source(tmp_path)
        try:
            for _ in range(_POLLS):
                source.poll(1, 0.0)
                assert not source.is_finished, "a broken source was read without a SourceError"
        except SourceError as error:
            assert source.name in str(error)
        else:
            raise AssertionError("a broken source was polled without a SourceError")

    def _read(self, source: Source, max_packets: int = 10) -> list[ReceivedPacket]:
        """Packets until the end of a finite source, or as many as are expected of a stream."""
        packets: list[ReceivedPacket] = []
        for _ in range(_POLLS):
            if source.is_finished or (not source.is_finite and len(packets) >= len(self.expected())):
                break
            found = source.poll(max_packets, 1.0)
            assert len(found) <= max_packets
            packets += found
        return packets if source.is_finite else packets[: len(self.expected())]
