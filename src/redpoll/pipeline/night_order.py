"""Order of blocks: which may be processed at once so that histories include the points of earlier nights."""

from __future__ import annotations

from collections import defaultdict
from zlib import crc32

from redpoll.ingest.nights import PacketNight


class BlockNights:
    """Nights, writer schemas and objects of the packets of a block; ``knows_objects`` if those of all are known."""

    def __init__(self) -> None:
        self._objects: list[str | None] = []
        self.knows_objects = True
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
        self.knows_objects &= self._objects[-1] is not None
        if packet is not None:
            self.nights[packet.survey].add(packet.night)
            self._schemas[packet.survey].add(packet.schema)

    @property
    def is_mixed(self) -> bool:
        """Whether packets of a survey are of several nights, or of an unknown one."""
        return any(len(nights) > 1 or 0 in nights for nights in self.nights.values())

    def groups(self, n: int) -> dict[int, list[int]]:
        """The numbers of the packets in at most `n` groups, the same group for an object in every block.

        The packets of a group are in their order. Alerts of different objects do not see each other. Where objects are
        not known, there is one group: any packet may be of any object.
        """
        if not self.knows_objects:
            return {0: [*range(len(self._objects))]}
        groups: defaultdict[int, list[int]] = defaultdict(list)
        for i, name in enumerate(self._objects):
            groups[crc32((name or "").encode("utf-8", "surrogatepass")) % n].append(i)
        return groups


class NightOrder:
    """Decides for each block, in the order of reading, whether all blocks before it must be committed first.

    Blocks in which each survey has the same one night are independent of each other. Any other pair is not: the
    later block sees what the earlier one brought, or must not be seen by it. Blocks of several nights that are cut by
    objects need not wait as a whole: groups of the same objects wait for each other.
    """

    def __init__(self) -> None:
        self._at_work: dict[str, set[int]] = {}
        self._is_mixed = self._is_cut = False

    def waits(self, block: BlockNights) -> bool:
        """Whether the next block must wait."""
        at_work, is_cut = self._at_work, block.is_mixed and block.knows_objects
        waits = self._is_mixed or block.is_mixed
        waits |= any(at_work.get(survey, nights) != nights for survey, nights in block.nights.items())
        waits &= not (self._is_cut and is_cut)
        self._at_work = dict(block.nights) if waits else at_work | block.nights
        self._is_mixed, self._is_cut = block.is_mixed, is_cut
        return waits
