"""Position of a packet in its source, as text for people."""

from __future__ import annotations

from dataclasses import dataclass

from redpoll.plugin.ports import FilePosition, ReceivedPacket


@dataclass(frozen=True)
class Origin:
    """A part of `source`; `position` is empty for all of it.

    >>> str(Origin("night.tar").within("member a.avro (3)").within("record 17"))
    'night.tar: member a.avro (3), record 17'
    """

    source: str
    position: str = ""

    def within(self, part: str) -> Origin:
        """Origin of a part inside this one, such as a member of an archive."""
        return Origin(self.source, f"{self.position}, {part}" if self.position else part)

    def packet(self, data: bytes) -> ReceivedPacket:
        """Packet with these bytes and this origin."""
        return ReceivedPacket(data, FilePosition(self.source, self.position or "whole file"))

    def __str__(self) -> str:
        return f"{self.source}: {self.position}" if self.position else self.source
