"""Which blocks may be processed at the same time, so that alerts see what packets of earlier nights brought."""

from __future__ import annotations

from collections import defaultdict
from zlib import crc32

from redpoll.ingest.nights import PacketNight


class BlockNights:
    """Nights, writer schemas and objects of the packets of a block."""

    def __init__(self) -> None:
        self._objects: list[str | None] = []
        self.nights: defaultdict[str, set[int]] = defaultdict(set)
        self._schemas: defaultdict[str, set[object]] = defaultdict(set)

    def may_add(self, packet: PacketNight | None) -> bool:
        """Whether the packet can join the block: of each survey, it has one night or one schema.

        Alert tables have one schema. Alerts of several nights can see each other only within one table.
        """
        if packet is None:
            return True
        nights, schemas = self.nights[packet.survey], self._schemas[packet.survey]
        return len(nights | {packet.night}) <= 1 or len(schemas | {packet.schema}) <= 1

    def add(self, packet: PacketNight | None) -> None:
        """Note a packet; one that the decoder refuses is in no night."""
        self._objects.append("" if packet is None else packet.object_id)
        if packet is not None:
            self.nights[packet.survey].add(packet.night)
            self._schemas[packet.survey].add(packet.schema)

    @property
    def is_mixed(self) -> bool:
        """Whether packets of a survey are of several nights, or of an unknown one."""
        return any(len(nights) > 1 or 0 in nights for nights in self.nights.values())

    def parts(self, n: int) -> list[list[int]]:
        """The numbers of the packets in at most `n` groups, each object in one; in the order of the packets in each.

        Alerts of different objects do not see each other. Packets whose object is not known are in one group, which
        then is the only one: any of them may be of any object.
        """
        known = [name for name in self._objects if name is not None]
        if n < 2 or len(known) < len(self._objects):
            return [[*range(len(self._objects))]]
        groups: list[list[int]] = [[] for _ in range(n)]
        for i, name in enumerate(known):
            groups[crc32(name.encode("utf-8", "surrogatepass")) % n].append(i)
        return [group for group in groups if group]


class NightOrder:
    """Decides for each block, in the order of reading, whether all blocks before it must be committed first.

    Blocks in which each survey has the same one night are independent of each other. Any other pair is not: the
    later block sees what the earlier one brought, or must not be seen by it.
    """

    def __init__(self) -> None:
        self._at_work: dict[str, set[int]] = {}
        self._is_mixed = False

    def waits(self, block: BlockNights) -> bool:
        """Whether the next block must wait."""
        at_work = self._at_work
        waits = self._is_mixed or block.is_mixed
        waits |= any(at_work.get(survey, nights) != nights for survey, nights in block.nights.items())
        self._at_work = dict(block.nights) if waits else at_work | block.nights
        self._is_mixed = block.is_mixed
        return waits
