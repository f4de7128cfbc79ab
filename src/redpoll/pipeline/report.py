"""What a run did, in numbers that add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from redpoll.store import LedgerEntry


@dataclass
class RunReport:
    """Counts of a run: every packet received is stored, a duplicate or rejected.

    ``reasons`` counts duplicates and rejected packets by reason, ``failures`` the batches in which a module or filter
    failed, ``seconds`` the CPU seconds of each stage over all workers, ``source_errors`` what could not be read.
    """

    run: int = 0
    status: str = "done"
    received: int = 0
    stored: int = 0
    duplicate: int = 0
    rejected: int = 0
    dead_letters: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    topics: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)
    source_errors: list[str] = field(default_factory=list)
    elapsed: float = 0.0

    def count(self, entries: Iterable[LedgerEntry]) -> None:
        """Add entries of the ledger."""
        for entry in entries:
            self.received += entry.n
            setattr(self, entry.outcome, getattr(self, entry.outcome) + entry.n)
            if entry.reason:
                self.reasons[entry.reason] += entry.n

    def add_stored(self, alerts: pa.RecordBatch | None, n_new: int) -> None:
        """Add alerts that the store took, of which `n_new` were new."""
        if alerts is None:
            return
        self.received += alerts.num_rows
        self.stored += n_new
        if repeated := alerts.num_rows - n_new:
            self.duplicate += repeated
            self.reasons["stored already"] += repeated
        passed = [name for name in alerts.schema.names if name.startswith("pass_")]
        self.topics.update({name.removeprefix("pass_"): pc.sum(alerts[name]).as_py() or 0 for name in passed})

    @property
    def balances(self) -> bool:
        """Whether received = stored + duplicate + rejected."""
        return self.received == self.stored + self.duplicate + self.rejected

    def as_dict(self) -> dict[str, Any]:
        """Plain data for ``--json``."""
        return {**self.__dict__, "balances": self.balances}
