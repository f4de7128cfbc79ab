"""What a run did, in numbers that add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from redpoll.store import LedgerEntry

_MOST_WORDS, _OTHERS = 1000, "other words"


@dataclass
class RunReport:
    """Counts of a run: every packet received is stored, a duplicate or rejected.

    ``missing`` says which catalogues were not there, and why: their columns are null.

    ``reasons`` counts duplicates and rejected packets by reason, ``failures`` the batches in which a module or filter
    failed, ``unknown_words`` what catalogues said that is no class of the taxonomy, ``seconds`` the CPU seconds of each
    stage over all workers, ``source_errors`` what could not be read.
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
    unknown_words: Counter[str] = field(default_factory=Counter)
    missing: dict[str, str] = field(default_factory=dict)
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
            self.reasons["already stored"] += repeated
        passed = [name for name in alerts.schema.names if name.startswith("pass_")]
        self.topics.update({name.removeprefix("pass_"): pc.sum(alerts[name]).as_py() or 0 for name in passed})

    def add_unknown(self, words: Counter[str]) -> None:
        """Count words of catalogues that have no class; of words beyond the first thousand, all as one."""
        for word, n in words.items():
            room = word in self.unknown_words or len(self.unknown_words) < _MOST_WORDS
            self.unknown_words[word if room else _OTHERS] += n

    @property
    def balances(self) -> bool:
        """Whether received = stored + duplicate + rejected."""
        return self.received == self.stored + self.duplicate + self.rejected

    def as_dict(self) -> dict[str, Any]:
        """Plain data for ``--json``."""
        return {**self.__dict__, "balances": self.balances}
