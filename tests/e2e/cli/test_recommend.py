"""``redpoll recommend`` and ``redpoll observations`` as a user types them: from alerts to a plan and to labels."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from redpoll.cli import label, observations, recommend
from redpoll.config import parse_config
from redpoll.errors import ConfigError, RedpollError, UsageError
from redpoll.ingest.files import open_sources
from redpoll.pipeline.run import run_night

SITE = "[telescopes.north]\nlatitude = 28.3\nlongitude = -16.51\nelevation = 2390\naperture = 1.0\nhours = 1\n"
ON = ("--on", "20261201")


def run(verb: object, *words: str) -> Result:
    return CliRunner().invoke(verb.command, words)


@pytest.fixture
def site(tmp_path: Path) -> str:
    """A file of one telescope."""
    (tmp_path / "site.toml").write_text(SITE)
    return str(tmp_path / "site.toml")


@pytest.fixture
def targets(tmp_path: Path) -> str:
    """A table of 40 targets along the sky of the north."""
    lines = [f"ZTF{i},{9 * i},{20 + i % 3},17.5,{0.1 + (i % 7) / 10},0.5,ztf" for i in range(40)]
    (tmp_path / "targets.csv").write_text("object_id,ra,dec,mag,utility,p,survey\n" + "\n".join(lines) + "\n")
    return str(tmp_path / "targets.csv")


@pytest.mark.parametrize("words", [(recommend, "--help"), (observations, "import", "--help")])
def test_help_has_an_example(words: tuple) -> None:
    assert "Example: redpoll" in run(*words).output


def test_a_plan_is_printed_and_proven(site: str, targets: str) -> None:
    done = run(recommend, "--telescope", site, "--targets", targets, *ON)
    assert done.exit_code == 0 and "ZTF" in done.stdout and "no plan is better" in done.stderr
    found = json.loads(run(recommend, "--telescope", site, "--targets", targets, *ON, "--json").stdout)
    assert found["is_proven"] and found["utility"] == pytest.approx(found["bound"])
    assert sum(each["minutes"] for each in found["observations"]) <= 60
    assert sum(found["outcomes"].values()) == 40


def test_uncertainty_is_a_utility(site: str, targets: str) -> None:
    found = json.loads(
        run(recommend, "--telescope", site, "--targets", targets, "--uncertain", "p", *ON, "--json").stdout
    )
    assert {each["utility"] for each in found["observations"]} == {1.0}


def test_what_was_observed_comes_back_as_labels(site: str, targets: str, tmp_path: Path, ztf_night: Path) -> None:
    """The table of the plan is filled in by the observer, twice: the second word replaces the first."""
    pytest.importorskip("matplotlib")
    out, store = tmp_path / "plan", ["--store", str(tmp_path / "store")]
    assert run(recommend, "--telescope", site, "--targets", targets, *ON, "--out", str(out)).exit_code == 0
    assert sorted(p.name for p in out.iterdir()) == ["airmass.png", "airmass.svg", "blocks.json", "plan.csv"]
    again = run(recommend, "--telescope", site, "--targets", targets, *ON, "--out", str(out))
    assert isinstance(again.exception, UsageError)
    rows = list(csv.DictReader((out / "plan.csv").read_text().splitlines()))
    run_night(open_sources([str(ztf_night)]), tmp_path / "store", parse_config("[run]\nworkers = 0"))
    for word, expected in (("SN Ia", [1, 0, 0]), ("SN Ia", [0, 1, 0]), ("SN II", [1, 0, 1])):
        rows[0]["label"] = word
        text = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
        (tmp_path / "seen.csv").write_text("\n".join(text) + "\n")
        done = json.loads(
            run(observations, "import", str(tmp_path / "seen.csv"), "--by", "ada", *store, "--json").stdout
        )
        assert [done["added"], done["unchanged"], done["taken_back"]] == expected
        assert done["without_label"] == len(rows) - 1
    (kept,) = json.loads(run(label, "list", *store, "--json").stdout)
    assert kept["class"] == "sn_ii" and kept["by"] == "ada" and kept["note"].startswith("observed: north 2026-12-0")


def test_alerts_of_a_store_are_candidates(site: str, tmp_path: Path, ztf_night: Path) -> None:
    run_night(open_sources([str(ztf_night)]), tmp_path / "store", parse_config("[run]\nworkers = 0"))
    words = ("--telescope", site, "--store", str(tmp_path / "store"), "--on", "20250921")
    found = json.loads(run(recommend, "mag < 20", *words, "--utility", "real_bogus", "--json").stdout)
    assert found["observations"] and all(each["mag"] < 20 for each in found["observations"])
    for wrong, message in (
        ((), "name the column of the utility"),
        (("--utility", "no_such"), "there is no column 'no_such'"),
        (("--utility", "band"), "a number is needed"),
        (("--uncertain", "p_kilonova"), "no candidate has a magnitude and a utility above 0"),
    ):
        refused = run(recommend, *words, *wrong).exception
        assert isinstance(refused, RedpollError) and message in str(refused)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--on", "20261301"), "write a date"),
        (("--on", "18000101"), "write a date"),
        (("--utility", "utility", "--uncertain", "p"), "not both"),
        (("--night", "20261201"), "conditions are for the alerts of a store"),
        (("mag < 18",), "conditions are for the alerts of a store"),
    ],
)
def test_misuse_is_explained(site: str, targets: str, words: tuple[str, ...], message: str) -> None:
    wrong = run(recommend, "--telescope", site, "--targets", targets, *words).exception
    assert isinstance(wrong, UsageError) and message in str(wrong)


def test_a_telescope_twice_or_wrong_is_refused(site: str, targets: str, tmp_path: Path) -> None:
    twice = run(recommend, "--telescope", site, "--telescope", site, "--targets", targets).exception
    assert isinstance(twice, UsageError) and "'north' is in another file too" in str(twice)
    (tmp_path / "bad.toml").write_text(SITE + "colour = 1\n")
    wrong = run(recommend, "--telescope", str(tmp_path / "bad.toml"), "--targets", targets).exception
    assert isinstance(wrong, ConfigError) and "unknown key 'colour'" in str(wrong)
