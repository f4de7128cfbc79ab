#!/usr/bin/env python3
"""Put the portal's front-end packages in place: `npm ci` if needed, then copy what the pages load.

Nothing third-party is committed. package-lock.json pins every package by its hash; running this again does nothing.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "src/redpoll/serve/portal/static/vendor"
FILES = {
    "uplot/dist/uPlot.iife.min.js": "uPlot.iife.min.js",
    "uplot/dist/uPlot.min.css": "uPlot.min.css",
    "uplot/LICENSE": "uPlot.LICENSE",
}


def is_installed() -> bool:
    """Whether node_modules holds exactly the packages of the lock file."""
    installed = ROOT / "node_modules/.package-lock.json"
    return installed.is_file() and _packages(installed) == _packages(ROOT / "package-lock.json")


def _packages(lock: Path) -> dict[str, str]:
    packages = json.loads(lock.read_text())["packages"]
    return {name: facts["integrity"] for name, facts in packages.items() if name}


def install() -> None:
    """Fetch the packages of the lock file."""
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("npm is missing: install it (Debian: apt-get install npm) and run this again")
    subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=ROOT, check=True)


def copy() -> list[str]:
    """Copy what the pages load, if it differs; returns the names of the files written."""
    VENDOR.mkdir(parents=True, exist_ok=True)
    written = []
    for source, name in FILES.items():
        data, target = (ROOT / "node_modules" / source).read_bytes(), VENDOR / name
        if not target.is_file() or target.read_bytes() != data:
            target.write_bytes(data)
            written.append(name)
    return written


def main() -> None:
    """Install if stale, copy if different, say what was done."""
    if not is_installed():
        install()
    written = copy()
    print(f"front-end packages: {', '.join(written) if written else 'up to date'}")


if __name__ == "__main__":
    main()
