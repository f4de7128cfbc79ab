"""Dead letters as a source: processed again; those that can be used now leave the list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from redpoll.config import Config
from redpoll.pipeline.report import RunReport
from redpoll.pipeline.run import run_night
from redpoll.pipeline.store_access import LetterPosition, dead_letters, remove_dead_letters
from redpoll.plugin.polling import FiniteSource
from redpoll.plugin.ports import ReceivedPacket


class DeadLetterSource(FiniteSource):
    """The dead letters that a store has at the start, oldest first."""

    def __init__(self, store: Path) -> None:
        super().__init__(f"dead letters of {store}")
        self._store = store

    def _read(self) -> Iterator[ReceivedPacket]:
        with dead_letters(self._store) as letters:
            for letter in letters:
                assert letter.id is not None
                position = LetterPosition(letter.source, letter.position, letter.id, letter.reason)
                yield ReceivedPacket(letter.data, position)


def replay_dead_letters(store_path: Path, config: Config) -> RunReport:
    """Run every dead letter again.

    One whose packet is used now is removed; one that fails for the same reason stays; one that fails for another
    reason is replaced by a new letter with that reason. The ledger counts the packet once, with its last outcome.
    """

    def remove(packets: Sequence[ReceivedPacket], dead: Mapping[int, str]) -> None:
        positions = [(packet.position, dead.get(i)) for i, packet in enumerate(packets)]
        letters = [(p, reason) for p, reason in positions if isinstance(p, LetterPosition)]
        remove_dead_letters(store_path, [p.number for p, reason in letters if reason != p.reason])

    source = DeadLetterSource(store_path)
    return run_night([source], store_path, config, command="dead-letters replay", on_committed=remove)
