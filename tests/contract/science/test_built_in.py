"""Every built-in module and filter keeps the contract on both surveys, and they fit into one graph."""

from __future__ import annotations

import pkgutil

import pytest

import redpoll.filters
import redpoll.science
from redpoll.crossmatch.known_columns import known_columns
from redpoll.plugin.discovery import installed_filters, installed_modules
from redpoll.plugin.graph import Graph
from redpoll.schema.alert import COLUMNS
from redpoll.testing.batches import sample_batch
from redpoll.testing.conformance import conformance
from redpoll.testing.context_columns import with_context_columns

MODULES = [m for m in installed_modules() if m.function.__module__.startswith("redpoll.science.")]
FILTERS = [f for f in installed_filters() if f.function.__module__.startswith("redpoll.filters.")]
KNOWN = COLUMNS | known_columns()


def test_every_file_of_the_room_is_installed():
    for room, found in ((redpoll.science, MODULES), (redpoll.filters, FILTERS)):
        files = {info.name for info in pkgutil.iter_modules(room.__path__)} - {"blocks"}
        assert {node.name for node in found} == files


@pytest.mark.parametrize("survey", ["ztf", "rubin"])
@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_module_keeps_the_contract(module, survey):
    conformance(module, sample_batch(48, seed=5, survey=survey))


@pytest.mark.parametrize("one", FILTERS, ids=str)
def test_a_filter_keeps_the_contract(one):
    scored = Graph.build(MODULES, [], columns=KNOWN).run(with_context_columns(sample_batch(48, seed=5)))
    conformance(one, scored.batch)


def test_statistics_of_fluxes_keep_the_contract():
    statistics = next(m for m in MODULES if m.name == "light_curve_statistics")
    conformance(statistics, sample_batch(48, seed=6), settings={"quantity": "flux"})


@pytest.mark.parametrize("survey", ["ztf", "rubin"])
def test_all_run_in_one_graph_without_failures(survey):
    found = Graph.build(MODULES, FILTERS, columns=KNOWN).run(
        with_context_columns(sample_batch(200, seed=7, survey=survey))
    )
    assert found.failures == {}
    answered = [name for m in MODULES for name in m.outputs if found.batch[name].null_count < 200]
    assert {"age", "mag_rate", "mag_slope", "colour_g_r", "peak_mag", "mean_g", "roid"} <= set(answered)


@pytest.mark.parametrize("node", [*MODULES, *FILTERS], ids=str)
def test_everything_says_what_it_is(node):
    assert node.doc.endswith((".", "docs/explanation.")) and all(column.doc for column in node.outputs.values())
