"""The exam that every source of packets takes, Redpoll's own and a plugin's alike."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from itertools import islice
from pathlib import Path

from redpoll.errors import SourceError
from redpoll.plugin.ports import Packet, Source


class SourceSuite(ABC):
    """Subclass it in a test file, name the subclass ``Test...``, and say how to make the source.

    pytest then runs each ``test_`` method below, in a fresh folder.
    """

    @abstractmethod
    def make_source(self, folder: Path) -> Source:
        """A source of at least two packets; `folder` is empty and may be used."""

    @abstractmethod
    def expected(self) -> list[bytes]:
        """Bytes of the packets that the source of `make_source` gives, in order."""

    @abstractmethod
    def make_broken_source(self, folder: Path) -> Source:
        """A source that cannot be read to its end."""

    def test_is_a_source(self, tmp_path: Path) -> None:
        """It has what the port asks for, and a name to be known by."""
        source = self.make_source(tmp_path)
        assert isinstance(source, Source)
        assert source.name and (source.n_bytes is None or source.n_bytes >= 0)

    def test_packets_are_byte_exact_and_in_order(self, tmp_path: Path) -> None:
        """Packets are what went in."""
        assert [packet.data for packet in self.make_source(tmp_path).packets()] == self.expected()

    def test_packets_are_told_apart(self, tmp_path: Path) -> None:
        """No two packets have one source and position, and both say something."""
        packets = list(self.make_source(tmp_path).packets())
        places = {(packet.source, packet.position) for packet in packets}
        assert len(places) == len(packets)
        assert all(isinstance(packet, Packet) and packet.source and packet.position for packet in packets)

    def test_starts_again_from_the_first_packet(self, tmp_path: Path) -> None:
        """A source that was read in part, or whole, gives the same packets again."""
        source = self.make_source(tmp_path)
        list(islice(source.packets(), 1))
        assert list(source.packets()) == list(source.packets())

    def test_another_source_of_the_same_gives_the_same(self, tmp_path: Path) -> None:
        """A copy, such as a worker process gets, reads the same: names and positions depend on what is read alone."""
        source = self.make_source(tmp_path)
        assert list(copy.deepcopy(source).packets()) == list(source.packets())

    def test_what_cannot_be_read_is_a_source_error(self, tmp_path: Path) -> None:
        """Damage is told as SourceError, which names the source; it does not pass for the end."""
        source = self.make_broken_source(tmp_path)
        try:
            list(source.packets())
        except SourceError as error:
            assert source.name in str(error)
        else:
            raise AssertionError("a broken source was read without a SourceError")
