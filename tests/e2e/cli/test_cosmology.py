"""``redpoll cosmology impact`` as a user types it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from redpoll.cli import cosmology
from redpoll.errors import RedpollError, UsageError

SMALL = ("--samples", "2", "--size", "100", "--rate", "0.1")


def run(*words: str) -> Result:
    return CliRunner().invoke(cosmology.command, ["impact", *words])


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """A table of 200 SNe Ia and 20 SNe II that look too far away at low redshift."""
    rng, path = np.random.default_rng(1), tmp_path / "sample.csv"
    lines = ["redshift,mu,mu_err,class,probability"]
    for kind, n in (("SN Ia", 200), ("SN II", 20)):
        for z in rng.uniform(0.1, 0.8, n):
            mu = 38.3 + 5 * np.log10(z * (1 + 0.55 * z) / 0.1) + (1.5 - 2 * z) * (kind == "SN II") + rng.normal(0, 0.15)
            lines.append(f"{z:.4f},{mu:.4f},0.15,{kind},{0.9 if n == 200 else 0.6}")
    path.write_text("\n".join(lines) + "\n")
    return path


def test_help_has_an_example() -> None:
    assert "Example: redpoll cosmology impact" in run("--help").output


def test_the_simulated_survey_gives_a_table() -> None:
    found = json.loads(run(*SMALL, "--class", "sn_ii", "--class", "sn_ibc", "--anchor", "10", "--json").stdout)
    assert found["sample"] is None
    assert [(each["class"], each["rate"]) for each in found["impact"]] == [
        ("none", 0.0),
        ("sn_ii", 0.1),
        ("sn_ibc", 0.1),
    ]
    assert found["impact"][1]["bias"][0] > found["impact"][1]["fisher_width"][0]
    assert "sn_ii" in run(*SMALL, "--class", "sn_ii").stdout


def test_a_sample_of_ones_own_is_judged_as_it_stands_and_by_rate(sample: Path) -> None:
    found = json.loads(run(*SMALL, "--sample", str(sample), "--json").stdout)
    assert found["sample"]["purity"] == pytest.approx(200 / 220)
    assert found["sample"]["bias"] != 0
    assert [each["class"] for each in found["impact"]] == ["none", "sn_ii"]
    pure = run(*SMALL, "--sample", str(sample), "--min-probability", "0.8").exception
    assert isinstance(pure, UsageError) and "no class but SN Ia" in str(pure)


def test_table_and_plots_are_written_and_not_replaced(sample: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    out = tmp_path / "out"
    words = (*SMALL, "--sample", str(sample), "--out", str(out))
    assert run(*words).exit_code == 0
    assert sorted(path.name for path in out.iterdir()) == ["impact.csv", "impact.png", "impact.svg"]
    rows = list(csv.DictReader((out / "impact.csv").read_text().splitlines()))
    assert [row["class"] for row in rows] == ["none", "sn_ii"]
    assert float(rows[1]["bias_low"]) <= float(rows[1]["bias"]) <= float(rows[1]["bias_high"])
    svg = (out / "impact.svg").read_bytes()
    assert isinstance(run(*words).exception, UsageError)
    assert run(*words, "--force").exit_code == 0
    assert (out / "impact.svg").read_bytes() == svg


@pytest.mark.parametrize("words", [("--rate", "0.9"), ("--rate", "-0.1"), ("--class", "sn_i")])
def test_misuse_is_explained(words: tuple[str, ...]) -> None:
    assert isinstance(run("--samples", "2", "--size", "100", *words).exception, UsageError)


@pytest.mark.parametrize("words", [("--samples", "1"), ("--size", "3"), ("--clip", "0"), ("--depth", "99")])
def test_options_out_of_range_are_misuse(words: tuple[str, ...]) -> None:
    assert run(*words).exit_code == 2


def test_a_file_that_is_no_table_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"\x00\x01")
    assert isinstance(run("--sample", str(tmp_path / "a.csv")).exception, RedpollError)
