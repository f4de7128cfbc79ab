"""What pre-commit refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

REFUSE = Path(__file__).parents[2] / "tools" / "refuse.py"


def refused(rule: str, path: Path) -> bool:
    return subprocess.run([sys.executable, REFUSE, rule, path], capture_output=True).returncode == 1


@pytest.mark.parametrize(("n_bytes", "answer"), [(500_000, False), (500_001, True)])
def test_a_file_over_500_kb_is_refused(tmp_path: Path, n_bytes: int, answer: bool) -> None:
    (tmp_path / "file").write_bytes(bytes(n_bytes))
    assert refused("size", tmp_path / "file") is answer


@pytest.mark.parametrize("outputs", [[], [{"output_type": "stream", "text": "1"}]])
def test_a_notebook_with_output_is_refused(tmp_path: Path, outputs: list[object]) -> None:
    cell = {"cell_type": "code", "source": "print(1)", "outputs": outputs, "execution_count": None}
    (tmp_path / "a.ipynb").write_text(json.dumps({"cells": [cell]}), encoding="utf-8")
    assert refused("notebook-output", tmp_path / "a.ipynb") is bool(outputs)
