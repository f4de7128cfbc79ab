"""A simulated night of either survey: what was asked, in the order of time, the same for the same seed."""

from __future__ import annotations

import json
from itertools import pairwise

import pyarrow.parquet as pq
import pytest

from redpoll.errors import UsageError
from redpoll.simulate import simulate_night
from redpoll.simulate.classes import CLASSES
from redpoll.simulate.population import FRACTIONS, alerts_per_class


def files_of(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_there_are_as_many_alerts_as_asked_for(night):
    asked = json.loads(night.report.recipe.read_text())["n_alerts"]
    assert len(night.packets) == len(night.truth) == night.report.n_alerts == asked


def test_the_truth_names_every_packet_in_the_order_of_the_archives(night):
    assert [row["alert_id"] for row in night.truth] == list(night.packets)
    assert all(a["mjd"] <= b["mjd"] for a, b in pairwise(night.truth))


def test_every_class_alerts(night):
    assert {row["class"] for row in night.truth} == set(CLASSES)
    assert min(night.report.alerts_per_class.values()) >= 1
    assert sum(night.report.alerts_per_class.values()) == len(night.truth)


def test_each_night_is_an_archive_of_its_own(night):
    nights = sorted({row["night"] for row in night.truth})
    assert 1 < len(nights) <= 3
    assert [path.name.split(".")[0].split("_")[-1] for path in night.report.files] == [str(n) for n in nights]


def test_an_object_keeps_its_place(night):
    positions = {}
    for row in night.truth:
        positions.setdefault(row["object_id"], set()).add((row["ra"], row["dec"]))
    moving = {row["object_id"] for row in night.truth if row["class"] == "asteroid"}
    assert all(len(of_one) == 1 for name, of_one in positions.items() if name not in moving)


def test_new_objects_are_those_seen_once(night):
    assert all(row["is_new"] == (row["n_detections"] == 1) for row in night.truth)
    assert {row["is_new"] for row in night.truth} == {True, False}


@pytest.mark.parametrize("survey", ["ztf", "rubin"])
def test_the_same_seed_gives_the_same_bytes(tmp_path, survey):
    for name in ("one", "two"):
        simulate_night(tmp_path / name, survey=survey, n_alerts=30, seed=3)
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")


def test_the_bytes_do_not_depend_on_the_number_of_processes(tmp_path):
    for workers in (1, 2):
        simulate_night(tmp_path / str(workers), survey="ztf", n_alerts=110, seed=3, workers=workers)
    assert files_of(tmp_path / "1") == files_of(tmp_path / "2")


def test_another_seed_gives_other_objects(ztf, tmp_path):
    other = simulate_night(tmp_path, survey="ztf", n_alerts=30, seed=8)
    assert other.truth.read_bytes() != ztf.report.truth.read_bytes()


def test_loose_files_hold_the_same_packets_as_the_archive(tmp_path):
    recipe = {"survey": "rubin", "n_alerts": 20, "seed": 1}
    archive = simulate_night(tmp_path / "archive", **recipe)
    loose = simulate_night(tmp_path / "loose", **recipe, layout="files")
    files = [path for folder in loose.files for path in folder.iterdir()]
    assert len(files) == 20
    assert sum(path.stat().st_size for path in files) == loose.n_bytes == archive.n_bytes


def test_progress_goes_from_nothing_to_all(tmp_path):
    seen = []
    simulate_night(tmp_path, survey="ztf", n_alerts=20, seed=1, progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (0, 20)
    assert seen[-1] == (20, 20)
    assert seen == sorted(seen)


def test_the_recipe_is_written_beside_the_packets(ztf):
    recipe = json.loads(ztf.report.recipe.read_text())
    assert recipe["seed"] == 7
    assert recipe["survey"] == "ztf"
    assert recipe["nights"] == 3
    assert recipe["alerts_per_class"] == ztf.report.alerts_per_class


def test_nothing_unfinished_is_left_behind(night):
    assert not list(night.report.truth.parent.glob("*.part"))


@pytest.mark.parametrize("n_alerts", [1, 19, 20, 99, 1000, 123_456])
def test_fractions_add_up(n_alerts):
    counts = alerts_per_class(n_alerts)
    assert sum(counts.values()) == n_alerts
    assert counts.keys() == FRACTIONS.keys() == set(CLASSES)
    assert min(counts.values()) >= (n_alerts >= 20)


def test_fractions_choose_the_classes_and_how_many_of_each(tmp_path):
    report = simulate_night(
        tmp_path, survey="ztf", n_alerts=40, seed=1, fractions={"kilonova": 3, "sn_ia": 1, "agn": 0}
    )
    assert {name: n for name, n in report.alerts_per_class.items() if n} == {"kilonova": 30, "sn_ia": 10}


def test_the_usual_fractions_given_explicitly_change_no_packet(tmp_path):
    for name, fractions in (("a", None), ("b", FRACTIONS)):
        simulate_night(tmp_path / name, survey="rubin", n_alerts=30, seed=3, fractions=fractions, layout="files")
    packets = [{n: f for n, f in files_of(tmp_path / name).items() if n.suffix == ".avro"} for name in "ab"]
    assert len(packets[0]) == 30 and packets[0] == packets[1]


@pytest.mark.parametrize("n_alerts", [1, 2, 21])
def test_a_handful_of_alerts_works(tmp_path, n_alerts):
    assert simulate_night(tmp_path, survey="ztf", n_alerts=n_alerts, seed=0).n_alerts == n_alerts


def test_objects_of_two_simulations_have_other_names(tmp_path):
    def names(folder, **recipe):
        report = simulate_night(folder, survey="ztf", n_alerts=40, **recipe)
        return set(pq.read_table(report.truth)["object_id"].to_pylist())

    assert not names(tmp_path / "a", seed=1) & names(tmp_path / "b", seed=2)
    assert not names(tmp_path / "c", seed=1) & names(tmp_path / "d", seed=1, night="20251021")


@pytest.mark.parametrize(
    "wrong",
    [
        {"survey": "des"}, {"survey": ""}, {"n_alerts": 0}, {"n_alerts": -1}, {"n_alerts": 10**9}, {"n_alerts": 1.5},
        {"n_alerts": True}, {"seed": -1}, {"seed": 2**70}, {"nights": 0}, {"nights": 1000}, {"night": "yesterday"},
        {"night": "20251301"}, {"night": "19991231"}, {"night": "../../20"}, {"schema_version": "1.0"},
        {"layout": "zip"}, {"workers": 0}, {"fractions": {"quasar": 1.0}}, {"fractions": {"agn": -1.0}},
        {"fractions": {}}, {"fractions": {"agn": 0.0}}, {"fractions": {"agn": float("inf")}},
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_simulated_is_refused_before_anything_is_written(tmp_path, wrong):
    recipe = {"survey": "ztf", "n_alerts": 10, "seed": 1} | wrong
    with pytest.raises(UsageError, match="cannot simulate"):
        simulate_night(tmp_path / "out", **recipe)
    assert not (tmp_path / "out").exists()


def test_a_file_in_the_way_is_refused(tmp_path):
    (tmp_path / "out").write_text("here first")
    with pytest.raises(UsageError, match="not a folder"):
        simulate_night(tmp_path / "out", survey="ztf", n_alerts=10, seed=1)
    assert (tmp_path / "out").read_text() == "here first"


def test_an_interrupted_archive_does_not_get_its_name(tmp_path):
    def stop(done, total):
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate_night(tmp_path, survey="ztf", n_alerts=10, seed=1, progress=stop)
    assert not list(tmp_path.iterdir())
