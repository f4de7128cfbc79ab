"""A user's file in the graph that a run would build."""

from __future__ import annotations

import pytest

from redpoll.config import parse_config
from redpoll.errors import ConfigError, ExpressionError, UnknownColumn
from redpoll.ingest.files import open_sources
from redpoll.pipeline.assemble import build_graph
from redpoll.pipeline.trial import try_out
from redpoll.plugin.files import load_file

MINE = """
from redpoll import Column, alert_filter, science_module

@science_module(version="1", outputs={"age": Column("float64", "d", "Always one.")})
def age(mjd):
    "One."
    return mjd * 0 + 1.0

@alert_filter(topic="mine")
def mine(age, mag_rate):
    "All."
    return age > 0
"""


@pytest.fixture
def mine(tmp_path):
    (tmp_path / "mine.py").write_text(MINE)
    return tmp_path / "mine.py"


def test_the_file_stands_in_for_what_has_its_name(mine, ztf_night):
    trial = try_out(open_sources([ztf_night]), parse_config(""), file=mine, limit=5)
    assert trial.columns == ["age", "pass_mine"] and trial.rows
    assert {(row["age"], row["pass_mine"]) for row in trial.rows} == {(1.0, True)}


def test_the_configuration_counts_as_in_a_run(mine, ztf_night):
    graph = build_graph(parse_config("[classes]\nmin_probability = 0.9"), load_file(mine))
    assert graph.min_probability == 0.9 and [node.name for node in graph.nodes].count("age") == 1
    for text, error in (
        ("[classes]\nmin_probability = 2", ConfigError),
        ('[modules]\noff = ["rise_rate"]', UnknownColumn),
    ):
        with pytest.raises(error):
            try_out(open_sources([ztf_night]), parse_config(text), file=mine)


def test_an_expression_is_tried_alone_or_beside_a_file(mine, ztf_night):
    alone = try_out(open_sources([ztf_night]), parse_config(""), expression="mag < 18")
    assert {row["pass_expr"] for row in alone.rows} == {True, False}
    assert all(row["pass_expr"] == (row["mag"] is not None and row["mag"] < 18) for row in alone.rows)
    both = try_out(open_sources([ztf_night]), parse_config(""), file=mine, expression="age > 0.5", limit=5)
    assert both.columns == ["age", "pass_mine", "pass_expr"] and all(row["pass_expr"] for row in both.rows)


def test_passing_keeps_only_alerts_that_pass(ztf_night):
    every = try_out(open_sources([ztf_night]), parse_config(""), expression="mag < 18")
    some = try_out(open_sources([ztf_night]), parse_config(""), expression="mag < 18", passing=True)
    assert some.rows == [row for row in every.rows if row["pass_expr"]]
    assert (some.n_alerts, 0 < len(some.rows) < len(every.rows)) == (len(every.rows), True)


def test_an_expression_that_does_not_fit_is_refused(ztf_night):
    with pytest.raises(ExpressionError):
        try_out(open_sources([ztf_night]), parse_config(""), expression="magg < 18")


def test_a_source_that_breaks_is_told_beside_the_rows(ztf_night, tmp_path):
    (archive,) = ztf_night.glob("*.tar.gz")
    (tmp_path / "cut.tar.gz").write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])
    trial = try_out(open_sources([tmp_path / "cut.tar.gz"]), parse_config(""), expression="mag < 18")
    assert trial.rows and "cut.tar.gz" in trial.source_errors[0]
