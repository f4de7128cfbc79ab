#!/usr/bin/env python3
"""Take the documentation's pictures of the portal from a running server.

    redpoll serve --store STORE --port 8700 &
    python tools/screenshots.py http://127.0.0.1:8700 --object ZTF20aaelulu

Writes portal-tonight.png and portal-object.png, each below 300 kB, into docs/images. Without --object it takes the
young candidate with the longest history.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import urllib.parse
import urllib.request
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
MAX_BYTES = 300_000
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"


def longest_history(url: str) -> str:
    """Identifier of the candidate on the front page with the most detections, of those not older than 100 days."""
    with urllib.request.urlopen(f"{url}/tonight.json") as answer:
        candidates = json.load(answer)["candidates"]
    if not candidates:
        sys.exit("the front page shows no candidate: name an object with --object")
    young = [row for row in candidates if row["first_mjd"] is not None and row["mjd"] - row["first_mjd"] < 100]
    return str(max(young or candidates, key=lambda row: row["n_detections"] or 0)["object_id"])


def take(page: Page, url: str, path: Path, ready: str) -> None:
    """One picture of the top of a page, once the element `ready` is there."""
    page.goto(url)
    page.locator(ready).first.wait_for()
    page.wait_for_timeout(200)
    page.screenshot(path=path)
    size = path.stat().st_size
    print(f"{path}: {size / 1000:.0f} kB")
    if size > MAX_BYTES:
        sys.exit(f"{path} is larger than {MAX_BYTES / 1000:.0f} kB: choose a smaller --height")


def main() -> None:
    """Read the arguments, take both pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", help="address of a running server, such as http://127.0.0.1:8700")
    parser.add_argument("--object", help="identifier of the object to show")
    parser.add_argument("--out", type=Path, default=ROOT / "docs/images")
    parser.add_argument("--width", type=int, default=1400)
    parser.add_argument("--height", type=int, default=900)
    parser.add_argument("--theme", choices=("light", "dark", "night"), default="light")
    options = parser.parse_args()
    url = options.url.rstrip("/")
    name = options.object or longest_history(url)
    options.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": options.width, "height": options.height})
        context.add_init_script(f"localStorage.setItem('theme', {json.dumps(options.theme)})")
        page = context.new_page()
        take(page, f"{url}/", options.out / "portal-tonight.png", "main h1")
        address = f"{url}/objects/{urllib.parse.quote(name, safe='')}"
        take(page, address, options.out / "portal-object.png", "#curve canvas, #curve svg, .curve .muted")
        browser.close()


if __name__ == "__main__":
    main()
