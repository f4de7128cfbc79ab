"""Refuse what must not be committed: ``refuse.py size FILE...`` and ``refuse.py notebook-output FILE...``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

MAX_BYTES = 500_000


def is_too_large(path: Path) -> bool:
    """Whether a file is larger than 500 kB."""
    return path.stat().st_size > MAX_BYTES


def has_output(path: Path) -> bool:
    """Whether a notebook keeps the output of a cell."""
    cells = json.loads(path.read_text(encoding="utf-8")).get("cells", [])
    return any(cell.get("outputs") or cell.get("execution_count") for cell in cells)


REASONS = {"size": (is_too_large, "is larger than 500 kB"), "notebook-output": (has_output, "keeps cell output")}


def main(rule: str, *names: str) -> int:
    """Print the files that break a rule; 1 if there are any."""
    breaks, reason = REASONS[rule]
    refused = [name for name in names if breaks(Path(name))]
    for name in refused:
        print(f"{name} {reason}")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
