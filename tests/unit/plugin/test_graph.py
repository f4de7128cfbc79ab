"""Building a graph, and running it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from redpoll import Column, alert_filter, science_module
from redpoll.errors import ConfigError, ExpressionError, PluginError, SchemaError, UnknownColumn
from redpoll.plugin.expression_filter import expression_filter
from redpoll.plugin.graph import Graph
from redpoll.testing.models import FakeModel


def module(name: str, reads: str, makes: str | None = None, **declared):
    """A module that adds one to its first input."""
    names = [part.strip() for part in reads.split(",")]

    def function(*args):
        return args[0] + 1

    function.__name__ = name
    outputs = {makes or f"{name}_out": Column("float32")}
    from inspect import Parameter, Signature

    function.__signature__ = Signature([Parameter(n, Parameter.POSITIONAL_OR_KEYWORD) for n in names])
    declare = science_module(version="1", outputs=outputs, **declared)
    return declare(_by_name(function, names))


def _by_name(function, names):
    def call(**arguments):
        return function(*(arguments[name] for name in names))

    call.__name__, call.__signature__ = function.__name__, function.__signature__
    return call


@science_module(version="3", outputs={"snr": Column("float32", "", "Signal to noise", aggregate="max")})
def snr(flux, flux_err, *, floor=0.0, mode="plain", clip=(0, 1)):
    """Signal to noise."""
    return np.maximum(flux / flux_err, floor)


@science_module(version="1", model="early_ia", outputs={"p_ia": Column("float32")})
def p_ia(snr, mag, model):
    """Probability."""
    X = np.nan_to_num(np.column_stack([snr, mag]))
    return model.predict_proba(X)[:, 1]


@alert_filter()
def significant(snr, *, min_snr=5.0):
    """Significant."""
    return snr > min_snr


def test_modules_run_after_those_they_read() -> None:
    c, b, a = module("c", "b_out"), module("b", "a_out, ra"), module("a", "ra")
    graph = Graph.build([c, b, a], [])
    assert [node.name for node in graph.nodes] == ["a", "b", "c"]


def test_order_is_as_given_where_it_is_free() -> None:
    names = ["q", "b", "z", "a"]
    graph = Graph.build([module(name, "ra") for name in names], [])
    assert [node.name for node in graph.nodes] == names


def test_values_pass_from_module_to_module(sample_batch) -> None:
    found = Graph.build([module("b", "a_out"), module("a", "ra")], []).run(sample_batch).batch
    np.testing.assert_allclose(found["b_out"].to_numpy(), sample_batch["ra"].to_numpy() + 2, rtol=1e-6)


def test_unknown_column_is_refused_with_near_names() -> None:
    with pytest.raises(UnknownColumn, match=r"a reads 'flux_error'.*near: flux_err") as caught:
        Graph.build([module("a", "flux_error")], [])
    assert caught.value.name == "flux_error"


def test_names_must_match_exactly() -> None:
    with pytest.raises(UnknownColumn):
        Graph.build([module("a", "err")], [])


def test_packet_is_no_input() -> None:
    with pytest.raises(UnknownColumn):
        Graph.build([module("a", "packet")], [])


def test_a_filter_may_not_read_another_filter() -> None:
    second = alert_filter("second")(lambda pass_significant: pass_significant)
    with pytest.raises(UnknownColumn):
        Graph.build([snr], [significant, second])


@pytest.mark.parametrize(
    ("modules", "message"),
    [
        ([module("a", "ra"), module("a", "dec", "other")], "two plugins are named 'a'"),
        ([module("a", "ra", "same"), module("b", "ra", "same")], "b and a both make 'same'"),
        ([module("a", "ra", "mag")], "a makes 'mag', which is a column of the alerts"),
        ([module("a", "ra", "packet")], "a makes 'packet'"),
        ([module("a", "a_out")], "cycle: a -> a"),
        (
            [module("a", "c_out"), module("b", "a_out"), module("c", "b_out"), module("d", "a_out")],
            "cycle: a -> c -> b -> a",
        ),
    ],
)
def test_doubled_or_cyclic_names_are_refused(modules, message) -> None:
    with pytest.raises(PluginError, match=message):
        Graph.build(modules, [])


def test_doubled_topic_is_refused() -> None:
    with pytest.raises(PluginError, match="two plugins are named 'significant': a topic and a topic"):
        Graph.build([snr], [significant, expression_filter("significant", "mag < 18")])


def test_expression_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ExpressionError, match="near: snr"):
        Graph.build([snr], [expression_filter("good", "snrr > 5")])
    Graph.build([snr], [expression_filter("good", "snr > 5")])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"snrr": {}}, "no module or filter 'snrr' to set; near: snr"),
        ({"snr": {"flor": 1.0}}, "snr has no setting 'flor'; near: floor"),
        ({"snr": {"floor": "1"}}, "setting 'floor' must be float like 0.0; got str '1'"),
        ({"snr": {"floor": True}}, "must be float"),
        ({"snr": {"mode": 3}}, "must be str"),
        ({"snr": {"clip": 3}}, "must be tuple"),
        ({"significant": {"min_snr": None}}, "must be float"),
    ],
)
def test_unfit_settings_are_refused(settings, message) -> None:
    with pytest.raises(ConfigError, match=message):
        Graph.build([snr], [significant], settings=settings)


def test_settings_override_defaults_and_are_recorded(sample_batch) -> None:
    graph = Graph.build([snr], [significant], settings={"significant": {"min_snr": 1000}, "snr": {"clip": [2, 3]}})
    assert graph.run(sample_batch).batch["pass_significant"].to_pylist() == [False] * sample_batch.num_rows
    recorded = graph.provenance()
    assert recorded["pass_significant"] == {"by": "significant@1", "settings": {"min_snr": 1000.0}}
    assert type(recorded["pass_significant"]["settings"]["min_snr"]) is float
    assert recorded["snr"] == {"by": "snr@3", "settings": {"floor": 0.0, "mode": "plain", "clip": (2, 3)}}


def test_columns_carry_type_unit_and_maker(sample_batch) -> None:
    graph = Graph.build([snr, p_ia], [significant], models={"early_ia": FakeModel("5")})
    schema = graph.run(sample_batch).batch.schema
    assert schema.equals(graph.output_schema(sample_batch.schema), check_metadata=True)
    assert schema.names[-3:] == ["snr", "p_ia", "pass_significant"]
    assert schema.field("snr").type == pa.float32()
    assert schema.field("snr").metadata[b"aggregate"] == b"max"
    assert schema.field("p_ia").metadata[b"by"] == b"p_ia@1, early_ia@5"
    assert schema.field("pass_significant").metadata[b"by"] == b"significant@1"


def test_packet_stays_last(sample_batch) -> None:
    packet = pa.array([{"field": 1}] * sample_batch.num_rows)
    found = Graph.build([snr], [significant]).run(sample_batch.append_column("packet", packet)).batch
    assert found.schema.names[-3:] == ["snr", "pass_significant", "packet"]


def test_input_columns_and_metadata_are_kept(sample_batch) -> None:
    batch = sample_batch.replace_schema_metadata({"origin": "test"})
    found = Graph.build([snr], []).run(batch).batch
    assert found.schema.metadata == {b"origin": b"test"}
    assert found.select(batch.schema.names).equals(batch, check_metadata=True)


def test_model_that_is_missing_makes_nulls_and_is_named(sample_batch) -> None:
    graph = Graph.build([snr, p_ia], [])
    assert graph.without_model == {"p_ia": "early_ia"}
    found = graph.run(sample_batch)
    assert found.failures == {}
    assert found.batch["p_ia"].null_count == sample_batch.num_rows
    assert found.batch.schema.field("p_ia").metadata[b"by"] == b"p_ia@1"


@pytest.mark.parametrize("rows", [0, 1, 64])
def test_schema_does_not_depend_on_the_data(sample_batch, rows) -> None:
    graph = Graph.build([snr, p_ia], [significant, expression_filter("bright", "mag < 18")])
    found = graph.run(sample_batch.slice(0, rows))
    assert found.batch.schema.equals(graph.output_schema(sample_batch.schema), check_metadata=True)
    assert found.batch.num_rows == rows
    assert found.failures == {}
    found.batch.validate(full=True)


def test_columns_made_before_are_replaced(sample_batch) -> None:
    graph = Graph.build([snr], [significant])
    once = graph.run(sample_batch).batch
    twice = graph.run(once).batch
    assert twice.equals(once, check_metadata=True)


def test_batch_without_a_needed_column_is_refused(sample_batch) -> None:
    with pytest.raises(SchemaError, match="no column 'flux_err'"):
        Graph.build([snr], []).run(sample_batch.drop_columns(["flux_err"]))


def test_every_node_is_timed(sample_batch) -> None:
    ticks = iter(range(100))
    found = Graph.build([snr], [significant], clock=lambda: next(ticks)).run(sample_batch)
    assert found.seconds == {"snr": 1, "significant": 1}


def test_a_graph_of_nothing_changes_nothing(sample_batch) -> None:
    assert Graph.build([], []).run(sample_batch).batch.equals(sample_batch, check_metadata=True)
