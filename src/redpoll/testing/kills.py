"""Processes that are killed at random moments."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections.abc import Sequence


def run_and_kill(command: Sequence[str], n: int, seconds: tuple[float, float], seed: int) -> None:
    """Run a command `n` times, each time killed (SIGKILL) at a random moment between two times [s]; seeded."""
    moments = random.Random(seed)
    for _ in range(n):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(moments.uniform(*seconds))
        process.send_signal(signal.SIGKILL)
        process.wait()
