"""Host association on real galaxies: how fast it is, and how often it is right for real SNe Ia.

Run: python benchmarks/hosts.py [data folder]; with no folder, the one named by REDPOLL_DATA or ../shared/data.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from astropy.coordinates import SkyCoord

from redpoll.astro.cosmology import luminosity_distance, modulus_of_distance
from redpoll.astro.sky import hpx29
from redpoll.crossmatch.catalog import open_catalog
from redpoll.crossmatch.hosts import Hosts, open_hosts
from redpoll.testing.real_data import build_catalogues

N = 100_000
N_BATCH = 10_000
MAX_D_DLR = 4.0


def alerts(ra, dec) -> pa.RecordBatch:
    columns = {"ra": ra, "dec": dec, "hpx29": hpx29(ra, dec), "mjd": np.full(len(ra), 60_000.0)}
    return pa.RecordBatch.from_pydict({name: pa.array(values) for name, values in columns.items()})


def opened(data: Path) -> Hosts:
    with tempfile.TemporaryDirectory() as folder:
        built = build_catalogues(data, Path(folder), ("mangrove", "glade"))
        catalogs = {name: open_catalog(Path(folder) / name) for name in built}
        open_hosts(catalogs, folder=Path(folder))  # compile, and keep
        for what, kept in (("kept", Path(folder)), ("derived", None)):
            start = time.process_time()
            made = open_hosts(catalogs, folder=kept)
            assert isinstance(made, Hosts)
            print(f"open, {what}: {time.process_time() - start:.3f} s of CPU time, {len(made.galaxies):,} galaxies")
        return made


def speed(hosts: Hosts, batch: pa.RecordBatch, what: str) -> None:
    parts = [batch.slice(i, N_BATCH) for i in range(0, len(batch), N_BATCH)]
    hosts.match(parts[0])
    start = time.process_time()
    for part in parts:
        hosts.match(part)
    seconds = time.process_time() - start
    print(f"{what}: {len(batch) / seconds:,.0f} alerts per CPU-second ({1e6 * seconds / len(batch):.2f} us/alert)")


def random_positions(rng: np.random.Generator) -> pa.RecordBatch:
    return alerts(rng.uniform(0, 360, N), np.degrees(np.arcsin(rng.uniform(-0.5, 1, N))))


def near_galaxies(hosts: Hosts, rng: np.random.Generator) -> pa.RecordBatch:
    of, rows = hosts.galaxies, rng.integers(0, len(hosts.galaxies), N)
    return alerts(of.ra[rows] % 360, np.clip(of.dec[rows] + rng.normal(0, 10 / 3600, N), -90, 90))


def supernovae(hosts: Hosts, data: Path) -> None:
    meta = pd.read_csv(data / "labelled" / "ztf_bts_snia_meta.csv")
    listed = pd.read_parquet(data / "labelled" / "ztf_bts_snia_lightcurves.parquet", columns=["objectId"])
    true = pd.to_numeric(meta.redshift, errors="coerce")
    rows = meta.ZTFID.isin(set(listed.objectId)) & true.notna()
    position = SkyCoord(meta.RA[rows].to_numpy(), meta.Dec[rows].to_numpy(), unit=("hourangle", "deg"))
    found = hosts.match(alerts(position.ra.deg, position.dec.deg))
    z, err = (found[f"host_redshift{x}"].to_numpy(zero_copy_only=False) for x in ("", "_err"))
    z_true = true[rows].to_numpy()
    wrong = np.abs(z - z_true)
    arcsec = found["host_arcsec"].drop_null().to_numpy()
    print(f"SNe Ia within 0.8 arcsec of the centre of their host: {(arcsec <= 0.8).sum()} of {len(arcsec)}")
    modulus = found["host_distance_modulus"].to_numpy(zero_copy_only=False)
    is_off = np.abs(modulus - modulus_of_distance(luminosity_distance(z_true))) > 0.5
    is_off &= found["host_d_dlr"].to_numpy(zero_copy_only=False) <= MAX_D_DLR
    print("\n| SNe Ia | n | with a host | abs(dz) < 0.005 | abs(dz) < 0.01 | d_DLR <= 4 | distance off by 0.5 mag |")
    print("|---|---|---|---|---|---|---|")
    for name, chosen in {
        "all": z_true > 0, "z < 0.03": z_true < 0.03, "0.03 <= z < 0.05": (z_true >= 0.03) & (z_true < 0.05),
        "0.05 <= z < 0.08": (z_true >= 0.05) & (z_true < 0.08), "z >= 0.08": z_true >= 0.08,
        "host of spectroscopic redshift": err < 0.01, "host of photometric redshift": err >= 0.01,
        "host of a redshift without an error": np.isfinite(z) & np.isnan(err),
    }.items():  # fmt: skip
        near = chosen & (found["host_d_dlr"].to_numpy(zero_copy_only=False) <= MAX_D_DLR)
        counts = [
            chosen,
            chosen & np.isfinite(z),
            chosen & (wrong < 0.005),
            chosen & (wrong < 0.01),
            near,
            near & is_off,
        ]
        print(f"| {name} | {' | '.join(str(int(c.sum())) for c in counts)} |")


def main(data: Path) -> None:
    rng = np.random.default_rng(1)
    hosts = opened(data)
    batch = random_positions(rng)
    speed(hosts, batch, "random positions")
    speed(hosts, near_galaxies(hosts, rng), "every alert in a galaxy")
    chance = hosts.match(batch)["host_arcsec"]
    print(f"random positions with a host: {100 * (1 - chance.null_count / N):.2f} %")
    supernovae(hosts, data)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("REDPOLL_DATA", "../shared/data")))
