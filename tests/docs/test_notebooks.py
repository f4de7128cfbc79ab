"""Every notebook of the documentation runs from its first cell to its last, and is committed without outputs."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from notebook_pages import cells, markdown_of
from page_runner import environment

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted(path for path in (ROOT / "docs").rglob("*.ipynb") if "_build" not in path.parts)


def script_of(text: str) -> str:
    """The code cells as one script that shows the last value of each cell, as a notebook does."""
    lines = [
        "def _show(value):",
        "    if value is not None:",
        "        print(getattr(value, '_repr_html_', lambda: repr(value))())",
    ]
    for kind, source in cells(text):
        tree = ast.parse(source) if kind == "code" else ast.Module([], [])
        if tree.body and isinstance(last := tree.body[-1], ast.Expr):
            shown = ast.Call(ast.Name("_show", ast.Load()), [last.value], [])
            tree.body[-1] = ast.Expr(shown)
        lines.append(ast.unparse(ast.fix_missing_locations(tree)))
    return "\n".join(lines)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_cell_of_the_notebook_runs_and_leaves_nothing_behind(notebook: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", script_of(notebook.read_text(encoding="utf-8"))]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "<table>" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_notebook_has_no_outputs(notebook: Path) -> None:
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


def test_there_is_a_notebook() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["explore-a-night"]


def test_a_failing_cell_is_noticed() -> None:
    script = script_of('{"cells": [{"cell_type": "code", "source": "1 / 0"}]}')
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, check=False).returncode == 1


def test_a_notebook_is_a_page_of_text_and_code() -> None:
    text = json.dumps(
        {"cells": [{"cell_type": "markdown", "source": ["# A\n", "b"]}, {"cell_type": "code", "source": "c"}]}
    )
    assert markdown_of(text) == "# A\nb\n\n```python\nc\n```"
