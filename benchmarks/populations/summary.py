"""One table of what each rule does on real objects."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from populations.tally import RULES, Answers, cell


def print_summary(populations: list[Answers]) -> None:
    """Markdown: objects of its class that a rule finds in any alert, alerts of others that it selects, and which."""
    print("| rule | real objects of its class found | real alerts of others selected | of which |\n|---|---|---|---|")
    for flag, (classes, _) in RULES.items():
        found, meant = _units(populations, classes, flag), _units(populations, classes, None)
        wrong = np.concatenate([a.kind[a.is_selected[flag] & ~np.isin(a.kind, classes)] for a in populations])
        others = sum(int((~np.isin(a.kind, classes)).sum()) for a in populations)
        recall = cell(len(found), len(meant)) if meant else "no real objects"
        print(f"| `{flag}` | {recall} | {cell(len(wrong), others)} | {_shares(wrong)} |")


def _units(populations: list[Answers], classes: tuple[str, ...], flag: str | None) -> set[str]:
    """Objects of these classes; only those that the rule finds, if one is named."""
    chosen = [np.isin(a.kind, classes) & (a.is_selected[flag] if flag else True) for a in populations]
    return {unit for a, these in zip(populations, chosen, strict=True) for unit in a.unit[these].tolist()}


def _shares(kinds: NDArray[np.str_]) -> str:
    return ", ".join(f"{name} {n}" for name, n in zip(*np.unique(kinds, return_counts=True), strict=True)) or "-"
