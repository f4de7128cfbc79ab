"""Files of the data folder for tests and benchmarks: catalogues by recipe, and packets."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from redpoll.catalogs.build import build_catalog
from redpoll.catalogs.recipe import builtin_recipes

CATALOGUES = {
    "ctao_blazars": "CTAO_blazars_ztf_dr23.v03_2026.parquet",
    "fermi_4lac": "table-4LAC-DR3-h.fits",
    "fermi_4lac_low": "table-4LAC-DR3-l.fits",
    "gcvs": "gcvs.parquet",
    "glade": "GLADE_short.parquet",
    "hsp": "3hsp.csv",
    "mangrove": "mangrove_filtered.parquet",
    "spicy": "spicy.parquet",
    "symbiotic_cv": "symbiotic_and_cataclysmic.parquet",
    "tns": "tns_raw.parquet",
    "vsx": "vsx.parquet",
}
"""File in the folder ``catalogs`` of each of Redpoll's own recipes that has one."""
PACKETS = (
    "ztf/ztf_originals.tar.gz",
    "ztf/ztf_sequences.tar.gz",
    "ztf/ztf_sample.tar.gz",
    "rubin/rubin_v10_2026-03-10_enriched.parquet",
)
"""Real alerts, without the single Rubin packet of schema 9."""


def build_catalogues(data: Path, folder: Path, names: Iterable[str] = CATALOGUES) -> dict[str, int]:
    """Build the catalogues whose file is in the data folder into another folder; returns the rows of each."""
    recipes, files = builtin_recipes(), {name: data / "catalogs" / CATALOGUES[name] for name in names}
    return {name: build_catalog(recipes[name], file, folder).rows for name, file in files.items() if file.is_file()}
