"""The catalogues that compaction makes, as other people's tools see them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from redpoll.astro.sky import separation_arcsec
from redpoll.store import Cone, Store, open_store
from redpoll.store.opening import folder_of
from redpoll.testing.store_batches import store_batch
from redpoll.testing.store_rows import alert_rows, full_alert
from redpoll.testing.store_suite import add

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    hats = pytest.importorskip("hats")
    lsdb = pytest.importorskip("lsdb")

pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.slow]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store compacted twice, the second time with new pixels and a new column of a module."""
    with open_store(tmp_path_factory.mktemp("hats") / "store", mode="write") as store:
        store.runs.start("test")
        add(store, store_batch(400, objects=100, nights=(0, 1)))
        store.maintenance.compact(rows_per_pixel=15)
        add(store, store_batch(100, start=400, objects=50))
        store.maintenance.compact(rows_per_pixel=15)
        yield store


@pytest.fixture(scope="module")
def catalogue(store: Store) -> Path:
    """Where the catalogue is."""
    return folder_of(store.url) / "archive" / "hats" / "ztf"


def test_hats_accepts_the_catalogue(catalogue: Path) -> None:
    from hats.io.validation import is_valid_catalog

    assert is_valid_catalog(catalogue, strict=True)
    read = hats.read_hats(catalogue)
    assert len(read) == 500
    assert max(p.order for p in read.get_healpix_pixels()) >= 1


def test_lsdb_reads_every_alert_with_its_history_and_packet(catalogue: Path, store: Store) -> None:
    frame = lsdb.open_catalog(catalogue, columns="all").compute()
    assert sorted(frame["alert_id"]) == sorted(row["alert_id"] for row in alert_rows(store, limit=1000))
    row = frame[frame["alert_id"] == 10**15 + 9].iloc[0]
    whole = full_alert(store, 10**15 + 9, "ztf")
    assert row["packet"] == whole["packet"]
    np.testing.assert_allclose(row["light_curve"]["mjd"].astype(float), [p["mjd"] for p in whole["light_curve"]])


@pytest.mark.parametrize("radius", [10.0, 3600.0, 36_000.0])
def test_a_cone_holds_the_same_alerts_in_lsdb_and_in_the_store(catalogue: Path, store: Store, radius: float) -> None:
    ra, dec = (alert_rows(store, object_ids=["ZTFmade0007"])[0][name] for name in ("ra", "dec"))
    frame = lsdb.open_catalog(catalogue).cone_search(ra, dec, radius).compute()
    rows = alert_rows(store, cone=Cone(ra, dec, radius))
    assert sorted(frame["alert_id"]) == sorted(row["alert_id"] for row in rows)
    assert (separation_arcsec(ra, dec, frame["ra"], frame["dec"]) <= radius).all()
    assert len(rows) > 0
