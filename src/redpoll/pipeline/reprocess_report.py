"""Report of a reprocessing: counts of alerts and changes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

from redpoll.pipeline.reprocess_result import ReprocessResult

Status = Literal["done", "interrupted", "failed", "nothing selected", "done before"]


@dataclass
class ReprocessReport:
    """Counts of a reprocessing.

    ``alerts`` were committed by this process, ``before`` by earlier ones that it went on after (``is_resumed``).
    ``changed`` counts, by column, alerts whose value is another than before. ``lost`` counts the alerts that a
    catalogue, module or filter failed on, with the first reason in ``reasons``; ``kept`` those whose values before were
    kept for it, also by nodes that depend on it. ``unknown`` counts, by column, alerts left as they are because a
    boolean that a node reads is unknown. ``died`` names alerts on which a worker died. ``finished`` is when an equal
    reprocessing was done before, for the status "done before".
    """

    job: str = ""
    status: Status = "done"
    alerts: int = 0
    before: int = 0
    is_resumed: bool = False
    changed: Counter[str] = field(default_factory=Counter)
    topics_gained: Counter[str] = field(default_factory=Counter)
    topics_lost: Counter[str] = field(default_factory=Counter)
    classes_gained: Counter[str] = field(default_factory=Counter)
    classes_lost: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, str] = field(default_factory=dict)
    unknown_words: Counter[str] = field(default_factory=Counter)
    unusable_models: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    died: list[str] = field(default_factory=list)
    worker_deaths: int = 0
    finished: str | None = None
    signal: int | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    elapsed: float = 0.0

    def add(self, result: ReprocessResult) -> None:
        """Add the counts of a block."""
        self.alerts += result["n_alerts"]
        counted: dict[str, dict[str, int]] = {
            "changed": result["changed"], "topics_gained": result["topics_gained"], "lost": result["lost"],
            "topics_lost": result["topics_lost"], "classes_gained": result["classes_gained"], "kept": result["kept"],
            "classes_lost": result["classes_lost"], "unknown": result["unknown"],
            "unknown_words": result["unknown_words"],
        }  # fmt: skip
        for name, counts in counted.items():
            getattr(self, name).update(counts)
        for stage, seconds in result["seconds"].items():
            self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds
        self.reasons = result["reasons"] | self.reasons
        self.unusable_models |= result["unusable_models"]

    @property
    def exit_code(self) -> int:
        """0 without fault, 128 + signal if interrupted, else 1.

        >>> ReprocessReport(signal=2).exit_code, ReprocessReport(unknown=Counter(is_x=1)).exit_code
        (130, 1)
        """
        if self.signal is not None:
            return 128 + self.signal
        faults = self.lost or self.unknown or self.unusable_models or self.died
        return 1 if faults or self.status == "failed" else 0

    def as_dict(self) -> dict[str, Any]:
        """Plain data for ``--json``."""
        return dict(self.__dict__)
