"""Conformance test of science modules and filters, for the tests of plugins.

::

    @pytest.mark.parametrize("module", installed_modules(), ids=str)
    def test_module_keeps_the_contract(module, sample_batch):
        conformance(module, sample_batch)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from redpoll.errors import RedpollError
from redpoll.plugin.columns import Columns
from redpoll.plugin.isolation import outcome
from redpoll.plugin.node import Node
from redpoll.schema.alert import COLUMNS
from redpoll.testing.models import FakeModel
from redpoll.testing.upstream import with_inputs


class ConformanceError(RedpollError, AssertionError):
    """A module or filter breaks the contract; the message names the rule and the failure."""


def conformance(
    node: Node, batch: pa.RecordBatch, *, model: Any = None, settings: Mapping[str, Any] | None = None
) -> None:
    """Test a module or filter on a batch of alerts.

    Columns of other modules that the batch lacks are computed by the installed modules.

    Parameters
    ----------
    node
        The module or filter.
    batch
        Some alerts with realistic values and nulls, such as the fixture ``sample_batch``.
    model
        The model, if it declares one; by default a `FakeModel` with a class for each output and one more.
    settings
        Settings that differ from their defaults.

    Raises
    ------
    ConformanceError
        If it breaks a rule: outputs have the declared types; they do not depend on the other alerts of the batch,
        on their order, or on earlier calls; inputs are not changed; a batch without alerts and a batch of nulls
        raise no error.
    """
    checks = _Checks(
        node, with_inputs(node, batch), model or FakeModel(n_classes=len(node.outputs) + 1), settings or {}
    )
    checks.dtype()
    checks.purity()
    checks.split()
    checks.order()
    checks.empty()
    checks.nulls()


class _Checks:
    def __init__(self, node: Node, batch: pa.RecordBatch, model: Any, settings: Mapping[str, Any]) -> None:
        self._node = node
        self._batch = batch.select([name for name in batch.schema.names if name in node.reads])
        self._n = batch.num_rows
        self._compute = partial(node.compute, settings=settings, model=model if node.model else None)

    def dtype(self) -> None:
        self._answer(self._batch, "dtype", "the batch as it is")

    def purity(self) -> None:
        before, state = _bytes(self._batch), _random_state()
        first = self._answer(self._batch, "purity", "the batch as it is")
        again = self._answer(self._batch, "purity", "the same batch again")
        self._require(_same(first, again), "purity", "it answers the same batch differently the second time")
        self._answer(self._batch.slice(self._n // 2), "purity", "half of the batch")
        last = self._answer(self._batch, "purity", "the same batch again")
        self._require(_same(first, last), "purity", "its answer depends on the batches it has seen before")
        self._require(before == _bytes(self._batch), "purity", "it writes to its inputs")
        self._require(state == _random_state(), "purity", "it draws from numpy's global random generator")

    def split(self) -> None:
        whole = self._answer(self._batch, "batch split", "the batch as it is")
        for cuts in _cuts(self._n):
            parts = [self._batch.slice(a, b - a) for a, b in pairwise(cuts)]
            answers = [self._answer(part, "batch split", f"{part.num_rows} alerts") for part in parts]
            alike = _same(whole, _rebuilt(pa.concat_batches(answers)))
            self._require(alike, "batch split", f"answers change when the batch is cut into {len(parts)} parts")

    def order(self) -> None:
        answer = self._answer(self._batch, "order", "the batch as it is")
        for order in _orders(self._n):
            mixed = self._answer(_taken(self._batch, order), "order", "the batch in another order")
            alike = _same(_rebuilt(_taken(answer, order)), mixed)
            self._require(alike, "order", "answers change with the order of the alerts in the batch")

    def empty(self) -> None:
        self._answer(self._batch.slice(0, 0), "empty batch", "a batch without alerts")

    def nulls(self) -> None:
        self._answer(_nulled(self._batch), "null input", "a batch where all that may be null is null")

    def _answer(self, batch: pa.RecordBatch, rule: str, what: str) -> pa.RecordBatch:
        """The outputs for a batch; ConformanceError if the call fails."""
        arrays, error = outcome(self._compute, columns=Columns(batch))
        if error is not None:
            raise ConformanceError(f"{self._node} breaks the rule of {rule}: on {what}, {_explained(error)}") from error
        wrong = [name for name, c in self._node.outputs.items() if arrays[name].type != c.arrow_type]
        self._require(not wrong, "dtype", f"{', '.join(wrong)} is not of the declared type")
        return _rebuilt(pa.record_batch(arrays))

    def _require(self, kept: bool, rule: str, how: str) -> None:
        if not kept:
            raise ConformanceError(f"{self._node} breaks the rule of {rule}: {how}")


def _explained(error: Exception) -> str:
    if isinstance(error, ValueError) and "read-only" in str(error):
        return f"it writes to its inputs ({error})"
    return f"it raises {type(error).__name__}: {error}"


def _taken(batch: pa.RecordBatch, order: list[int]) -> pa.RecordBatch:
    """The rows in this order; Arrow's `take` does not support binary views."""
    return pa.concat_batches([batch.slice(i, 1) for i in order] or [batch])


def _same(a: pa.RecordBatch, b: pa.RecordBatch) -> bool:
    """Whether two batches have the same Arrow bytes; ``==`` is False for NaN."""
    return _bytes(a) == _bytes(b)


def _rebuilt(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The same values in new buffers, because the bytes under a null, or beyond the end, may be anything."""
    columns = zip(batch.schema.names, batch.columns, strict=True)
    return pa.record_batch({name: pa.array(array.to_pylist(), array.type) for name, array in columns})


def _bytes(batch: pa.RecordBatch) -> bytes:
    return bytes(batch.serialize())


def _random_state() -> str:
    """The state of numpy's global random generator, without a draw."""
    state: Any = np.random.get_state(legacy=False)
    return repr((state["state"]["key"].tobytes(), state["state"]["pos"], state["has_gauss"]))


def _cuts(n: int) -> Iterator[list[int]]:
    """Positions at which to cut a batch: the middle, every alert, and random ones."""
    yield [0, n // 2, n]
    yield [0, *range(1, n), n]
    rng = np.random.default_rng(n)
    for _ in range(3):
        yield [0, *sorted(rng.integers(0, n + 1, 4).tolist()), n]


def _orders(n: int) -> Iterator[list[int]]:
    yield list(range(n))[::-1]
    rng = np.random.default_rng(n)
    for _ in range(2):
        yield rng.permutation(n).tolist()


def _nulled(batch: pa.RecordBatch) -> pa.RecordBatch:
    arrays = {
        name: array if _never_null(name, array) else pa.nulls(len(array), array.type)
        for name, array in zip(batch.schema.names, batch.columns, strict=True)
    }
    return pa.record_batch(arrays)


def _never_null(name: str, array: pa.Array) -> bool:
    promised = name in COLUMNS and "Never null" in COLUMNS[name].doc
    return promised or bool(pa.types.is_boolean(array.type))
