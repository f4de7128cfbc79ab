"""``redpoll learn replay`` as a user types it: curves as table, file and plot, stopped early, and misused."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from redpoll.cli import learn
from redpoll.errors import ModelError, UsageError
from redpoll.learn.errors import DatasetError
from redpoll.learn.realisations import realisations

QUICK = ("--class", "sn_ia", "--trees", "4", "--queries", "6", "--batch", "3", "--every", "3", "--initial", "4")


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of features of 160 objects that a line parts."""
    path = tmp_path_factory.mktemp("features") / "features.csv"
    rng = np.random.default_rng(0)
    lines = [f"o{i},{'sn_ia' if x > y else 'other'},{60000 + i % 40},{i % 3 + 1},{x:.4f},{y:.4f}"
             for i, (x, y) in enumerate(rng.normal(size=(160, 2)))]  # fmt: skip
    path.write_text("\n".join(["object_id,label,mjd,cost,x,y", *lines]) + "\n")
    return path


def run(*words: str) -> Result:
    return CliRunner().invoke(learn.command, ["replay", *words])


def test_help_has_an_example() -> None:
    assert "Example: redpoll learn replay" in run("--help").output


def test_curves_are_written_and_their_ends_printed(features: Path, tmp_path: Path) -> None:
    out = tmp_path / "curves.csv"
    done = run("--features", str(features), *QUICK, "--seeds", "2", "--out", str(out))
    assert done.exit_code == 0, done.output
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert [(r["strategy"], r["seed"], r["queries"]) for r in rows] == [
        (name, seed, n) for name in ("uncertainty", "random") for seed in "01" for n in "036"
    ]
    assert "uncertainty" in done.stdout and "random" in done.stdout
    assert rows[0]["audited_purity"] == ""


def test_json_has_the_summary_and_the_same_numbers_again(features: Path) -> None:
    words = ("--features", str(features), *QUICK, "--strategy", "bald", "--seeds", "2", "--audit", "0.4", "--json")
    first, second = (json.loads(run(*words).stdout) for _ in range(2))
    assert first == second
    assert {row["strategy"] for row in first["ends"]} == {"bald"}


def test_every_strategy_runs_night_by_night(features: Path, tmp_path: Path) -> None:
    out = tmp_path / "curves.json"
    words = ("--strategy", "all", "--budget", "4", "--nights", "--recent", "5", "--seeds", "1", "--out", str(out))
    done = run("--features", str(features), *QUICK, *words)
    assert done.exit_code == 0, done.output
    assert len({row["strategy"] for row in json.loads(out.read_text())}) == 10


@pytest.mark.parametrize("ending", ["svg", "png"])
def test_a_plot_is_drawn(ending: str, features: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    plot = tmp_path / f"curves.{ending}"
    assert run("--features", str(features), *QUICK, "--seeds", "1", "--plot", str(plot)).exit_code == 0
    assert plot.stat().st_size > 1000


def test_a_data_set_of_alerts_is_replayed() -> None:
    data = ("--model", "early_sn_ia", "--dataset", "simulate://ztf?alerts=600&seed=5", "--seeds", "1", "--json")
    done = run(*data, *QUICK[2:], "--test", "0.5")
    assert done.exit_code == 0, done.output
    assert {row["strategy"] for row in json.loads(done.stdout)["ends"]} == {"uncertainty", "random"}


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        ((), UsageError, "needs --features FILE, or --model"),
        (("--model", "early_sn_ia"), UsageError, "needs --features FILE, or --model"),
        (("--features", "F", "--model", "early_sn_ia", "--class", "sn_ia"), UsageError, "either"),
        (("--features", "F"), UsageError, "--class"),
        (("--features", "F", "--class", "sn_ib"), UsageError, "no object is of class 'sn_ib'"),
        (("--features", "F", "--class", "sn_ia", "--strategy", "uncertanty"), UsageError, "uncertainty"),
        (("--features", "F", "--class", "sn_ia", "--strategy", "budgeted"), UsageError, "budget"),
        (("--features", "F", "--class", "sn_ia", "--columns", "x,z"), DatasetError, "no column 'z'"),
        (("--features", "F", "--class", "sn_ia", "--similar-by", "z"), UsageError, "no feature 'z'"),
        (("--features", "F", "--class", "sn_ia", "--initial", "1000"), UsageError, "first labels"),
        (("--features", "F", "--class", "sn_ia", "--out", "curves.txt"), UsageError, r"\.csv or \.json"),
        (("--features", "F", "--class", "sn_ia", "--out", "F"), UsageError, "exists; use --force"),
        (("--features", "F", "--class", "sn_ia", "--out", "no/curves.csv"), UsageError, "no folder"),
        (("--features", "F", "--class", "sn_ia", "--plot", "curves.pdf"), UsageError, r"\.svg or \.png"),
        (("--features", "F", "--class", "sn_ia", "--learner", "boosting", "--strategy", "bald"), UsageError, "forest"),
    ],
)
def test_misuse_is_explained_before_anything_runs(
    words: tuple[str, ...], error: type[Exception], message: str, features: Path
) -> None:
    before = features.read_bytes()
    done = run(*(str(features) if word == "F" else word for word in words))
    assert isinstance(done.exception, error)
    with pytest.raises(error, match=message):
        raise done.exception
    assert features.read_bytes() == before


@pytest.mark.parametrize("words", [("--queries", "0"), ("--trees", "many"), ("--budget", "0"), ("--features", "none")])
def test_options_that_are_no_options_end_with_2(words: tuple[str, ...]) -> None:
    assert run(*words).exit_code == 2


def test_a_plot_that_cannot_be_drawn_is_told_at_once(
    monkeypatch: pytest.MonkeyPatch, features: Path, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    done = run("--features", str(features), *QUICK, "--plot", str(tmp_path / "a.svg"), "--out", str(tmp_path / "a.csv"))
    assert isinstance(done.exception, ModelError)
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_keeps_what_is_done(monkeypatch: pytest.MonkeyPatch, features: Path, tmp_path: Path) -> None:
    def interrupted(*given, **options):
        runs = realisations(*given, **options)
        yield next(runs)
        yield next(runs)
        raise KeyboardInterrupt

    monkeypatch.setattr("redpoll.learn.realisations.realisations", interrupted)
    out = tmp_path / "curves.csv"
    done = run("--features", str(features), *QUICK, "--seeds", "100", "--out", str(out))
    assert done.exit_code == 0
    assert "stopped: 2 of 200 realisations are done" in done.stderr
    assert {(row["strategy"], row["seed"]) for row in csv.DictReader(out.read_text().splitlines())} == {
        ("uncertainty", "0"),
        ("random", "0"),
    }


def test_ctrl_c_before_anything_is_done_writes_nothing(
    monkeypatch: pytest.MonkeyPatch, features: Path, tmp_path: Path
) -> None:
    def interrupted(*given, **options):
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr("redpoll.learn.realisations.realisations", interrupted)
    done = run("--features", str(features), *QUICK, "--out", str(tmp_path / "curves.csv"))
    assert done.exit_code == 1
    assert list(tmp_path.iterdir()) == []
