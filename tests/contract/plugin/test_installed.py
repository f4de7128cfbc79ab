"""Every installed module and filter keeps the contract, and all of them fit into one graph."""

from __future__ import annotations

import pytest

from redpoll.crossmatch.known_columns import known_columns
from redpoll.plugin.discovery import broken_plugins, installed_filters, installed_modules
from redpoll.plugin.graph import Graph
from redpoll.schema.alert import COLUMNS
from redpoll.testing.conformance import conformance
from redpoll.testing.context_columns import with_context_columns

MODULES, FILTERS = installed_modules(), installed_filters()
has_test_plugin = pytest.mark.skipif(
    "test_plugin_snr" not in {module.name for module in MODULES},
    reason="packages/test-plugin is not installed; run: make setup",
)


@pytest.mark.parametrize("node", [*MODULES, *FILTERS], ids=str)
def test_plugin_keeps_the_contract(node, sample_batch) -> None:
    conformance(node, sample_batch)


def test_no_installed_plugin_is_broken() -> None:
    assert [str(error) for error in broken_plugins()] == []


def test_all_installed_plugins_run_in_one_graph(sample_batch) -> None:
    found = Graph.build(MODULES, FILTERS, columns=COLUMNS | known_columns()).run(with_context_columns(sample_batch))
    assert found.failures == {}
    assert {f"pass_{f.topic}" for f in FILTERS} <= set(found.batch.schema.names)


@has_test_plugin
def test_a_package_outside_redpoll_is_discovered_and_runs(sample_batch) -> None:
    modules = [module for module in MODULES if module.name == "test_plugin_snr"]
    filters = [f for f in FILTERS if f.topic == "test_plugin_brightening"]
    found = Graph.build(modules, filters).run(sample_batch)
    assert found.failures == {}
    ratio = sample_batch["flux"].to_numpy(zero_copy_only=False) / sample_batch["flux_err"].to_numpy(
        zero_copy_only=False
    )
    expected = [None if value != value else value for value in ratio.tolist()]
    assert found.batch["test_plugin_snr"].to_pylist() == expected
    assert 0 < sum(found.batch["pass_test_plugin_brightening"].to_pylist()) < sample_batch.num_rows
