"""Report of a run: counts that add up to the number of packets."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from redpoll.pipeline.block_result import BlockResult
from redpoll.quality.duplicates import ALREADY_STORED
from redpoll.schema.names import PASS

log = logging.getLogger(__name__)
_MAX_WORDS, _OTHERS = 1000, "other words"


@dataclass
class RunReport:
    """Counts of a run: every packet received is stored, a duplicate or rejected.

    ``missing`` maps each catalogue that is not installed to the reason; its columns are null.

    ``reasons`` counts duplicates and rejected packets by reason, ``failures`` the batches in which a module, filter,
    catalogue or sink failed, ``unusable_models`` the reason for each champion of the registry that a worker could not
    open, ``without_model`` the modules whose model was not served in the last block (module -> model; null columns),
    ``unknown_words`` the words of catalogues that are no class of the taxonomy, ``seconds`` the CPU seconds of each
    stage over all workers, ``source_errors`` what could not be read. ``read`` is what the sources gave, counted apart
    from what became of it. ``sent`` counts messages by sink, ``parked`` those that wait in the spool of a sink that
    does not take them; ``left_spools`` names folders with messages of sinks that are not configured. ``signal`` is the
    one that interrupted the run.
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
    unusable_models: dict[str, str] = field(default_factory=dict)
    without_model: dict[str, str] = field(default_factory=dict)
    unknown_words: Counter[str] = field(default_factory=Counter)
    missing: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    source_errors: list[str] = field(default_factory=list)
    sent: dict[str, int] = field(default_factory=dict)
    parked: dict[str, int] = field(default_factory=dict)
    left_spools: list[str] = field(default_factory=list)
    worker_deaths: int = 0
    signal: int | None = None
    read: int = 0
    elapsed: float = 0.0

    def add(self, result: BlockResult) -> None:
        """Add the counts of a block, except for its stored alerts."""
        for entry in result["counts"]:
            if entry["outcome"] != "stored":
                self.received += entry["n"]
                setattr(self, entry["outcome"], getattr(self, entry["outcome"]) + entry["n"])
                self.reasons[entry["reason"]] += entry["n"]
        self.dead_letters += len(result["dead_letters"])
        self.failures.update(result["failures"])
        self._add_unknown(result["unknown_words"])
        for model, why in result["unusable_models"].items():
            if model not in self.unusable_models:
                self.unusable_models[model] = why
                log.error("model %s cannot be used: %s", model, why, extra={"model": model})
        self.without_model = result["without_model"]
        for stage, seconds in result["seconds"].items():
            self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds

    def add_stored(self, alerts: pa.RecordBatch, n_new: int) -> None:
        """Add alerts that were committed, of which `n_new` were new."""
        self.received += alerts.num_rows
        self.stored += n_new
        if repeated := alerts.num_rows - n_new:
            self.duplicate += repeated
            self.reasons[ALREADY_STORED] += repeated
        passed = [name for name in alerts.schema.names if name.startswith(PASS)]
        self.topics.update({name.removeprefix(PASS): pc.sum(alerts[name]).as_py() or 0 for name in passed})

    def _add_unknown(self, words: Mapping[str, int]) -> None:
        """Count words of catalogues that have no class; of words beyond the first thousand, all as one."""
        for word, n in words.items():
            room = word in self.unknown_words or len(self.unknown_words) < _MAX_WORDS
            self.unknown_words[word if room else _OTHERS] += n

    @property
    def balances(self) -> bool:
        """Whether received = stored + duplicate + rejected."""
        return self.received == self.stored + self.duplicate + self.rejected

    @property
    def is_complete(self) -> bool:
        """Whether every packet that was read is accounted for; an interrupted run may have read more."""
        return self.balances and (self.status != "done" or self.read == self.received)

    @property
    def run_note(self) -> str:
        """The status for the ledger, with the sinks that are parked."""
        parked = ", ".join(f"{name} ({n:,} messages in its spool)" for name, n in self.parked.items())
        return f"{self.status}; parked: {parked}" if parked else self.status

    @property
    def exit_code(self) -> int:
        """0 for a run without fault, 128 + signal for an interrupted one, else 1.

        >>> RunReport(status="interrupted", signal=2).exit_code, RunReport(source_errors=["x"]).exit_code
        (130, 1)
        """
        if self.signal is not None:
            return 128 + self.signal
        faults = self.source_errors or self.failures or self.unusable_models or self.parked or self.worker_deaths
        return 1 if faults or not self.is_complete else 0

    def as_dict(self) -> dict[str, Any]:
        """Plain data for ``--json``."""
        return {**self.__dict__, "balances": self.balances}
