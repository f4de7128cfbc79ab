"""A graph's answer does not depend on how alerts are put into batches, and a failure stays where it is."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from redpoll import Column, alert_filter, science_module
from redpoll.plugin.expression_filter import expression_filter
from redpoll.plugin.graph import Graph
from redpoll.testing.batches import sample_batch

BATCH = sample_batch(40)


@science_module(version="1", outputs={"snr": Column("float32"), "rounded": Column("int32")})
def snr(flux, flux_err, n_detections):
    """Signal to noise, and its rounded value."""
    ratio = flux / flux_err
    return ratio, np.round(ratio * n_detections)


@science_module(version="1", per="object", outputs={"span": Column("float64"), "bands": Column("string")})
def span(mjd, band, rounded):
    """Days from first to last detection."""
    return None if rounded is None else (mjd[-1] - mjd[0], "".join(sorted(set(band))))


@science_module(version="1", per="object", outputs={"odd_only": Column("float32")})
def odd_only(alert_id, ra):
    """Fails for even ids."""
    return ra / (alert_id % 2)


@alert_filter()
def long_lived(span, snr):
    """Long-lived."""
    return (span > 50) & (snr > 5)


GRAPH = Graph.build([odd_only, span, snr], [long_lived, expression_filter("line", "span > 50 and rounded > 10")])


def rows_of(batch: pa.RecordBatch) -> bytes:
    """Arrow bytes of the values, apart from what lies under nulls."""
    arrays = {name: pa.array(batch[name].to_pylist(), batch[name].type) for name in (f.name for f in GRAPH.fields)}
    return bytes(pa.record_batch(arrays).serialize())


@settings(max_examples=30)
@given(st.lists(st.integers(0, 40), max_size=4).map(sorted))
def test_cutting_the_batch_changes_nothing(cuts) -> None:
    edges = [0, *cuts, 40]
    parts = [GRAPH.run(BATCH.slice(a, b - a)).batch for a, b in pairwise(edges)]
    assert rows_of(pa.concat_batches(parts)) == rows_of(GRAPH.run(BATCH).batch)


@settings(max_examples=30)
@given(st.permutations(range(40)))
def test_order_of_the_alerts_changes_nothing(order) -> None:
    mixed = pa.concat_batches([BATCH.slice(i, 1) for i in order])
    whole = GRAPH.run(BATCH).batch
    expected = pa.concat_batches([whole.slice(i, 1) for i in order])
    assert rows_of(GRAPH.run(mixed).batch) == rows_of(expected)


@settings(max_examples=30)
@given(st.permutations([odd_only, span, snr]))
def test_order_of_the_modules_changes_nothing_but_the_columns_places(modules) -> None:
    graph = Graph.build(modules, [long_lived])
    names = [node.name for node in graph.nodes]
    assert names.index("snr") < names.index("span") < names.index("long_lived")
    found, whole = graph.run(BATCH).batch, GRAPH.run(BATCH).batch
    assert all(found[name].equals(whole[name]) for name in ("snr", "rounded", "span", "bands", "odd_only"))
