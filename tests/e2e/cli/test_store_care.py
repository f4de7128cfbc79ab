"""``redpoll store`` and ``redpoll dead-letters purge`` as a user types them, with their exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from redpoll.cli import dead_letters, store
from redpoll.errors import RedpollError
from redpoll.store import Commit, DeadLetter, open_store
from redpoll.testing.store_batches import store_batch
from redpoll.testing.store_suite import add


def run(group: object, *words: object) -> Result:
    """Run a command as `redpoll.cli.main` does, which turns its errors into exit codes."""
    return CliRunner().invoke(group, [*map(str, words)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store of 40 alerts and two dead letters."""
    with open_store(tmp_path / "store", mode="write") as opened:
        opened.runs.start("run")
        add(opened, store_batch(40))
        opened.runs.commit(Commit(None, None, [DeadLetter(b"x", "f", "0", "bad"), DeadLetter(b"y", "f", "1", "worse")]))
        opened.runs.end("done")
    return tmp_path / "store"


@pytest.mark.parametrize("verb", ["check", "rebuild", "compact", "upgrade", "backup", "restore"])
def test_every_verb_has_help_with_an_example(verb: str) -> None:
    done = run(store.command, verb, "--help")
    assert (done.exit_code, "Example: redpoll store" in done.output) == (0, True)


def test_a_store_is_backed_up_restored_upgraded_and_checked(folder: Path, tmp_path: Path) -> None:
    backup, new = tmp_path / "backup", tmp_path / "new"
    assert "40 alerts" in run(store.command, "backup", backup, "--store", folder).output
    done = run(store.command, "restore", backup, "--store", new)
    assert (done.exit_code, "OK: no missing or duplicate alerts" in done.output) == (0, True)
    upgraded = json.loads(run(store.command, "upgrade", "--store", new, "--json").stdout)
    assert {row["file"]: row["after"] for row in upgraded} == {"index.sqlite": 1, "dead_letters.sqlite": 1}
    assert "OK" in run(store.command, "check", "--deep", "--store", new).output


def test_damage_ends_with_1_and_names_the_file(folder: Path, tmp_path: Path) -> None:
    run(store.command, "backup", tmp_path / "backup", "--copy", "--store", folder)
    path = next((folder / "archive" / "segments").glob("*/alerts.parquet"))
    path.write_bytes(path.read_bytes()[:-50])
    for words in (["check"], ["compact"], ["rebuild"]):
        done = run(store.command, *words, "--store", folder)
        assert done.exit_code == 1
        assert path.parent.name[:10] in done.output.replace("\n", "")
    damaged = next((tmp_path / "backup" / "archive" / "segments").glob("*/cutouts.parquet"))
    damaged.write_bytes(b"")
    done = run(store.command, "restore", tmp_path / "backup", "--store", tmp_path / "new")
    assert (done.exit_code, damaged.name in done.output) == (1, True)


def test_a_check_of_junk_in_place_of_the_index_recommends_a_rebuild_which_repairs_it(folder: Path) -> None:
    (folder / "index.sqlite").write_bytes(b"not a database, but long enough" * 200)
    done = run(store.command, "check", "--store", folder)
    assert "`redpoll store rebuild`" in str(done.exception)
    assert "store check" not in str(done.exception)
    assert run(store.command, "rebuild", "--store", folder).exit_code == 0
    assert run(store.command, "check", "--store", folder).exit_code == 0


def test_a_backup_into_a_folder_with_files_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("dear")
    done = run(store.command, "backup", tmp_path, "--store", folder)
    assert isinstance(done.exception, RedpollError)


def test_dead_letters_are_purged_by_reason_age_or_all(folder: Path) -> None:
    assert run(dead_letters.command, "purge", "--store", folder).exit_code == 2
    assert run(dead_letters.command, "purge", "--all", "--reason", "bad", "--store", folder).exit_code == 2
    for words, removed in ((["--reason", "bad"], 1), (["--older-than", "1"], 0), (["--all"], 1)):
        done = run(dead_letters.command, "purge", *words, "--store", folder, "--json")
        assert (done.exit_code, json.loads(done.stdout)) == (0, {"removed": removed})
