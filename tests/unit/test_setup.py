"""Set-up on machines that lack something: it says which command helps."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def bare_machine(tmp_path: Path) -> dict[str, str]:
    """An environment whose only commands are those a script needs, for somebody who is not root."""
    for name in ("sh", "sed", "printf", "tail"):
        (tmp_path / name).symlink_to(f"/bin/{name}" if Path(f"/bin/{name}").exists() else f"/usr/bin/{name}")
    add_command(tmp_path, "id", "echo 1000")
    return {"PATH": str(tmp_path)}


def add_command(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (folder / name).chmod(0o755)


def run(command: list[str], environment: dict[str, str], folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["/bin/sh", *command], cwd=folder, env=environment, capture_output=True, text=True)


def test_without_python_it_names_the_debian_packages(bare_machine: dict[str, str], tmp_path: Path) -> None:
    done = run([str(ROOT / "tools/python.sh")], bare_machine, tmp_path)
    assert done.returncode == 1
    assert "Python 3.11 or newer" in done.stderr
    assert "apt-get install python3 python3-venv" in done.stderr


def test_an_old_python_does_not_count(bare_machine: dict[str, str], tmp_path: Path) -> None:
    add_command(tmp_path, "python3", "exit 1")
    assert run([str(ROOT / "tools/python.sh")], bare_machine, tmp_path).returncode == 1


def test_who_is_not_root_is_told_the_command(bare_machine: dict[str, str]) -> None:
    done = run(["tools/debian.sh", "for the browser tests", "chromium"], bare_machine)
    assert done.returncode == 1
    assert "apt-get install chromium" in done.stderr


def test_root_installs_it_and_tries_again_after_an_update(bare_machine: dict[str, str], tmp_path: Path) -> None:
    add_command(tmp_path, "id", "echo 0")
    add_command(
        tmp_path,
        "apt-get",
        f'echo "$1" >> {tmp_path}/log; [ "$1" = update ] || [ -e {tmp_path}/tried ] || ! : > {tmp_path}/tried',
    )
    done = run(["tools/debian.sh", "for the browser tests", "chromium"], bare_machine)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "log").read_text(encoding="utf-8").split() == ["install", "update", "install"]


def test_a_second_set_up_does_nothing(tmp_path: Path) -> None:
    (tmp_path / ".venv/.done").mkdir(parents=True)
    (tmp_path / "requirements").mkdir()
    (tmp_path / "tools").mkdir()
    for name in ("Makefile", "pyproject.toml", "requirements/runtime.txt", "requirements/uv.txt"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    for name in ("python.sh", "install.sh"):
        (tmp_path / "tools" / name).symlink_to(ROOT / "tools" / name)
    for done in ("python", "runtime"):
        (tmp_path / ".venv/.done" / done).touch()
    make = ["make", "--question", ".venv/.done/runtime"]
    assert subprocess.run(make, cwd=tmp_path, env=os.environ | {"MAKEFLAGS": ""}).returncode == 0
    os.utime(tmp_path / "requirements/runtime.txt", (2e9, 2e9))
    assert subprocess.run(make, cwd=tmp_path, env=os.environ | {"MAKEFLAGS": ""}).returncode == 1


def test_ci_runs_the_two_commands_even_if_the_first_fails(tmp_path: Path) -> None:
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".ci/run").write_bytes((ROOT / ".ci/run").read_bytes())
    (tmp_path / "Makefile").write_text("check:\n\t@echo checked; false\ntest:\n\t@echo tested\n", encoding="utf-8")
    plain = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(["bash", tmp_path / ".ci/run"], env=plain, capture_output=True, text=True)
    assert (done.returncode, done.stdout.split()) == (1, ["checked", "tested"])


@pytest.mark.parametrize(
    ("target", "has_plugin"), [("demo", False), ("setup", False), ("check", False), ("test", True)]
)
def test_only_the_tests_install_the_test_plugin(target: str, has_plugin: bool) -> None:
    make = ["make", "--dry-run", "--always-make", target]
    done = subprocess.run(
        make, cwd=ROOT, env=os.environ | {"MAKEFLAGS": ""}, capture_output=True, text=True, check=True
    )
    assert ("packages/test-plugin" in done.stdout) is has_plugin


def test_a_dry_run_runs_nothing() -> None:
    """make runs recipes that name the variable MAKE even then, and `make demo` would serve for ever."""
    assert "$(MAKE)" not in (ROOT / "Makefile").read_text(encoding="utf-8")
