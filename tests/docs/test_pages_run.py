"""Every command and example of the README, the tutorials and the how-to guides runs as it stands."""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path

import pytest

from page_runner import PageRunner

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("tutorials/*.md")),
    *sorted((ROOT / "docs").glob("how-to/*.md")),
]


@pytest.mark.slow
@pytest.mark.parametrize("page", [p for p in PAGES if p.name != "index.md"], ids=lambda p: p.stem)
def test_every_example_of_the_page_runs(page: Path, tmp_path: Path) -> None:
    PageRunner(tmp_path).run(page)
    assert [path.name for path in tmp_path.iterdir()] == [], "the page leaves files behind"


def test_a_page_that_leaves_another_folder_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```console\n$ mkdir a && cd a\n$ pwd\n$ cd .. && rm -r b\n```\n", encoding="utf-8")
    runner = PageRunner(tmp_path)
    with pytest.raises(AssertionError, match="works in a, not in b"):
        runner.run(page)
    assert runner.output == [f"{tmp_path / 'a'}\n"]


def test_a_failing_command_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("```console\n$ false\n```\n", encoding="utf-8")
    with pytest.raises(AssertionError):
        PageRunner(tmp_path).run(tmp_path / "page.md")


def test_a_wrong_script_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("```python\nassert 1 == 2\n```\n", encoding="utf-8")
    with pytest.raises(AssertionError):
        PageRunner(tmp_path).run(tmp_path / "page.md")


def test_an_unknown_make_target_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("```console\n$ make coffee\n```\n", encoding="utf-8")
    with pytest.raises(subprocess.CalledProcessError):
        PageRunner(tmp_path).run(tmp_path / "page.md")


@pytest.mark.parametrize("shown", ["one", "two\none"], ids=["right", "partly wrong"])
def test_shown_output_that_was_not_printed_is_noticed(shown: str, tmp_path: Path) -> None:
    text = f"```console\n$ echo one\n```\n\n```text\n{shown}\n```\n"
    (tmp_path / "page.md").write_text(text, encoding="utf-8")
    with contextlib.nullcontext() if shown == "one" else pytest.raises(AssertionError, match="two"):
        PageRunner(tmp_path).run(tmp_path / "page.md")
