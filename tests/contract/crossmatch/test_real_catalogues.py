"""The recipes of Redpoll and host association on the real files of the data folder."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from astropy.coordinates import SkyCoord

from redpoll.astro.sky import hpx29
from redpoll.catalogs.build import build_catalog
from redpoll.catalogs.recipe import Recipe, builtin_recipes
from redpoll.crossmatch.catalog import Catalog, open_catalog
from redpoll.crossmatch.hosts import Hosts, open_hosts
from redpoll.schema.taxonomy import taxonomy
from redpoll.testing.real_data import CATALOGUES

RECIPES = builtin_recipes()
ROWS = {
    "ctao_blazars": 230,
    "fermi_4lac": 3407,
    "fermi_4lac_low": 407,
    "gcvs": 59_099,
    "glade": 386_691,
    "hsp": 2013,
    "mangrove": 295_341,
    "spicy": 117_446,
    "symbiotic_cv": 2857,
    "tns": 3,
    "vsx": 1_933_544,
}


def built(recipe: Recipe, data_dir: Path, folder: Path, file: str) -> Catalog:
    source = data_dir / "catalogs" / file
    if not source.exists():
        pytest.skip(f"no {source.name} in the data folder")
    build_catalog(recipe, source, folder, now=lambda: datetime(2026, 1, 1, tzinfo=UTC))
    return open_catalog(folder / recipe.name)


@pytest.fixture(scope="module")
def catalogs(data_dir, tmp_path_factory) -> dict[str, Catalog]:
    folder = tmp_path_factory.mktemp("catalogs")
    return {name: built(RECIPES[name], data_dir, folder, file) for name, file in CATALOGUES.items()}


@pytest.mark.parametrize("name", CATALOGUES)
def test_every_row_of_the_real_file_is_kept(catalogs, name):
    catalog = catalogs[name]
    skipped = {"without a key": 1} if name == "ctao_blazars" else {}
    assert (catalog.facts.rows, dict(catalog.facts.skipped)) == (ROWS[name], skipped)


@pytest.mark.parametrize("name", CATALOGUES)
def test_no_word_of_the_real_file_stands_for_unknown(catalogs, name):
    for column in catalogs[name].values.columns:
        if pa.types.is_string(column.type):
            text = pc.drop_null(column)
            assert not pc.any(pc.is_in(text, pa.array(["", "None", "nan", "-", "--"]))).as_py()
            assert pc.all(pc.equal(text, pc.utf8_trim_whitespace(text))).as_py() is not False
        else:
            assert pc.all(pc.is_finite(pc.drop_null(column))).as_py() is not False


RANGES = {
    "fermi_4lac_redshift": (0.0, 5.0, 0.40, 0.60),
    "fermi_4lac_low_redshift": (0.0, 5.0, 0.75, 0.90),
    "glade_redshift": (0.0, 6.0, 0.0, 0.0),
    "glade_mag_b": (0.0, 17.0, 0.0, 0.0),
    "mangrove_luminosity_distance": (0.0, 230.0, 0.0, 0.0),
    "hsp_fom": (0.0, 100.0, 0.0, 0.01),
    "ctao_blazars_median_g": (0.0, 1.0, 0.0, 0.05),
    "ctao_blazars_low_threshold": (0.1, 1.0, 0.0, 0.02),
    "ctao_blazars_high_threshold": (0.8, 5.0, 0.0, 0.02),
    "tns_redshift": (0.0, 0.1, 0.3, 0.4),
    "mangrove_name": (None, None, 0.15, 0.25),
    "mangrove_2mass": (None, None, 0.3, 0.4),
    "tns_type": (None, None, 0.3, 0.4),
    "hsp_gamma_name": (None, None, 0.3, 0.8),
    "vsx_type": (None, None, 0.0, 0.001),
}


@pytest.mark.parametrize("column", RANGES)
def test_values_of_the_real_file_are_plausible(catalogs, column):
    values = next(c.values[column] for c in catalogs.values() if column in c.values.column_names)
    low, high, min_null, max_null = RANGES[column]
    assert min_null <= values.null_count / len(values) <= max_null
    if low is not None:
        assert low <= pc.min(values).as_py() <= pc.max(values).as_py() <= high


WORDS = [
    "fermi_4lac_type",
    "fermi_4lac_low_type",
    "gcvs_type",
    "spicy_class",
    "symbiotic_cv_type",
    "tns_type",
    "vsx_type",
]


@pytest.mark.parametrize("column", WORDS)
def test_nearly_all_words_of_the_real_file_are_in_the_taxonomy(catalogs, column):
    catalog = next(c for c in catalogs.values() if column in c.columns)
    vocabulary = (catalog.columns[column].assigns or "")[1:]
    counts = catalog.values[column].value_counts().to_pylist()
    known = {c["values"]: c["counts"] for c in counts if c["values"] is not None}
    tree = taxonomy()
    odd = {w: n for w, n in known.items() if tree.of(vocabulary, w) is None and not tree.is_silent(vocabulary, w)}
    assert sum(odd.values()) <= 0.005 * sum(known.values()), odd


def positions(ra: list[float], dec: list[float], object_id: list[str] | None = None) -> pa.RecordBatch:
    columns = {
        "object_id": pa.array(object_id or ["x"] * len(ra)), "ra": pa.array(ra), "dec": pa.array(dec),
        "hpx29": pa.array(hpx29(ra, dec)), "mjd": pa.array(np.full(len(ra), 60_000.0)),
    }  # fmt: skip
    return pa.RecordBatch.from_pydict(columns)


STARS = [
    ("vsx", 325.67817, 43.58617, "vsx_type", "UGSS"),  # SS Cyg
    ("gcvs", 325.67817, 43.58617, "gcvs_type", "UGSS"),
    ("mangrove", 185.7280, 15.8218, "mangrove_name", "NGC4321"),
    ("fermi_4lac", 166.1138, 38.2088, "fermi_4lac_type", "BLL"),  # Mrk 421
    ("hsp", 166.1138, 38.2088, "hsp_name", "3HSPJ110427.3+381231"),
    ("symbiotic_cv", 355.95622, -15.28448, "symbiotic_cv_type", "symbiotic_stars"),  # R Aqr,
]


@pytest.mark.parametrize(("name", "ra", "dec", "column", "value"), STARS)
def test_famous_objects_are_found(catalogs, name, ra, dec, column, value):
    assert catalogs[name].match(positions([ra], [dec]))[column].to_pylist() == [value]


def test_a_blazar_on_the_list_is_found_by_its_name(catalogs):
    found = catalogs["ctao_blazars"].match(positions([1.0] * 3, [1.0] * 3, ["ZTF18abvjqkt", "ZTF18nosuch", ""]))
    assert found["ctao_blazars_name"].to_pylist() == ["3FHL J0001.2-0748", None, None]
    assert found["ctao_blazars_median_r"][0].as_py() == pytest.approx(1.988545e-4, rel=1e-6)


@pytest.fixture(scope="module")
def hosts(catalogs) -> Hosts:
    made = open_hosts(catalogs)
    assert isinstance(made, Hosts)
    return made


def test_sn_2020oi_is_in_m100(hosts):
    found = {name: values[0].as_py() for name, values in hosts.match(positions([185.728875], [15.8236])).items()}
    assert found["host_name"] == "NGC4321"
    assert found["host_redshift"] == pytest.approx(0.00524, abs=1e-4)  # 1571 km/s
    assert 30.5 < found["host_distance_modulus"] < 31.7
    assert found["host_chance"] < 1e-4


def test_real_supernovae_get_hosts_of_their_redshift(hosts, data_dir):
    meta = pd.read_csv(data_dir / "labelled" / "ztf_bts_snia_meta.csv")
    listed = pd.read_parquet(data_dir / "labelled" / "ztf_bts_snia_lightcurves.parquet", columns=["objectId"])
    redshift = pd.to_numeric(meta.redshift, errors="coerce")
    rows = meta.ZTFID.isin(set(listed.objectId)) & redshift.notna()
    position = SkyCoord(meta.RA[rows].to_numpy(), meta.Dec[rows].to_numpy(), unit=("hourangle", "deg"))
    found = hosts.match(positions(position.ra.deg.tolist(), position.dec.deg.tolist()))
    z, err = (found[f"host_redshift{x}"].to_numpy(zero_copy_only=False) for x in ("", "_err"))
    wrong = np.abs(z - redshift[rows].to_numpy())
    hosted, spectroscopic = np.isfinite(z), err < 0.01
    # figures of docs/explanation/catalogues-and-hosts.md; a fall says that association got worse
    assert (len(z), hosted.sum()) == (1738, 605)
    assert (wrong < 0.005).sum() >= 410
    assert (wrong[spectroscopic] < 0.005).mean() > 0.95
