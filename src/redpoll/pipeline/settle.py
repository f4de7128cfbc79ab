"""The outcome of a block into the store: parts, dead letters and ledger, each commit all or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from redpoll.engine.local import Killed
from redpoll.errors import StoreError
from redpoll.pipeline.chain import Outcome, category
from redpoll.pipeline.report import RunReport
from redpoll.plugin.ports import Packet, Sink
from redpoll.store import Commit, DeadLetter, Store

OnSettled = Callable[[Sequence[Packet], Mapping[int, str]], None]
"""Told, after the commit, the packets of a block and which of them are dead letters, with the reason."""


def nobody(_: Sequence[Packet], __: Mapping[int, str]) -> None:
    """For runs of which nobody is told."""


class Settler:
    """Gives alerts to the sinks, commits outcomes once the sinks are flushed, and adds them to the report."""

    def __init__(
        self, store: Store, report: RunReport, sinks: Sequence[Sink] = (), on_settled: OnSettled = nobody
    ) -> None:
        self._store, self._report, self._sinks, self._on_settled = store, report, sinks, on_settled

    def __call__(self, packets: Sequence[Packet], outcome: Outcome | Killed) -> None:
        """Commit one block; StoreError if a packet of it is not accounted for."""
        if isinstance(outcome, Killed):
            outcome = _killed(outcome)
        if sum(outcome.counts.values()) != len(packets):
            raise StoreError(f"a block of {len(packets)} packets came back with {sum(outcome.counts.values())} counted")
        letters = [_letter(packets[i], reason) for i, reason in sorted(outcome.dead.items())]
        rest = [entry for entry in outcome.ledger() if entry.outcome != "stored"]
        for sink in self._sinks:
            for alerts, _ in outcome.parts:
                sink.write(alerts)
            sink.flush()
        parts: list[tuple[Any, Any]] = [*outcome.parts] or [(None, None)]
        for n, (alerts, part) in enumerate(parts):
            commit = Commit(alerts, part, letters, rest) if n == 0 else Commit(alerts, part)
            self._report.add_stored(alerts, self._store.runs.commit(commit))
        self._report.count(rest)
        self._report.dead_letters += len(letters)
        self._report.failures.update(outcome.failures)
        self._report.add_unknown(outcome.unknown_words)
        for stage, seconds in outcome.seconds.items():
            self._report.seconds[stage] = self._report.seconds.get(stage, 0.0) + seconds
        self._on_settled(packets, outcome.dead)


def _letter(packet: Packet, reason: str) -> DeadLetter:
    return DeadLetter(packet.data, packet.source, packet.position, reason)


def _killed(killed: Killed) -> Outcome:
    reason = f"a worker died on this packet (exit code {killed.exit_code})"
    outcome = Outcome(dead={0: reason})
    outcome.counts[(None, None, "rejected", category(reason))] = 1
    return outcome
