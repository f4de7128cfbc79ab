"""A graph travels to a worker process that was started afresh."""

from __future__ import annotations

import multiprocessing
import pickle
from copy import deepcopy

import pytest

from redpoll import Column, science_module
from redpoll.plugin.expression_filter import expression_filter
from redpoll.plugin.files import load_file
from redpoll.plugin.graph import Graph
from redpoll.testing.models import FakeModel

SOURCE = '''
import numpy as np
from redpoll import Column, alert_filter, science_module

@science_module(version="1", model="two", outputs={"p": Column("float32")})
def scored(ra, model, *, scale=1.0):
    """Probability."""
    return model.predict_proba(np.column_stack([ra * scale]))[:, 1]

@alert_filter()
def probable(p):
    """Probable."""
    return p > 0.5
'''


def test_graph_gives_the_same_answer_in_a_spawned_process(tmp_path, sample_batch) -> None:
    path = tmp_path / "mine.py"
    path.write_text(SOURCE)
    mine = load_file(path)
    filters = [*mine.filters, expression_filter("bright", "p > 0.9 and mag < 20")]
    graph = Graph.build(mine.modules, filters, settings={"scored": {"scale": -0.01}}, models={"two": FakeModel("3")})
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        there = pool.apply(graph.run, (sample_batch,))
    here = graph.run(sample_batch)
    assert there.batch.equals(here.batch, check_metadata=True)
    assert there.failures == here.failures == {}


def test_graph_is_copied_the_way_it_is_pickled(tmp_path, sample_batch) -> None:
    path = tmp_path / "mine.py"
    path.write_text(SOURCE)
    graph = Graph.build(load_file(path).modules, [], models={"two": FakeModel()})
    again = deepcopy(graph)
    assert again.provenance() == graph.provenance()
    assert again.run(sample_batch).batch.equals(graph.run(sample_batch).batch)


def test_module_inside_a_function_cannot_travel_and_says_so() -> None:
    @science_module(version="1", outputs={"out": Column("float32")})
    def local(ra):
        return ra

    with pytest.raises(pickle.PicklingError, match="move it to the top level"):
        pickle.dumps(Graph.build([local], []))
