"""The wrong changes that `tools/mutants.py` makes, and its list of those that no test can notice."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest
from wrong_changes import mutants, mutated

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("source", "changed"),
    [
        ("y = x < 3", ["y = (x <= 3)", "y = (x >= 3)", "y = x < 4", "y = x < (2)"]),
        ("y = 2.0 * a", ["y = (2.0 / a)", "y = 2.2 * a", "y = 1.8 * a"]),
        ("def f(a, *, b=0.5): return ~a", ["def f(a, *, b=0.55): return ~a", "def f(a, *, b=0.45): return ~a",
                                           "def f(a, *, b=0.5): return (a)"]),
        ("y = f'é' + np.max(x)", ["y = (f'é' - np.max(x))", "y = f'é' + (np).min(x)"]),
        ("if x and y: z[0] = a.any()", ["if (not (x and y)): z[0] = a.any()", "if (x or y): z[0] = a.any()",
                                        "if x and y: pass", "if x and y: z[1] = a.any()",
                                        "if x and y: z[(-1)] = a.any()", "if x and y: z[0] = (a).all()"]),
        ('"""Text."""\nraise ValueError("no" + 1)', []), ("@kernel(1)\ndef f(x: 'a') -> 'b': pass", []),
        ('A = Column("mag", 1)\nB = zip(a, strict=True)\nC = "A sentence."', []),
    ],
)  # fmt: skip
def test_each_change_is_made_alone(source, changed):
    found = [mutated(source, mutant) for mutant in mutants(source)]
    assert sorted(found) == sorted(changed) and all(ast.parse(text) for text in found)


SETTINGS = tomllib.loads((ROOT / "tools" / "mutants.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("entry", SETTINGS["equivalent"], ids=lambda entry: f"{entry['file']}: {entry['line'][:40]}")
def test_each_mutant_listed_as_equivalent_is_one_of_its_file(entry):
    source = (ROOT / "src" / "redpoll" / entry["file"]).read_text(encoding="utf-8")
    lines = source.splitlines()
    found = {f"{m.before} -> {m.after}" for m in mutants(source) if lines[m.line - 1].strip() == entry["line"]}
    assert set(entry["changes"]) <= found and entry["reason"]


def test_files_and_tests_of_the_settings_exist():
    files = [*SETTINGS["compiled"], *SETTINGS["tests"]]
    assert all((ROOT / "src" / "redpoll" / file).is_file() for file in files)
    assert all((ROOT / test).is_file() for tests in SETTINGS["tests"].values() for test in tests)
