#!/usr/bin/env python3
"""Measure how far simulated alerts lie from real ones, and write it into the docs.

    python tools/simulation_realism.py --data ../shared/data

Reads the real packets of the data folder, simulates as many thousand alerts as asked for, and writes
docs/explanation/simulator-realism.md (quantiles and Kolmogorov-Smirnov distances) and docs/images/simulator-realism.svg
(cumulative distributions). What it prints is what it found: nothing in the simulator is fitted to these tables.
"""

from __future__ import annotations

import argparse
import io
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fastavro
import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from redpoll.schema.packet_schemas import confluent_schema
from redpoll.simulate import simulate_night

ROOT = Path(__file__).resolve().parent.parent
Packet = dict[str, Any]
Values = NDArray[np.float64]
QUANTILES = (5, 25, 50, 75, 95)


def number(value: float | None) -> float:
    """A field as a float, NaN for null and for the survey's -999."""
    return float("nan") if value is None or value == -999.0 else float(value)


def ztf_history(packet: Packet) -> list[Packet]:
    return packet["prv_candidates"] or []


def gaps(times: list[float]) -> Values:
    """Days between neighbours of different nights."""
    steps = np.diff(np.sort(times))
    return steps[steps > 0.5]


def each(of: Callable[[Packet], float]) -> Callable[[list[Packet]], Values]:
    """One number a packet."""
    return lambda packets: np.array([of(packet) for packet in packets])


def all_gaps(history: Callable[[Packet], list[float]]) -> Callable[[list[Packet]], Values]:
    return lambda packets: np.concatenate([gaps(history(p)) for p in packets] or [np.zeros(0)])


def limit_share(packet: Packet) -> float:
    history = ztf_history(packet)
    return float(np.mean([e["candid"] is None for e in history])) if history else float("nan")


ZTF: dict[str, Callable[[list[Packet]], Values]] = {
    "magpsf [mag]": each(lambda p: p["candidate"]["magpsf"]),
    "sigmapsf [mag]": each(lambda p: p["candidate"]["sigmapsf"]),
    "diffmaglim [mag]": each(lambda p: number(p["candidate"]["diffmaglim"])),
    "diffmaglim of the history [mag]": lambda packets: np.array(
        [number(e["diffmaglim"]) for p in packets for e in ztf_history(p)]
    ),
    "history entries": each(lambda p: len(ztf_history(p))),
    "fraction of upper limits in the history": each(limit_share),
    "days between nights of the history": all_gaps(lambda p: [e["jd"] for e in ztf_history(p)]),
    "ndethist": each(lambda p: p["candidate"]["ndethist"]),
    "rb": each(lambda p: number(p["candidate"]["rb"])),
    "drb": each(lambda p: number(p["candidate"]["drb"])),
    "fwhm [pixel]": each(lambda p: number(p["candidate"]["fwhm"])),
    "distnr [pixel]": each(lambda p: number(p["candidate"]["distnr"])),
    "sgscore1": each(lambda p: number(p["candidate"]["sgscore1"])),
    "science cutout [kB gzipped]": each(
        lambda p: len((p["cutoutScience"] or {}).get("stampData", b"")) / 1e3 or np.nan
    ),
}
RUBIN: dict[str, Callable[[list[Packet]], Values]] = {
    "magnitude of abs(psfFlux)": each(lambda p: 31.4 - 2.5 * np.log10(abs(p["diaSource"]["psfFlux"]))),
    "psfFluxErr [nJy]": each(lambda p: number(p["diaSource"]["psfFluxErr"])),
    "snr": each(lambda p: number(p["diaSource"]["snr"])),
    "prvDiaSources": each(lambda p: len(p["prvDiaSources"] or [])),
    "prvDiaForcedSources": each(lambda p: len(p["prvDiaForcedSources"] or [])),
    "days between nights of prvDiaSources": all_gaps(lambda p: [e["midpointMjdTai"] for e in p["prvDiaSources"] or []]),
    "reliability": each(lambda p: number(p["diaSource"]["reliability"])),
    "psfFluxErr of the forced history [nJy]": lambda packets: np.array(
        [number(e["psfFluxErr"]) for p in packets for e in p["prvDiaForcedSources"] or []]
    ),
    "ixxPSF of the history [arcsec2]": lambda packets: np.array(
        [number(e["ixxPSF"]) for p in packets for e in p["prvDiaSources"] or []]
    ),
    "ixxPSF [arcsec2]": each(lambda p: number(p["diaSource"]["ixxPSF"])),
}


def real_ztf(data: Path) -> list[Packet]:
    """Packets of schema 3.3 and later with their cutouts."""
    packets = []
    for name in ("ztf_originals.tar.gz", "ztf_sample.tar.gz"):
        packets += [p for p in archive(data / "ztf" / name) if float(p.get("schemavsn") or 0) >= 3.3]
    return packets


def archive(path: Path) -> Iterator[Packet]:
    """Packets of either survey in a tar."""
    with tarfile.open(path) as tar:
        for member in tar:
            file = tar.extractfile(member)
            raw = file.read() if file else b""
            if raw[:1] == b"\x00":
                yield fastavro.schemaless_reader(io.BytesIO(raw[5:]), confluent_schema(int.from_bytes(raw[1:5], "big")))
            else:
                yield next(fastavro.reader(io.BytesIO(raw)))


def simulated(survey: str, n: int, seed: int) -> list[tuple[str, Packet]]:
    """Class and packet of each alert of a simulated night."""
    with tempfile.TemporaryDirectory() as folder:
        report = simulate_night(Path(folder), survey=survey, n_alerts=n, seed=seed)
        classes = pq.read_table(report.truth, columns=["class"])["class"].to_pylist()
        return list(zip(classes, archive(report.files[0]), strict=True))


def ks_distance(a: Values, b: Values) -> float:
    """Largest difference of two cumulative distributions."""
    both = np.sort(np.concatenate([a, b]))
    ours, theirs = (np.searchsorted(np.sort(x), both, side="right") / len(x) for x in (a, b))
    return float(np.abs(ours - theirs).max())


def compared(measures: dict[str, Callable], real: list[Packet], made: list[Packet]) -> dict[str, tuple[Values, Values]]:
    """Each quantity of the real and of the simulated packets, known values only."""
    found = {}
    for name, of in measures.items():
        a, b = of(real), of(made)
        found[name] = (a[np.isfinite(a)], b[np.isfinite(b)])
    return found


def table(values: dict[str, tuple[Values, Values]]) -> str:
    """Quantiles and distances as Markdown."""
    head = "| quantity | | n | " + " | ".join(f"{q} %" for q in QUANTILES) + " | KS |\n"
    rows = [head, "|---|---|---|" + "---|" * (len(QUANTILES) + 1) + "\n"]
    for name, (a, b) in values.items():
        for label, x, tail in ((name, a, f"{ks_distance(a, b):.2f}"), ("", b, "")):
            cells = " | ".join(f"{v:.3g}" for v in np.percentile(x, QUANTILES))
            rows.append(f"| {label} | {'real' if label else 'simulated'} | {len(x)} | {cells} | {tail} |\n")
    return "".join(rows)


def picture(panels: list[tuple[str, dict[str, tuple[Values, Values]]]]) -> str:
    """Cumulative distributions as small panels; real solid and dark, simulated orange and dashed."""
    width, height, across = 190, 120, 5
    cells = [(f"{survey}: {name}", pair) for survey, values in panels for name, pair in values.items()]
    rows = -(-len(cells) // across)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {across * width} {rows * height + 24}" role="img" '
        'font-family="sans-serif" font-size="9"><title>Cumulative distributions, real and simulated</title>'
        '<rect width="100%" height="100%" fill="#fff"/>'
        '<text x="10" y="14" fill="#1b3a5b">real: solid</text>'
        '<text x="80" y="14" fill="#b4530a">simulated: dashed</text>',
    ]
    for k, (name, (a, b)) in enumerate(cells):
        x0, y0 = (k % across) * width + 10, (k // across) * height + 36
        parts.append(panel(name, a, b, x0, y0, width - 24, height - 44))
    return "".join(parts) + "</svg>\n"


def panel(name: str, a: Values, b: Values, x0: float, y0: float, w: float, h: float) -> str:
    """One panel: two curves between the 1st and 99th percentiles of both samples."""
    low, high = np.percentile(np.concatenate([a, b]), [1, 99])
    high = high if high > low else low + 1.0
    lines = []
    for values, colour, dash in ((a, "#1b3a5b", ""), (b, "#b4530a", ' stroke-dasharray="4 2"')):
        at = np.linspace(low, high, 70)
        share = np.searchsorted(np.sort(values), at, side="right") / len(values)
        points = " ".join(
            f"{x0 + w * (t - low) / (high - low):.1f},{y0 + h * (1 - s):.1f}" for t, s in zip(at, share, strict=True)
        )
        lines.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.4"{dash}/>')
    frame = f'<rect x="{x0}" y="{y0}" width="{w}" height="{h}" fill="none" stroke="#bbb"/>'
    title = f'<text x="{x0}" y="{y0 - 4}" fill="#222">{name}</text>'
    ends = f'<text x="{x0}" y="{y0 + h + 10}" fill="#555">{low:.3g}</text>'
    ends += f'<text x="{x0 + w}" y="{y0 + h + 10}" text-anchor="end" fill="#555">{high:.3g}</text>'
    return frame + title + ends + "".join(lines)


def main() -> None:
    """Compare, and write page and picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of real packets")
    parser.add_argument("--alerts", type=int, default=3000, help="simulated alerts of each survey")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    ztf, rubin = (simulated(survey, options.alerts, options.seed) for survey in ("ztf", "rubin"))
    sources = [packet for kind, packet in ztf if kind != "bogus"]
    rubin_path = options.data / "rubin" / "rubin_v10_2026-03-10_enriched.parquet"
    columns = ["diaSource", "prvDiaSources", "prvDiaForcedSources"]
    real = {"ZTF": real_ztf(options.data), "Rubin": pq.read_table(rubin_path, columns=columns).to_pylist()}
    values = {
        "ZTF": compared(ZTF, real["ZTF"], sources),
        "Rubin": compared(RUBIN, real["Rubin"], [packet for kind, packet in rubin if kind != "bogus"]),
    }
    text = (ROOT / "tools/simulation_realism.md").read_text()
    for survey, pairs in values.items():
        text = text.replace(f"@{survey}@", table(pairs))
    command = f"--alerts {options.alerts} --seed {options.seed}"
    (ROOT / "docs/explanation/simulator-realism.md").write_text(text.replace("@command@", command))
    (ROOT / "docs/images/simulator-realism.svg").write_text(picture(list(values.items())))
    for survey, pairs in values.items():
        print(survey, {name: round(ks_distance(*pair), 2) for name, pair in pairs.items()})


if __name__ == "__main__":
    main()
