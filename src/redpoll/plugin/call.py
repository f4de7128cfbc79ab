"""Call of a plugin's function on a batch: once with arrays, or once per alert."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from redpoll.plugin.columns import LIGHT_CURVE, LIGHT_CURVES, Columns
from redpoll.plugin.detections import DETECTION_NAMES
from redpoll.plugin.node import Attempt, FunctionNode, unguarded
from redpoll.plugin.outputs import by_name, column_of
from redpoll.schema.light_curve import LightCurves


def call(
    node: FunctionNode,
    columns: Columns,
    settings: Mapping[str, Any],
    model: Any = None,
    attempt: Attempt = unguarded,
) -> dict[str, pa.Array]:
    """The output columns of a module or filter for a batch.

    Floating-point warnings are off, because modules return NaN for unknown values. With per="object", `attempt`
    isolates each alert: an alert that fails has null outputs (False for a filter), the others are kept.

    Raises
    ------
    PluginError
        If the return value does not fit the declaration, or a boolean input has nulls.
    """
    given = {**node.settings, **settings} | ({"model": model} if node.model else {})
    run = _per_object if node.per == "object" else _per_batch
    with np.errstate(all="ignore"):
        values = run(node, columns, given, attempt)
        return {name: column_of(node, name, value, columns.n) for name, value in values.items()}


def batch_columns(inputs: tuple[str, ...], per: str) -> tuple[str, ...]:
    """Names of the batch columns that a function's inputs are read from.

    >>> batch_columns(("mjd", "mag", "ra"), "object")
    ('light_curve', 'ra')
    """
    if per == "batch":
        return inputs
    return tuple(dict.fromkeys(LIGHT_CURVE if name in DETECTION_NAMES else name for name in inputs))


def _per_batch(node: FunctionNode, columns: Columns, given: dict[str, Any], attempt: Attempt) -> dict[str, Any]:
    """Outputs of one call on arrays; `attempt` is unused, because the batch fails as a whole."""
    return by_name(node, node.function(**{name: columns.numpy(name) for name in node.inputs}, **given))


def _per_object(node: FunctionNode, columns: Columns, given: dict[str, Any], attempt: Attempt) -> dict[str, Any]:
    answers: dict[str, list[Any]] = {name: [] for name in node.outputs}
    no_answer: Any = None if node.is_module else False

    def answer(**arguments: Any) -> dict[str, Any]:
        result = node.function(**arguments, **given)
        return by_name(node, no_answer if result is None else result)

    nothing = dict.fromkeys(node.outputs, no_answer)
    for row, arguments in enumerate(_objects(node.inputs, columns)):
        found = None if arguments is None else attempt(row, answer, **arguments)
        for name, value in (found or nothing).items():
            answers[name].append(value)
    return answers


def _objects(inputs: tuple[str, ...], columns: Columns) -> Iterator[dict[str, Any] | None]:
    """Arguments for each alert; None for an alert without detections if detections are read."""
    readers = {name: _reader(name, columns) for name in inputs}
    needs_detection = any(name in DETECTION_NAMES for name in inputs)
    counts = np.diff(columns.detections()[0]) if needs_detection else np.ones(columns.n, np.int64)
    for i, count in enumerate(counts.tolist()):
        yield {name: read(i) for name, read in readers.items()} if count else None


def _reader(name: str, columns: Columns) -> Callable[[int], Any]:
    if name in LIGHT_CURVES:
        curves: LightCurves = columns.numpy(name)
        return curves.__getitem__
    if name not in DETECTION_NAMES:
        return columns.python(name).__getitem__
    offsets, detections = columns.detections()
    bounds, values = offsets.tolist(), getattr(detections, name)
    return lambda i: values[bounds[i] : bounds[i + 1]]
