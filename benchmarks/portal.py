"""How soon an object's page shows its light curve: headless Chromium with an empty cache, the server on this machine.

    python benchmarks/portal.py [--loads 20]

Two objects of a synthetic store are opened, one with 60 points and one with 1,000 alerts. "Curve painted" is the first
paint, as the server sends the curve drawn; "interactive" is the end of uPlot's own drawing; "largest paint" is
Chromium's largest contentful paint. The bar is 0.8 s for the 95th percentile of all three.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, sync_playwright

from redpoll.testing.server import running_server

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/contract/serve"))  # for the synthetic night

from synthetic_night import long_object, make_store, night_objects

BAR = 800.0  # ms
OBJECTS = {"60 points": "/objects/ZTF26aaaaaaa", "1,000 alerts": "/objects/ZTF26zzzzzzz"}
LARGEST = """() => new Promise((resolve) => new PerformanceObserver(
    (list) => resolve(list.getEntries().at(-1).startTime)
).observe({type: 'largest-contentful-paint', buffered: true}))"""
TIMES = {
    "first byte": "performance.getEntriesByType('navigation')[0].responseStart",
    "curve painted": "performance.getEntriesByName('first-contentful-paint')[0].startTime",
    "interactive": "performance.getEntriesByName('curve-drawn')[0].startTime",
    "largest paint": LARGEST,
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loads", type=int, default=20)
    loads = parser.parse_args().loads
    with (
        tempfile.TemporaryDirectory() as folder,
        running_server(synthetic_store(Path(folder))) as address,
        sync_playwright() as playwright,
    ):
        path = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        load = os.getloadavg()[0]
        print(f"{time.strftime('%Y-%m-%d')}, {platform.machine()}, {os.cpu_count()} cores, load {load:.1f}")
        print(f"Chromium {browser.version}, {loads} loads each with an empty cache; p50 / p95 in ms\n")
        print(f"{'':14}" + "".join(f"{name:>18}" for name in TIMES))
        for name, page in OBJECTS.items():
            report(name, np.array([visit(browser, address + page) for _ in range(loads + 1)][1:]))
        browser.close()


def report(name: str, times: np.ndarray) -> None:
    """One row: of each moment the median and the 95th percentile, and whether the bar is met."""
    middle, late = np.percentile(times, [50, 95], axis=0)
    cells = "".join(f"{f'{m:.0f} / {p:.0f}':>18}" for m, p in zip(middle, late, strict=True))
    print(f"{name:14}{cells}   bar of {BAR:.0f} ms: {'met' if late.max() <= BAR else 'NOT MET'}")


def visit(browser: Browser, address: str) -> list[float]:
    """Milliseconds from the start of navigation to each moment, with an empty cache."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.goto(address, wait_until="networkidle")
    times = [page.evaluate(script) for script in TIMES.values()]
    context.close()
    return times


def synthetic_store(folder: Path) -> Path:
    """The synthetic night and an object of 1,000 alerts."""
    return make_store(folder / "store", [*night_objects(30), long_object(1000)])


if __name__ == "__main__":
    main()
