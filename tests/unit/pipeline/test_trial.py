"""A user's file in the graph that a run would build."""

from __future__ import annotations

import pytest

from redpoll.config import parse_config
from redpoll.errors import ConfigError, UnknownColumn
from redpoll.ingest.files import open_sources
from redpoll.pipeline.assemble import build_graph
from redpoll.pipeline.trial import try_file
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
    trial = try_file(mine, open_sources([ztf_night]), parse_config(""), limit=5)
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
            try_file(mine, open_sources([ztf_night]), parse_config(text))
