"""Where in a source a packet lies, in words that a person can follow."""

from __future__ import annotations

from dataclasses import dataclass

from redpoll.plugin.ports import Packet


@dataclass(frozen=True)
class Place:
    """A place in `source`; `position` is empty for all of it.

    >>> str(Place("night.tar").within("member a.avro (3)").within("record 17"))
    'night.tar: member a.avro (3), record 17'
    """

    source: str
    position: str = ""

    def within(self, part: str) -> Place:
        """A part of this place."""
        return Place(self.source, f"{self.position}, {part}" if self.position else part)

    def packet(self, data: bytes) -> Packet:
        """What lies here, as a packet."""
        return Packet(data, self.source, self.position or "whole file")

    def __str__(self) -> str:
        return f"{self.source}: {self.position}" if self.position else self.source
