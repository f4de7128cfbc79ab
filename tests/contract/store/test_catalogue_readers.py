"""The catalogues that compaction makes, as LSDB and other people's tools see them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redpoll.astro.sky import separation_arcsec
from redpoll.store import Cone, Selection, Store, open_store
from redpoll.store.opening import folder_of
from redpoll.testing.store_batches import store_batch, with_gaps
from redpoll.testing.store_rows import alert_rows, full_alert
from redpoll.testing.store_suite import add

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import dask
    import hats
    import lsdb

pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.slow]
LISTS = {"light_curve": ("mjd", "band", "flux", "flux_err", "kind"), "classes": ("name", "probability", "by")}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store compacted twice, the second time with new pixels and a new column of a module."""
    with open_store(tmp_path_factory.mktemp("hats") / "store", mode="write") as store:
        store.runs.start("test")
        add(store, store_batch(400, objects=100, nights=(0, 1)))
        store.maintenance.compact(rows_per_pixel=15)
        add(store, with_gaps(store_batch(100, start=400, objects=50)))
        store.maintenance.compact(rows_per_pixel=40)
        with dask.config.set(scheduler="synchronous"):
            yield store


@pytest.fixture(scope="module")
def catalogue(store: Store) -> Path:
    """Where the catalogue is."""
    return folder_of(store.url) / "archive" / "hats" / "ztf"


def columns_of(catalogue: Path) -> list[str]:
    """Columns that a user of the catalogue may name."""
    return [name for name in pq.read_schema(catalogue / "dataset" / "_common_metadata").names if name[0] != "_"]


def opened(catalogue: Path, columns: Any, cone: Cone | None = None) -> Any:
    """What LSDB returns, as a frame."""
    found = lsdb.open_catalog(catalogue, columns=columns)
    if cone is not None:
        found = found.cone_search(cone.ra, cone.dec, cone.radius_arcsec)
    return found.compute(progress_bar=False)


def values_of(column: pa.Array | pa.ChunkedArray, name: str) -> list[Any]:
    """Values as Python has them; NaN is None, and so is an empty list: LSDB has no other unknown list in a cone."""
    plain = repr if name == "packet" else lambda value: value or None if name in LISTS else value
    return [None if value != value else plain(value) for value in column.to_pylist()]


def same(frame: Any, store: Store, columns: Sequence[str], cone: Cone | None = None) -> bool:
    """Whether a frame holds the values that the store has of the same alerts, in whatever order."""
    table = store.alerts.scan(columns, Selection(cone=cone)).to_table()
    expected = zip(*(values_of(table[name], name) for name in columns), strict=True)
    seen = zip(*(values_of(pa.array(frame[name]), name) for name in columns), strict=True)
    return sorted(map(repr, seen)) == sorted(map(repr, expected))


def near(store: Store, radius: float) -> Cone:
    """A cone around an object that has alerts of both compactions."""
    row = alert_rows(store, object_ids=["ZTFmade0007"])[0]
    return Cone(row["ra"], row["dec"], radius)


def test_hats_accepts_the_catalogue(catalogue: Path) -> None:
    from hats.io.validation import is_valid_catalog

    assert is_valid_catalog(catalogue, strict=True)
    read = hats.read_hats(catalogue)
    assert len(read) == 500
    assert max(p.order for p in read.get_healpix_pixels()) >= 1


def test_lsdb_reads_every_alert_with_all_columns(catalogue: Path, store: Store) -> None:
    frame = opened(catalogue, "all")
    assert same(frame, store, columns_of(catalogue))
    packets = dict(zip(frame["alert_id"], frame["packet"], strict=True))
    assert packets[10**15 + 9] == full_alert(store, 10**15 + 9, "ztf")["packet"]


def test_lsdb_reads_any_column_alone(catalogue: Path, store: Store) -> None:
    names = columns_of(catalogue)
    assert {"light_curve", "classes", "packet", "mag"} < set(names)
    assert [name for name in names if not same(opened(catalogue, [name]), store, [name])] == []


@settings(max_examples=12)
@given(st.data())
def test_lsdb_reads_any_subset_of_columns_inside_a_cone(catalogue: Path, store: Store, data: st.DataObject) -> None:
    names = columns_of(catalogue)
    columns = data.draw(st.lists(st.sampled_from([*names, *LISTS]), unique=True, min_size=1, max_size=5))
    cone = near(store, data.draw(st.sampled_from([10.0, 36_000.0, 200_000.0])))
    frame = opened(catalogue, columns, cone)
    assert same(frame, store, columns, cone)
    assert len(frame) > 0


@pytest.mark.parametrize("radius", [None, 10.0, 36_000.0, 200_000.0])
@pytest.mark.parametrize("name", LISTS)
def test_lists_alone_are_those_of_the_store(catalogue: Path, store: Store, name: str, radius: float | None) -> None:
    cone = None if radius is None else near(store, radius)
    frame = opened(catalogue, [name], cone)
    assert same(frame, store, [name], cone)
    assert frame[name].nest.columns == list(LISTS[name])
    assert radius is not None or frame[name].isna().any()


@pytest.mark.parametrize("radius", [10.0, 3600.0, 36_000.0])
def test_a_cone_holds_the_same_alerts_in_lsdb_and_in_the_store(catalogue: Path, store: Store, radius: float) -> None:
    cone = near(store, radius)
    frame = opened(catalogue, None, cone)
    rows = alert_rows(store, cone=cone)
    assert sorted(frame["alert_id"]) == sorted(row["alert_id"] for row in rows)
    assert (separation_arcsec(cone.ra, cone.dec, frame["ra"], frame["dec"]) <= radius).all()
    assert len(rows) > 0


def test_a_cone_reads_single_fields_of_the_points(catalogue: Path, store: Store) -> None:
    cone = near(store, 36_000.0)
    frame = opened(catalogue, ["alert_id", "light_curve.mjd", "light_curve.flux"], cone)
    rows = store.alerts.scan(["alert_id", "light_curve"], Selection(cone=cone)).to_table().to_pylist()
    expected = {row["alert_id"]: [(p["mjd"], p["flux"]) for p in row["light_curve"] or ()] for row in rows}
    found = zip(frame["alert_id"], pa.array(frame["light_curve"]).to_pylist(), strict=True)
    assert {alert_id: [(p["mjd"], p["flux"]) for p in points] for alert_id, points in found} == expected
    assert len(frame) == len(expected) > 0


def test_arrow_datasets_read_the_points_of_a_selection(catalogue: Path, store: Store) -> None:
    found = ds.dataset(catalogue / "dataset", format="parquet", exclude_invalid_files=True)
    table = found.to_table(columns=["alert_id", "light_curve"], filter=ds.field("mag") < 19)
    expected = store.alerts.scan(["alert_id", "light_curve"], Selection(where="mag < 19")).to_table().to_pylist()
    times = {row["alert_id"]: [p["mjd"] for p in row["light_curve"] or ()] for row in expected}
    assert {r["alert_id"]: (r["light_curve"] or {}).get("mjd") or [] for r in table.to_pylist()} == times
    assert len(times) > 10


def test_duckdb_reads_the_points_of_a_selection(catalogue: Path, store: Store) -> None:
    files = f"{catalogue}/dataset/**/*.parquet"
    found = duckdb.sql(f"SELECT alert_id, light_curve.mjd FROM read_parquet('{files}') WHERE mag < 19").fetchall()
    expected = store.alerts.scan(["alert_id", "light_curve"], Selection(where="mag < 19")).to_table().to_pylist()
    times = {row["alert_id"]: [p["mjd"] for p in row["light_curve"] or ()] for row in expected}
    assert {alert_id: mjd or [] for alert_id, mjd in found} == times
