"""Where in a source a packet lies, in words that a person can follow."""

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
        """A part of this part."""
        return Origin(self.source, f"{self.position}, {part}" if self.position else part)

    def packet(self, data: bytes) -> ReceivedPacket:
        """What lies here, as a packet."""
        return ReceivedPacket(data, FilePosition(self.source, self.position or "whole file"))

    def __str__(self) -> str:
        return f"{self.source}: {self.position}" if self.position else self.source
