"""Origin of a packet: its source and its position within the source, as readable text."""

from __future__ import annotations

from dataclasses import dataclass

from redpoll.plugin.ports import Packet


@dataclass(frozen=True)
class Origin:
    """A `source` and the `position` within it; an empty position means the whole source.

    >>> str(Origin("night.tar").within("member a.avro (3)").within("record 17"))
    'night.tar: member a.avro (3), record 17'
    """

    source: str
    position: str = ""

    def within(self, inner: str) -> Origin:
        """The origin of a piece `inner` of this one."""
        return Origin(self.source, f"{self.position}, {inner}" if self.position else inner)

    def packet(self, data: bytes) -> Packet:
        """The packet of these bytes, with this origin."""
        return Packet(data, self.source, self.position or "whole file")

    def __str__(self) -> str:
        return f"{self.source}: {self.position}" if self.position else self.source
