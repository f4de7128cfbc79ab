"""Rules on real supernovae at their true positions, with the hosts that the catalogues of the data folder give there.

    python benchmarks/true_positions.py [--data FOLDER] [--half {0,1}] [--per-object 8]

Known stars of VSX in real packets of ZTF: how many are taken for the centre of a galaxy, and how many of those whose
star score is unknown. SNe Ia of the Bright Transient Survey: how many lie in the centre of a galaxy, and how many are
called tidal disruptions. Then superluminous supernovae: how often `is_slsn_candidate` finds them. The light curves of
supernovae are those of the data folder, replayed as alerts of ZTF with a year of history (`benchmarks/rules.py` puts
each SLSN where its brightest point has -21.5 mag). Positions and redshifts of SLSNe are those of Gomez et al. 2024
(MNRAS 535, 471), as in the package `slsne` on PyPI (MIT), which is downloaded once (95 MB) to ~/.cache/redpoll-slsne.
Three cases: the host, if any, that the catalogues of galaxies give at the true position; a host of the true redshift,
as a deeper catalogue would give it; and the distance of `rules.py`. Thresholds were set on half 0.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parent))

from populations.labelled import in_host, superluminous, type_ia, ztf_packets
from populations.tally import cell, scored

from redpoll.crossmatch.catalog import open_catalog
from redpoll.crossmatch.hosts import Hosts, open_hosts
from redpoll.crossmatch.stage import Stage
from redpoll.learn.curves import LabelledCurve, bare, half
from redpoll.learn.replay import Labelled, replayed
from redpoll.science.luminous_sn import luminous_sn
from redpoll.testing.real_data import build_catalogues

PACKAGE, MEMBER = "slsne==0.3", "slsne/ref_data/sne_data.txt"
SHA256 = "e59af88a009acfdc5854b83af8c7f48bb3ddcfbb8fe3ca959d5aca69123f1d7f"
STARS = {"rr_lyrae", "eclipsing_binary", "long_period_variable", "cataclysmic_variable"}
DAYS = 365.0
"""Of history."""


def main() -> None:
    """Print what is found of SNe Ia, and the table of SLSNe-I."""
    options = _options()
    hosts = _hosts(options.data)
    print(f"date: {time.strftime('%Y-%m-%d')}; half {options.half}\n")
    _known_stars(options)
    _type_ia(options, hosts)
    _superluminous(options, hosts)


def _known_stars(options: argparse.Namespace) -> None:
    """Variable stars that are taken for the centre of a galaxy, in all packets, with the survey's star scores."""
    columns = ("star_score", "is_nuclear", "is_tde_candidate")
    stars = ((b, kind, unit) for b, kind, unit in ztf_packets(options.data) if set(kind.tolist()) & STARS)
    parts = [
        batch.select(list(columns)).to_pandas().assign(name=unit, kind=kind) for batch, kind, unit in scored(stars)
    ]
    alerts = pd.concat(parts)
    alerts = alerts[alerts.kind.isin(STARS)]
    of_object = alerts.groupby("name")
    is_unknown = of_object.star_score.agg(lambda scores: scores.isna().all())
    is_nuclear, is_called = (of_object[name].agg(lambda flags: flags.eq(True).any()) for name in columns[1:])
    print(f"known stars taken for the centre of a galaxy: {cell(int(is_nuclear.sum()), len(is_nuclear))}")
    print(f"of those with an unknown star score: {cell(int(is_nuclear[is_unknown].sum()), int(is_unknown.sum()))}")
    print(f"called tidal disruptions: {cell(int(is_called.sum()), len(is_called))}\n")


def _type_ia(options: argparse.Namespace, hosts: Stage) -> None:
    """SNe Ia that are called tidal disruptions, by where they are."""
    curves = bare([c for c in type_ia(options.data) if half(c.name) == options.half])
    columns = ("host_arcsec", "is_nuclear", "is_tde_candidate")
    alerts = _answers(_matched(replayed_all(curves, options), hosts), columns)
    of_object = alerts.groupby("name")
    has_host = of_object.host_arcsec.min() < np.inf
    is_nuclear, is_called = (of_object[name].agg(lambda flags: flags.eq(True).any()) for name in columns[1:])
    print(f"SNe Ia with a catalogued galaxy: {cell(int(has_host.sum()), len(has_host))}")
    print(f"in the centre of one: {cell(int(is_nuclear.sum()), len(has_host))}")
    print(f"called tidal disruptions: {cell(int(is_called.sum()), len(has_host))}, of those in the centre of a galaxy "
          f"{cell(int(is_called[is_nuclear].sum()), int(is_nuclear.sum()))}\n")  # fmt: skip


def _superluminous(options: argparse.Namespace, hosts: Stage) -> None:
    table = published(Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "redpoll-slsne")
    curves = [c for c in superluminous(options.data) if half(c.name) == options.half and c.name in table.index]
    placed = [_at(curve, table.loc[curve.name]) for curve in curves]
    z = table.z[[c.name for c in curves]]
    print(f"{len(z)} SLSNe-I of z = {min(z):.2f} to {max(z):.2f}\n")
    cases = {
        "the host of the catalogues at the true position": _matched(replayed_all(bare(placed), options), hosts),
        "a host of the true redshift": replayed_all(placed, options),
        "at a distance where the brightest point has -21.5 mag": replayed_all(curves, options),
    }
    limit = luminous_sn.settings["max_absolute_mag"]
    print(f"| distance | with a host | brighter than {limit} mag | called | alerts called |\n|---|---|---|---|---|")
    for title, batches in cases.items():
        print(f"| {title} | {' | '.join(_counts(batches))} |", flush=True)


def published(folder: Path) -> pd.DataFrame:
    """Right ascension and declination [deg] and redshift, by name; RuntimeError if the file is not the expected one."""
    kept = folder / "sne_data.txt"
    if not kept.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as temporary:
            subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
                            "--no-deps", "--dest", temporary, PACKAGE], check=True)  # fmt: skip
            with zipfile.ZipFile(next(Path(temporary).glob("*.whl"))) as wheel:
                kept.write_bytes(wheel.read(MEMBER))
    if sha256(kept.read_bytes()).hexdigest() != SHA256:
        raise RuntimeError(f"{kept} is not {MEMBER} of {PACKAGE}: remove it and run again")
    table = pd.read_csv(kept, sep=r"\s+", dtype={"Name": str}).set_index("Name")
    return table.rename(columns={"RA_deg": "ra", "DEC_deg": "dec", "Redshift": "z"})[["ra", "dec", "z"]].astype(float)


def replayed_all(curves: list[LabelledCurve], options: argparse.Namespace) -> Iterator[Labelled]:
    """Alerts of ZTF with a year of history."""
    return replayed(curves, "ztf", DAYS, options.per_object)


def _at(curve: LabelledCurve, row: pd.Series) -> LabelledCurve:
    """The curve at its position, in a host of its redshift."""
    return replace(curve, about={"ra": row.ra, "dec": row.dec} | in_host(row, arcsec=2.0))


def _hosts(data: Path) -> Stage:
    """The stage with the hosts of the data folder's galaxies alone."""
    with tempfile.TemporaryDirectory() as folder:
        built = build_catalogues(data, Path(folder), ("mangrove", "glade"))
        made = open_hosts({name: open_catalog(Path(folder) / name) for name in built}, folder=None)
        assert isinstance(made, Hosts)
        return Stage([made])


def _matched(batches: Iterator[Labelled], hosts: Stage) -> Iterator[Labelled]:
    """The batches with the hosts that the catalogues give."""
    return ((hosts.run(batch).batch, kind, unit) for batch, kind, unit in batches)


def _counts(batches: Iterator[Labelled]) -> list[str]:
    """Objects with a host, objects bright enough, objects called, and alerts called; each with its interval."""
    alerts = _answers(batches, ("host_d_dlr", "absolute_peak_mag", "is_slsn_candidate"))
    of_object = alerts.groupby("name")
    limits = luminous_sn.settings
    has_host = of_object.host_d_dlr.min() <= limits["max_d_dlr"]
    is_bright = of_object.absolute_peak_mag.min() <= limits["max_absolute_mag"]
    is_called = alerts.is_slsn_candidate.fillna(False).astype(bool)
    found = is_called.groupby(alerts.name).any()
    return [cell(int(x.sum()), len(x)) for x in (has_host, is_bright, found, is_called)]


def _answers(batches: Iterator[Labelled], columns: Sequence[str]) -> pd.DataFrame:
    """Columns of every alert, with the name of its object."""
    parts = [batch.select(list(columns)).to_pandas().assign(name=unit) for batch, _, unit in scored(batches)]
    return pd.concat(parts)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default=os.environ.get("REDPOLL_DATA", "../shared/data"), type=Path)
    parser.add_argument("--half", type=int, choices=(0, 1), default=1)
    parser.add_argument("--per-object", type=int, default=8)
    return parser.parse_known_args()[0]


if __name__ == "__main__":
    main()
