"""Compiling ahead of the first night."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from redpoll import Column, science_module
from redpoll.config import Config
from redpoll.errors import PluginError
from redpoll.pipeline.assemble import build_graph
from redpoll.pipeline.warm import compile_group, compile_groups, compile_history
from redpoll.plugin.graph import Graph

GROUPS = compile_groups(build_graph(Config()))


def test_groups_are_those_that_the_modules_declare():
    @science_module(version="1", outputs={"a": Column("float32")}, compile_group="slow")
    def first(mag):
        """Slow."""

    @science_module(version="1", outputs={"b": Column("float32")})
    def second(mag):
        """Quick."""

    assert compile_groups(Graph.build([first, second], [])) == {"slow": {"first"}}
    assert {"curve_fitting", "statistics"} <= GROUPS.keys()


def test_a_group_is_a_plain_name():
    with pytest.raises(PluginError, match="compile group of first"):

        @science_module(version="1", outputs={"a": Column("float32")}, compile_group="Two words")
        def first(mag):
            """Slow."""


def test_the_history_of_an_alert_is_joined_to_the_next():
    joined = compile_history()
    assert joined["n_points"].to_pylist() == [2, 4]
    assert joined["packet_light_curve"].value_lengths().to_pylist() == [2, 2]


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_runs_its_own_modules_and_no_other_s(group):
    result = compile_group(Config(), group, nullcontext())
    outputs = {node.name: node.outputs for node in build_graph(Config()).nodes if node.is_module}
    others = frozenset().union(*GROUPS.values()) - GROUPS[group]
    assert all(result.node_seconds[name] > 0 for name in GROUPS[group])
    for name in others:
        for column in outputs[name]:
            array = result.batch[column]
            assert array.null_count == len(array) or not any(array.to_pylist())
    assert result.failures == {}
