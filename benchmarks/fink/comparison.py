"""Two columns of values side by side: how many are equal, and the largest difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Agreement:
    """One line: how many values both have, how many of them are equal within the tolerance, the largest difference."""

    quantity: str
    tolerance: str
    n: int
    equal: int
    largest: float
    only_ours: int = 0
    only_theirs: int = 0

    def line(self) -> str:
        fraction = f"{100 * self.equal / self.n:.2f} %" if self.n else "-"
        return (f"{self.quantity:<46}{self.n:>7,}{fraction:>11}{self.largest:>11.2g}  {self.tolerance:<26}"
                f"{self.only_ours:>7,}{self.only_theirs:>8,}")  # fmt: skip


HEADING = f"{'':<46}{'n':>7}{'equal':>11}{'largest':>11}  {'equal means':<26}{'ours':>7}{'theirs':>8}"


def compare(quantity: str, ours: Any, theirs: Any, *, scale: Any, tolerance: float, means: str) -> Agreement:
    """Numbers, NaN where there is none; the difference is measured in `scale`."""
    ours, theirs = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    both = np.isfinite(ours) & np.isfinite(theirs) & np.isfinite(scale)
    with np.errstate(invalid="ignore", divide="ignore"):
        off = np.abs(ours - theirs)[both] / np.broadcast_to(scale, ours.shape)[both]
    off = np.where(ours[both] == theirs[both], 0.0, off)
    only = [int((np.isfinite(a) & ~np.isfinite(b)).sum()) for a, b in ((ours, theirs), (theirs, ours))]
    return Agreement(quantity, means, len(off), int((off <= tolerance).sum()), float(off.max(initial=0.0)), *only)


def same(quantity: str, ours: Sequence[Any], theirs: Sequence[Any]) -> Agreement:
    """Words and flags, None where there is none."""
    both = [(a, b) for a, b in zip(ours, theirs, strict=True) if a is not None and b is not None]
    only = [
        sum(a is not None and b is None for a, b in zip(x, y, strict=True)) for x, y in ((ours, theirs), (theirs, ours))
    ]
    n_equal = sum(a == b for a, b in both)
    return Agreement(quantity, "the same", len(both), n_equal, float(n_equal < len(both)), *only)
