"""The environment of Fink's modules: a virtual environment of its own, with pinned versions."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
PYTHONS = "3.9", "3.10"
"""Versions for which there are wheels of the pinned numpy, pandas and pyarrow."""


class NoEnvironment(Exception):
    """Fink's packages cannot be installed here; the message says why."""


def default_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "redpoll-fink"


def interpreter(folder: Path, python: str | None) -> Path:
    """The interpreter of the environment, which is made unless it is there with these requirements.

    Raises
    ------
    NoEnvironment
        If there is no Python for it, or its packages cannot be installed.
    """
    found, done, wanted = folder / "bin" / "python", folder / "installed.txt", REQUIREMENTS.read_text()
    if found.is_file() and done.is_file() and done.read_text() == wanted:
        return found
    print(f"making the environment of Fink's modules in {folder}; a few minutes, 1 GB", file=sys.stderr)
    _run([python or _python(), "-m", "venv", "--clear", str(folder)])
    _run([str(found), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
          "-r", str(REQUIREMENTS)])  # fmt: skip
    done.write_text(wanted)
    return found


def _python() -> str:
    """The first Python of a version that fits: of uv, of the search path, or of pyenv."""
    for version in PYTHONS:
        pyenv = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
        for candidate in (_of_uv(version), shutil.which(f"python{version}"), *map(str, pyenv)):
            if candidate and _is_version(candidate, version):
                return candidate
    raise NoEnvironment(f"no Python {' or '.join(PYTHONS)} found: give one with --python")


def _of_uv(version: str) -> str | None:
    uv = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    if not uv:
        return None
    done = subprocess.run([uv, "python", "find", "--quiet", version], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else None


def _is_version(python: str, version: str) -> bool:
    code = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])"
    return subprocess.run([python, "-c", code], capture_output=True, text=True).stdout.strip() == version


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError as error:
        raise NoEnvironment(f"{command[0]}: {error}") from error
    if done.returncode:
        raise NoEnvironment((done.stderr.strip() or done.stdout.strip()).splitlines()[-1])
