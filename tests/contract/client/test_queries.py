"""Queries of the client: what they select, what they refuse, and that they agree with the whole table."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import mocpy
import numpy as np
import pyarrow as pa
import pytest
from astropy import units as u
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import redpoll
from redpoll.client import Client, QueryResult
from redpoll.client.tables import counted
from redpoll.crossmatch.errors import SkyFileError
from redpoll.errors import NotFound, PacketError, RedpollError, StoreError, UsageError
from redpoll.schema.taxonomy import taxonomy
from redpoll.store import open_store
from redpoll.testing.store_batches import store_batch
from redpoll.testing.store_suite import add

N = 340


@pytest.fixture(scope="module")
def every(client: Client) -> list[dict[str, Any]]:
    """All rows."""
    return list(client.alerts().to_arrow().to_pylist())


def ids(result: QueryResult) -> set[tuple[str, int]]:
    """Survey and identifier of each alert."""
    table = result.to_arrow()
    return set(zip(table["survey"].to_pylist(), table["alert_id"].to_pylist(), strict=True))


def of(rows: list[dict[str, Any]]) -> set[tuple[str, int]]:
    return {(row["survey"], row["alert_id"]) for row in rows}


@pytest.mark.parametrize("module", ["redpoll", "redpoll.client"])
def test_importing_it_is_light(module: str) -> None:
    heavy = "{'numba', 'astropy', 'fastapi', 'pandas', 'rich', 'click', 'redpoll.crossmatch'}"
    check = f"import sys, {module}; found = {heavy} & set(sys.modules); sys.exit(str(found) if found else 0)"
    done = subprocess.run([sys.executable, "-c", check], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_open_is_a_name_of_the_package_and_others_are_not() -> None:
    assert redpoll.open is redpoll.client.open
    with pytest.raises(AttributeError, match="no attribute 'opne'"):
        _ = redpoll.opne


def test_all_alerts_are_returned_newest_first(client: Client, every: list[dict[str, Any]]) -> None:
    assert len(every) == len(client.alerts()) == N
    keys = [(row["mjd"], row["alert_id"]) for row in every]
    assert keys == sorted(keys, reverse=True)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    mag=st.none() | st.floats(17.5, 21.5),
    night=st.none() | st.sampled_from([20200101, 20200102, 20200106, 20210101]),
    topic=st.none() | st.sampled_from(["rising", "bright"]),
    class_=st.none() | st.sampled_from(["sn", "sn_ia", "rr_lyrae", "agn", "kilonova"]),
    survey=st.none() | st.sampled_from(["ztf", "rubin"]),
    limit=st.none() | st.integers(0, 400),
)
def test_a_query_returns_the_rows_that_fulfil_every_condition(
    client: Client, every: list[dict[str, Any]], mag: float | None, night: int | None, topic: str | None,
    class_: str | None, survey: str | None, limit: int | None,
) -> None:  # fmt: skip
    tree = taxonomy()
    want = [
        row
        for row in every
        if (mag is None or row["mag"] < np.float32(mag))
        and night in (None, row["night"])
        and (topic is None or topic in row["topics"])
        and (class_ is None or any(tree.is_a(found["name"], class_) for found in row["classes"]))
        and survey in (None, row["survey"])
    ]
    where = None if mag is None else f"mag < {float(np.float32(mag))!r}"
    result = client.alerts(where, night=night, topic=topic, class_=class_, survey=survey, limit=limit)
    assert ids(result) == of(want[:limit])
    assert len(result) == len(want[:limit])
    assert bool(result) == bool(want[:limit])


def test_a_column_of_the_archive_is_selected_and_returned(client: Client) -> None:
    table = client.alerts(
        "feature_archived >= 149", ["alert_id", "feature_archived", "light_curve", "packet"]
    ).to_arrow()
    assert table.column_names == ["alert_id", "feature_archived", "light_curve", "packet"]
    assert sorted(table["feature_archived"].to_pylist()) == [149.0, 149.5]


@pytest.mark.parametrize("columns", ["alert_id, mag,alert_id", ["alert_id", "mag"], ("alert_id", "mag")])
def test_columns_are_a_list_or_text(client: Client, columns: Any) -> None:
    assert client.alerts(columns=columns).schema.names == ["alert_id", "mag"]


def test_all_columns_are_those_that_the_client_lists(client: Client) -> None:
    result = client.alerts(columns="all", limit=2)
    assert result.schema.names == client.columns().to_arrow()["name"].to_pylist()
    assert result.to_arrow().num_rows == 2


def test_a_cone_is_sorted_by_separation(client: Client, every: list[dict[str, Any]]) -> None:
    centre = next(row for row in every if row["object_id"] == "ZTFmade0003")
    found = client.alerts(cone=(centre["ra"], centre["dec"], 5), columns="all").to_arrow()
    assert found["separation_arcsec"].to_pylist() == [0.0] * found.num_rows
    assert found.num_rows == sum((row["ra"], row["dec"]) == (centre["ra"], centre["dec"]) for row in every)


@pytest.mark.parametrize("kind", ["file", "path", "mocpy", "ranges", "array"])
def test_a_region_is_a_file_a_moc_or_ranges(
    client: Client, every: list[dict[str, Any]], kind: str, tmp_path: Path
) -> None:
    moc = mocpy.MOC.from_string("0/0-3")
    file = tmp_path / "north.txt"
    file.write_text("0/0-3")
    ranges = [(0, 4 << 58)]
    form = {"file": str(file), "path": file, "mocpy": moc, "ranges": ranges, "array": np.array(ranges, np.uint64)}[kind]
    want = [row for row in every if row["hpx29"] < 4 << 58]
    assert 0 < len(want) < N
    assert ids(client.alerts(moc=form)) == of(want)


def test_an_empty_region_selects_nothing(client: Client) -> None:
    assert len(client.alerts(moc=[])) == 0
    assert not client.alerts(moc=[])


BAD = [
    {"columns": ["magg"]}, {"columns": []}, {"columns": ""}, {"columns": [1]}, {"columns": "mag,,ra"}, {"columns": 5},
    {"columns": ["separation_arcsec"]}, {"columns": "x" * 10_000},
    {"where": "magg < 1"}, {"where": "mag <"}, {"where": "1; DROP TABLE alerts"}, {"where": 5}, {"where": "mag"},
    {"where": "(" * 10_000}, {"where": "__import__('os')"},
    {"topic": "risin"}, {"topic": ""}, {"topic": 3}, {"topic": "' OR 1"}, {"class_": "sn_iaa"}, {"class_": 7},
    {"cone": (1, 2)}, {"cone": 5}, {"cone": "abc"}, {"cone": (1, 200, 3)}, {"cone": (1, 2, -3)}, {"cone": (None, 1, 1)},
    {"cone": (float("nan"), 1, 1)}, {"cone": (1, 1, float("inf"))},
    {"night": "20200101"}, {"night": -1}, {"night": True}, {"night": 2020.0}, {"night": 10**30},
    {"limit": -1}, {"limit": "5"}, {"limit": 1.5}, {"limit": True}, {"limit": 10**30},
    {"survey": "lsst"}, {"survey": 1}, {"survey": ["ztf"]}, {"order_by": "mag"}, {"order_by": "separation"},
    {"moc": [(3, 1)]}, {"moc": [1, 2]}, {"moc": [(0.5, 1.5)]},
    {"moc": [(0, 2**63)]}, {"moc": 5}, {"moc": [(1, 2), (3,)]}, {"moc": "a\0b"}, {"moc": "\ud800"},
    {"order_by": np.array([1, 2])}, {"order_by": "x" * 10**6}, {"class_": "x" * 10**6}, {"night": 10**5000},
    {"where": "mag < 1 and band == '\ud800'"},
]  # fmt: skip


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: next(iter(bad)))
def test_what_cannot_be_asked_is_refused_at_once_and_plainly(client: Client, bad: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        client.alerts(**bad)
    assert 10 < len(str(caught.value)) < 2000


@pytest.mark.parametrize(
    ("bad", "near"),
    [
        ({"columns": ["magg"]}, "near: mag"),
        ({"where": "magg < 1"}, "near: mag"),
        ({"topic": "risin"}, "near: rising"),
        ({"class_": "sn_iaa"}, "near: sn_ia"),
        ({"survey": "lsst"}, "use ztf or rubin"),
    ],
)
def test_a_refusal_names_near_names(client: Client, bad: dict[str, Any], near: str) -> None:
    with pytest.raises(UsageError, match=near):
        client.alerts(**bad)


@pytest.mark.parametrize("text", ["", "no region", "3/99999999999", "{"])
def test_a_file_that_is_no_region_is_refused(client: Client, text: str, tmp_path: Path) -> None:
    (tmp_path / "bad.moc").write_text(text)
    with pytest.raises(SkyFileError, match=r"bad\.moc"):
        client.alerts(moc=tmp_path / "bad.moc")


def test_a_missing_file_or_store_is_refused(client: Client, tmp_path: Path) -> None:
    with pytest.raises(SkyFileError):
        client.alerts(moc="no-such-file")
    for url in (tmp_path / "none", str(tmp_path), "http://127.0.0.1:1/", "postgresql://x/y"):
        with pytest.raises(StoreError):
            redpoll.open(url)


def test_objects_are_those_of_the_selected_alerts_each_once(client: Client, every: list[dict[str, Any]]) -> None:
    want = list(dict.fromkeys(row["object_id"] for row in every if row["mag"] < 18.05))
    result = client.objects("mag < 18.05")
    table = result.to_arrow()
    assert table["object_id"].to_pylist() == want
    assert len(result) == len(want)
    assert table["n_alerts"][0].as_py() == sum(row["object_id"] == want[0] for row in every)
    assert client.objects("mag < 18.05", ["object_id", "max_p_synthetic"], limit=2).to_arrow().num_rows == 2
    with pytest.raises(UsageError, match="no column 'n_alert'; near: n_alerts"):
        client.objects(columns=["n_alert"])


def test_objects_are_each_once_and_complete_over_several_batches(tmp_path: Path) -> None:
    with open_store(tmp_path / "s", mode="write") as store:
        store.runs.start("test")
        for start in (0, 2500):
            add(store, store_batch(2500, start=start, objects=2500, points=1, cutout_bytes=1))
    with redpoll.open(tmp_path / "s") as client:
        batches = list(client.objects(columns="all").batches())
        names = [name for batch in batches for name in batch["object_id"].to_pylist()]
        assert (len(names), len(set(names))) == (2500, 2500)
        assert {n for batch in batches for n in batch["n_alerts"].to_pylist()} == {2}
        assert max(batch.num_rows for batch in batches) <= 1000
        assert client.objects().to_arrow()["object_id"].to_pylist() == names
        assert client.objects(columns=["object_id"]).to_arrow()["object_id"].to_pylist() == names


def test_counted_names_come_largest_first_and_then_by_name() -> None:
    found = counted({"b": 2, "z": 7, "a": 2, "c": 3}, "topic", "Filter.")
    assert list(zip(found["topic"].to_pylist(), found["n_alerts"].to_pylist(), strict=True)) == [
        ("z", 7), ("c", 3), ("a", 2), ("b", 2),
    ]  # fmt: skip


def test_objects_of_an_empty_store_are_none(tmp_path: Path) -> None:
    open_store(tmp_path / "s", mode="write").close()
    with redpoll.open(tmp_path / "s") as client:
        assert len(client.objects()) == len(client.alerts()) == 0
        assert client.objects().to_pandas().empty
        assert "no rows" in repr(client.alerts())


def test_a_light_curve_has_units_and_names(client: Client) -> None:
    result = client.light_curve("ZTFmade0003")
    table = result.to_arrow()
    assert table.column_names == ["mjd", "band", "flux", "flux_err", "kind"]
    assert table["mjd"].to_pylist() == sorted(table["mjd"].to_pylist())
    assert set(table["kind"].to_pylist()) <= {"detection", "forced", "upper_limit", "low_quality"}
    assert result.to_astropy()["flux"].unit == u.nJy
    with pytest.raises(NotFound):
        client.light_curve("ZTFnone")
    with pytest.raises(UsageError):
        client.light_curve(5)  # type: ignore[arg-type]


def test_a_damaged_cutout_is_an_error_and_its_bytes_can_be_had(client: Client, every: list[dict[str, Any]]) -> None:
    alert_id = every[0]["alert_id"]
    with pytest.raises(PacketError):
        client.cutouts(alert_id, every[0]["survey"])
    files = client.cutout_files(str(alert_id), every[0]["survey"])
    assert files["science"].startswith(b"cutout_science")
    assert set(files) == {"science", "template", "difference"}


@pytest.mark.parametrize(
    ("alert_id", "survey"),
    [(2**62 + 1, "lsst"), (2**63, "ztf"), ("x", "ztf"), (1.0, "ztf"), (True, "ztf"), ("--5", "ztf")],
)
def test_cutouts_of_no_identifier_or_survey_are_refused(client: Client, alert_id: Any, survey: str) -> None:
    with pytest.raises(UsageError):
        client.cutouts(alert_id, survey)


@pytest.mark.parametrize("survey", ["ztf", None])
def test_cutouts_of_an_unknown_alert_are_not_found(client: Client, survey: str | None) -> None:
    with pytest.raises(NotFound):
        client.cutouts(1, survey)


def test_the_survey_is_needed_only_where_two_have_the_identifier(client: Client, every: list[dict[str, Any]]) -> None:
    ids = sorted({row["alert_id"] for row in every})  # the first 40 are of both surveys
    assert client.cutout_files(ids[-1]) == client.cutout_files(ids[-1], "ztf")
    with pytest.raises(UsageError, match=f"ztf and rubin have the identifier {ids[0]}: name the survey"):
        client.cutouts(ids[0])


def test_counts_of_topics_and_classes_and_the_ledger_agree(client: Client, every: list[dict[str, Any]]) -> None:
    topics = dict(zip(*(column.to_pylist() for column in client.topics().to_arrow().columns), strict=True))
    assert topics == {
        "rising": sum("rising" in row["topics"] for row in every),
        "bright": sum("bright" in row["topics"] for row in every),
    }
    (first, *_) = client.classes(night=20200101).to_arrow().to_pylist()
    assert 0 < first["n_alerts"] < N
    assert sum(client.ledger().to_arrow()["stored"].to_pylist()) == N
    with pytest.raises(UsageError):
        client.topics(night="x")  # type: ignore[arg-type]


@pytest.mark.parametrize("where", ["", "  ", "\n"])
def test_a_blank_condition_is_refused_and_does_not_stand_for_all_alerts(client: Client, where: str) -> None:
    with pytest.raises(UsageError, match="condition is empty"):
        client.alerts(where)


def test_every_column_has_a_meaning(client: Client) -> None:
    rows = client.columns().to_arrow().to_pylist()
    assert [
        row["name"]
        for row in rows
        if not row["doc"] and row["name"] != "packet" and not row["name"].startswith("pass_")
    ] == []
    assert next(row["by"] for row in rows if row["name"] == "rise_rate").startswith("synthetic@")


def test_threads_and_a_running_writer_can_share_a_store(tmp_path: Path) -> None:
    folder, errors = tmp_path / "s", []
    with open_store(folder, mode="write") as store, redpoll.open(folder) as client:
        store.runs.start("test")
        add(store, store_batch(50))
        done = threading.Event()

        def ask() -> None:
            try:
                while not done.is_set():
                    n = len(client.alerts("mag < 100"))
                    assert n % 50 == 0 and n >= 50
            except (RedpollError, AssertionError) as error:
                errors.append(error)

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        for start in range(50, 500, 50):
            add(store, store_batch(50, start=start))
        done.set()
        for thread in threads:
            thread.join()
    assert errors == []


def test_a_result_sees_what_is_stored_when_it_is_read(tmp_path: Path) -> None:
    with open_store(tmp_path / "s", mode="write") as store, redpoll.open(tmp_path / "s") as client:
        store.runs.start("test")
        add(store, store_batch(10))
        result = client.alerts()
        add(store, store_batch(10, start=10))
        assert len(result) == result.to_arrow().num_rows == 20


def test_a_closed_client_says_so_and_may_be_closed_again(folder: Path) -> None:
    client = redpoll.open(folder)
    result = client.alerts()
    client.close()
    client.close()
    with pytest.raises(StoreError):
        result.to_arrow()


def test_batches_are_read_one_at_a_time(client: Client) -> None:
    batches = client.alerts(columns=["alert_id", "light_curve"]).batches()
    first = next(batches)
    assert isinstance(first, pa.RecordBatch)
    assert 0 < first.num_rows < N


@pytest.mark.parametrize("columns", [np.array(["mag", "ra"]), np.array(5), {"mag"}, 5, b"mag"])
def test_columns_that_are_no_list_of_names_are_misuse(client: Client, columns: object) -> None:
    for ask in (client.alerts, client.objects):
        with pytest.raises(UsageError, match="columns are names"):
            ask(columns=columns)  # type: ignore[operator]


def test_a_cone_of_a_number_that_no_float_holds_is_misuse(client: Client) -> None:
    with pytest.raises(UsageError, match="a cone is three numbers"):
        client.alerts(cone=(10**400, 0, 1))


def test_an_object_id_with_half_a_character_is_misuse(client: Client) -> None:
    with pytest.raises(UsageError, match="no text that an object_id can be"):
        client.light_curve("\ud800")


@pytest.mark.parametrize("store", [None, 5, b"folder", ["folder"]])
def test_a_store_that_is_no_path_is_misuse(store: object) -> None:
    with pytest.raises(UsageError, match="named by a path or a URL"):
        redpoll.open(store)
