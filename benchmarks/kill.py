"""kill -9 of a run at a hundred random moments, then a rerun: is anything lost or doubled?

Runs the stream tests of the pipeline and of the store with many kills (``--kills``, default 100 each); the unit suite
does a few.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    args = parser.parse_args()
    tests = [str(path) for path in sorted((ROOT / "tests" / "stream").rglob("test_kill*.py"))]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    sys.exit(subprocess.run(command, env={**os.environ, "REDPOLL_KILLS": str(args.kills)}, cwd=ROOT).returncode)


if __name__ == "__main__":
    main()
