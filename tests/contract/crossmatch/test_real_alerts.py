"""Every catalogue of the data folder, built by its recipe, and the real ZTF and Rubin alerts matched with them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from astropy.coordinates import SkyCoord

from redpoll.catalogs.library import Library
from redpoll.config import Config, CrossmatchConfig, RunConfig
from redpoll.crossmatch.catalog import open_catalogs
from redpoll.ingest.files import open_sources
from redpoll.pipeline.contexts import context_columns, open_stage
from redpoll.pipeline.run import run_night
from redpoll.pipeline.timing import sample_batches
from redpoll.schema.alert import COLUMNS
from redpoll.store import open_store
from redpoll.testing.real_data import CATALOGUES, PACKETS, build_catalogues
from redpoll.testing.store_rows import alert_rows


@pytest.fixture(scope="module")
def catalogs(data_dir, tmp_path_factory):
    folder = tmp_path_factory.mktemp("catalogs")
    build_catalogues(data_dir, folder)
    return folder


@pytest.fixture(scope="module")
def config(catalogs):
    return Config(run=RunConfig(workers=0), crossmatch=CrossmatchConfig(str(catalogs)))


@pytest.fixture(scope="module")
def matched(data_dir, config):
    """The real alerts with the catalogues' columns."""
    stage = open_stage(config)
    batches = sample_batches(open_sources([str(data_dir / name) for name in PACKETS]), config, limit=10_000)
    results = [stage.run(batch) for batch in batches]
    assert not any(result.failures for result in results)
    return pa.Table.from_batches([r.batch.select([*COLUMNS, *context_columns(config)]) for r in results])


def test_all_catalogues_are_there_and_the_others_are_missing(config):
    states = {entry.name: entry.state for entry in Library(Path(config.crossmatch.catalogs)).entries()}
    assert {name for name, state in states.items() if state == "built"} == set(CATALOGUES)
    assert set(states.values()) == {"built", "not installed"}


@pytest.mark.parametrize("name", sorted(set(CATALOGUES) - {"ctao_blazars"}))
def test_every_match_is_astropys_nearest(name, matched, catalogs):
    """The slow twin: astropy's nearest source within the radius, and none beyond."""
    catalog = next(c for c in open_catalogs(Library(catalogs))[0] if c.name == name)
    xyz = catalog.index.xyz
    lon, lat = np.degrees(np.arctan2(xyz[:, 1], xyz[:, 0])), np.degrees(np.arctan2(xyz[:, 2], np.hypot(*xyz.T[:2])))
    alerts = SkyCoord(matched["ra"].to_numpy(), matched["dec"].to_numpy(), unit="deg")
    _, separation, _ = alerts.match_to_catalog_sky(SkyCoord(lon, lat, unit="deg"))
    inside = separation.arcsec <= catalog.recipe.match.radius_arcsec
    found = matched[f"{name}_arcsec"]
    assert (np.asarray(found.is_valid()) == inside).all()
    np.testing.assert_allclose(found.filter(pa.array(inside)), separation.arcsec[inside], atol=1e-5)


def test_known_objects_are_told_by_their_catalogues(matched):
    """Long-period variables and symbiotic stars are in the sample; so are galaxies behind supernovae."""
    n_matched = {name: matched[f"{name}_arcsec"].length() - matched[f"{name}_arcsec"].null_count
                 for name in CATALOGUES if name != "ctao_blazars"}  # fmt: skip
    assert n_matched["vsx"] > 50 and n_matched["symbiotic_cv"] > 5 and n_matched["glade"] > 5
    types = set(pc.drop_null(matched["vsx_type"]).to_pylist())
    assert types and not any(t != t.strip() or t == "" for t in types)


def test_the_makers_are_told_for_every_column(matched):
    makers = {f.name: f.metadata[b"by"].decode() for f in matched.schema if f.metadata and f.metadata.get(b"by")}
    assert makers["vsx_type"].startswith("vsx@") and makers["simbad_type"] == "simbad: not installed"
    assert matched["simbad_type"].null_count == matched.num_rows


def test_batches_cut_otherwise_match_the_same(matched, config):
    stage = open_stage(config)
    whole = matched.combine_chunks()
    parts = [stage.run(batch).batch for batch in whole.to_batches(max_chunksize=97)]
    assert pa.Table.from_batches(parts).select(matched.schema.names).equals(matched)


def test_a_run_stores_the_matches_and_names_what_is_missing(data_dir, config, tmp_path):
    night = [str(data_dir / "ztf" / "ztf_sample.tar.gz")]
    report = run_night(open_sources(night), tmp_path / "with", config)
    assert report.balances and not report.failures and report.seconds["crossmatch"] > 0
    assert report.missing["simbad"] == "not installed" and "vsx" not in report.missing
    without = replace(config, crossmatch=CrossmatchConfig(str(tmp_path / "none")))
    bare = run_night(open_sources(night), tmp_path / "without", without)
    assert bare.stored == report.stored and set(bare.missing) >= set(CATALOGUES)
    with open_store(tmp_path / "with") as store:
        known = [row for row in alert_rows(store, limit=1000) if row["vsx_type"] is not None]
    assert len(known) > 10
