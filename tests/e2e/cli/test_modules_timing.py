"""`redpoll modules --timing` as a user types it."""

from __future__ import annotations

import json
import subprocess
import sys

WORDS = ("--limit", "20", "--rounds", "1", "--alerts", "simulate://ztf?alerts=20")


def modules(*words):
    command = [sys.executable, "-m", "redpoll", "modules", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def test_the_costs_are_data_that_adds_up():
    done = modules("--timing", "--json", *WORDS)
    data = json.loads(done.stdout)
    assert (done.returncode, data["alerts"]) == (0, 20)
    total = sum(row["us_per_alert"] for row in data["costs"])
    assert abs(1e6 / total / data["alerts_per_cpu_second"] - 1) < 1e-6
    assert {"rise_rate", "fast_risers"} <= {row["name"] for row in data["costs"]}


def test_the_table_says_how_it_was_measured():
    done = modules("--timing", *WORDS)
    assert done.returncode == 0
    assert all(text in done.stdout for text in ("alerts per CPU-second", "not counted", "rise_rate", "non-null"))


def test_places_without_timing_are_misuse():
    assert modules("--alerts", "night").returncode == 2
