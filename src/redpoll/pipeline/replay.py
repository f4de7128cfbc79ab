"""Dead letters as a source: processed again; those that can be used now leave the list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from redpoll.config import Config
from redpoll.pipeline.report import RunReport
from redpoll.pipeline.run import run_night
from redpoll.plugin.ports import Packet
from redpoll.store import open_store


@dataclass(frozen=True)
class _Letter(Packet):
    number: int
    reason: str


class _Letters:
    """The dead letters of a store, as packets from where they first came."""

    def __init__(self, store: Path) -> None:
        self.name, self._store = f"dead letters of {store}", store
        self.n_bytes: int | None = None

    def packets(self) -> Iterator[Packet]:
        """Every letter there was at the start, oldest first."""
        with open_store(self._store) as reader:
            for letter in reader.iter_dead_letters():
                assert letter.id is not None
                yield _Letter(letter.data, letter.source, letter.position, letter.id, letter.reason)


def replay_dead_letters(store_path: Path, config: Config) -> RunReport:
    """Run every dead letter again.

    One whose packet is used now is removed; one that fails for the same reason stays; one that fails for another
    reason is replaced by a new letter that says so.
    """
    settled: list[int] = []

    def note(packets: Sequence[Packet], dead: Mapping[int, str]) -> None:
        letters = [packet for packet in packets if isinstance(packet, _Letter)]
        settled.extend(letter.number for i, letter in enumerate(letters) if dead.get(i) != letter.reason)

    try:
        return run_night([_Letters(store_path)], store_path, config, command="dead-letters replay", on_settled=note)
    finally:
        with open_store(store_path) as store:
            store.remove_dead_letters(settled)
