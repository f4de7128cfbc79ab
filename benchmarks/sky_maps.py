"""How fast positions are found in sky maps, regions and watchlists, and how fast and small maps load.

``python benchmarks/sky_maps.py`` takes the maps of REDPOLL_DATA (default ../shared/data), and synthetic ones where
there are none, as printed. Positions are a million, all over the sky, in no order. Times are CPU times of this
process, which has one thread; the best of the rounds counts. Memory is what the peak of a process of its own grows by
as it loads the map (Linux only).
"""

from __future__ import annotations

import argparse
import gzip
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from astropy.io import fits

from redpoll.astro.sky import hpx29
from redpoll.crossmatch.regions import Region
from redpoll.crossmatch.sky_maps.context import SkyMapContext
from redpoll.crossmatch.sky_maps.distance import conditional_moments
from redpoll.crossmatch.sky_maps.read import read_sky_map
from redpoll.crossmatch.sky_maps.sky_map import contour
from redpoll.crossmatch.watchlist import Entries, Watchlist

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("REDPOLL_DATA", ROOT.parent / "shared" / "data")) / "skymaps"
PEAK = """
import re, sys
from pathlib import Path
from redpoll.crossmatch.sky_maps.read import read_sky_map
peak = lambda: int(re.search(r"VmHWM:\\s*([0-9]+)", Path("/proc/self/status").read_text())[1]) / 1024
before = peak()
read_sky_map(Path(sys.argv[1])).levels
print(peak() - before)
"""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--positions", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    rng = np.random.default_rng(1)
    ra = rng.uniform(0, 360, options.positions)
    dec = np.degrees(np.arcsin(rng.uniform(-1, 1, options.positions)))
    with tempfile.TemporaryDirectory() as folder:
        paths = [*maps(Path(folder))]
        print("\n| map | MB | cells | load, ms | memory, MB |\n|---|---|---|---|---|")
        for path in paths:
            print(loading(path, options.rounds))
        batch = pa.record_batch({"ra": ra, "dec": dec, "hpx29": hpx29(ra, dec), "mjd": np.full(options.positions, 6e4)})
        print(f"\n{options.positions:,} positions\n\n| question | ms |\n|---|---|")
        for what, run in questions(paths, batch):
            print(f"| {what} | {1000 * best(run, options.rounds):.1f} |")


def maps(folder: Path) -> Iterator[Path]:
    """The maps of the data folder, a synthetic one where there is none, and the worst one that is read."""
    real = [*sorted(DATA.glob("S*")), *sorted(DATA.glob("M*multiorder.fits")), *sorted(DATA.glob("GRB*"))]
    yield from real or [synthetic(folder)]
    yield worst(folder)


def synthetic(folder: Path) -> Path:
    """A multi-order map as large as those of gravitational waves."""
    rng = np.random.default_rng(2)
    numbers, values = 4 * 4**6 + np.arange(12 * 4**6), rng.uniform(size=12 * 4**6) ** 20
    ones = np.ones(len(numbers))
    columns = {"UNIQ": numbers, "PROBDENSITY": values, "DISTMU": 200 * ones, "DISTSIGMA": 50 * ones}
    return written(folder / "synthetic.fits", columns, {"ORDERING": "NUNIQ"})


def worst(folder: Path) -> Path:
    """A flat map of nside 1024 no two of whose pixels are equal, with distances."""
    rng = np.random.default_rng(3)
    columns = {name: rng.uniform(size=12 * 4**10) for name in ("PROB", "DISTMU", "DISTSIGMA")}
    return written(folder / "no two pixels alike, nside 1024.fits", columns, {"ORDERING": "NESTED", "NSIDE": 1024})


def written(path: Path, columns: dict[str, Any], header: dict[str, Any]) -> Path:
    """A FITS file of one table."""
    made = [fits.Column(n, "K" if v.dtype.kind == "i" else "D", array=v) for n, v in columns.items()]
    unit = fits.BinTableHDU.from_columns(made)
    unit.header.update(header)
    unit.writeto(path)
    return path


def loading(path: Path, rounds: int) -> str:
    """A line of the first table."""
    rounds = 1 if path.stat().st_size > 1 << 28 else rounds
    seconds = best(lambda: read_sky_map(path).levels, rounds)
    peak = float(subprocess.run([sys.executable, "-c", PEAK, path], check=True, capture_output=True, text=True).stdout)
    size = path.stat().st_size
    if path.suffix == ".gz":
        with gzip.open(path) as unpacked:
            size = unpacked.seek(0, os.SEEK_END)
    n = len(read_sky_map(path).starts)
    return f"| {path.name} | {size / 1e6:.1f} | {n:,} | {1000 * seconds:.0f} | {peak:.0f} |"


def questions(paths: list[Path], batch: pa.RecordBatch) -> Iterator[tuple[str, Callable[[], Any]]]:
    """What is asked of the first map, of its region, and of a watchlist of a million entries."""
    sky_map = read_sky_map(paths[0])
    cells = batch["hpx29"].to_numpy()
    region = Region("region", contour(sky_map, 0.9)[0])
    n = f"{len(region.ranges):,} ranges"
    yield f"in the 90 % region ({n})", lambda: region.contains(cells)
    flat = region.ranges.ravel()
    yield f"the same by numpy's searchsorted ({n})", lambda: np.searchsorted(flat, cells, side="right") & 1
    wide = Region("wide", contour(read_sky_map(paths[-1]), 0.9)[0])
    yield f"in a 90 % region of {len(wide.ranges):,} ranges", lambda: wide.contains(cells)
    yield f"credible level ({len(sky_map.starts):,} cells)", lambda: sky_map.credible_levels(cells)
    context = SkyMapContext("event", sky_map)
    hosts = batch.append_column("host_distance_modulus", pa.array(np.full(len(cells), 37.0)))
    yield "all columns, with a host's distance at every position", lambda: context.match(hosts)
    found = sky_map.find(cells)
    if sky_map.distances is not None:
        mu, sigma = sky_map.distances.mu[found], sky_map.distances.sigma[found]
        yield "of that, distances along the line of sight", lambda: conditional_moments(mu, sigma)
    rng = np.random.default_rng(4)
    ra, dec = rng.uniform(0, 360, 1_000_000), np.degrees(np.arcsin(rng.uniform(-1, 1, 1_000_000)))
    entries = Entries(ra, dec, np.full(1_000_000, 3.0), pa.array(np.arange(1_000_000).astype(str)))
    watchlist = Watchlist("mine", entries)
    yield "a watchlist of a million entries", lambda: watchlist.match(batch)


def best(run: Callable[[], Any], rounds: int) -> float:
    """Minimum CPU time of the rounds [s], after one that compiles."""
    times = []
    for _ in range(rounds + 1):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return min(times[1:])


if __name__ == "__main__":
    main()
