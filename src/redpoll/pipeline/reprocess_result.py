"""Result of a block of stored alerts from a worker: names of segments and counts, as plain data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, TypedDict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from redpoll.schema.classifications import CLASSES
from redpoll.schema.names import PASS

Classification = dict[str, Any]
"""An entry of the column `classes`: name, probability, by."""


class ReprocessResult(TypedDict):
    """New values of a block: the segments that hold them, and counts of alerts.

    ``changed`` counts alerts whose value of a column is another than before; topics and classes are counted apart.
    ``lost`` counts the alerts that a node failed on, ``kept`` those of them, and of the nodes that depend on it, whose
    values before were kept. ``unknown`` counts, by column, alerts that were left as they are because a boolean that a
    node reads is unknown for them.
    """

    segments: list[str]
    n_alerts: int
    changed: dict[str, int]
    topics_gained: dict[str, int]
    topics_lost: dict[str, int]
    classes_gained: dict[str, int]
    classes_lost: dict[str, int]
    lost: dict[str, int]
    kept: dict[str, int]
    unknown: dict[str, int]
    reasons: dict[str, str]
    unknown_words: dict[str, int]
    unusable_models: dict[str, str]
    seconds: dict[str, float]


def no_result() -> ReprocessResult:
    """The result of no alerts."""
    return {
        "segments": [], "n_alerts": 0, "changed": {}, "topics_gained": {}, "topics_lost": {}, "classes_gained": {},
        "classes_lost": {}, "lost": {}, "kept": {}, "unknown": {}, "reasons": {}, "unknown_words": {},
        "unusable_models": {}, "seconds": {},
    }  # fmt: skip


def count(into: dict[str, int], found: Iterable[tuple[str, int]]) -> None:
    """Add counts other than 0."""
    for name, n in found:
        if n:
            into[name] = into.get(name, 0) + n


def count_changes(result: ReprocessResult, values: pa.RecordBatch, replaced: pa.RecordBatch) -> None:
    """Count the changes between old and new values of some alerts."""
    there = set(replaced.schema.names)
    for name in values.schema.names:
        before = replaced[name] if name in there else pa.nulls(values.num_rows, values[name].type)
        if name.startswith(PASS):
            was, now = _true(before), _true(values[name])
            count(result["topics_gained"], [(name.removeprefix(PASS), int((now & ~was).sum()))])
            count(result["topics_lost"], [(name.removeprefix(PASS), int((was & ~now).sum()))])
        elif name == CLASSES:
            _count_classes(result, before.to_pylist(), values[name].to_pylist())
        elif name not in ("survey", "alert_id"):
            count(result["changed"], [(name, int(differs(before, values[name]).sum()))])


def differs(before: pa.Array, after: pa.Array) -> NDArray[np.bool_]:
    """Whether each value is another; NaN is null.

    >>> differs(pa.array([1.0, float("nan"), 2.0]), pa.array([1.0, None, 3.0])).tolist()
    [False, False, True]
    """
    if pa.types.is_nested(after.type) or pa.types.is_nested(before.type):
        pairs = zip(before.to_pylist(), after.to_pylist(), strict=True)
        return np.array([repr(a) != repr(b) for a, b in pairs], bool)
    a, b = _plain(before), _plain(after)
    a = a if a.type == b.type else a.cast(b.type, safe=False)
    unequal = pc.not_equal(a, b).fill_null(False)
    found: NDArray[np.bool_] = np.asarray(unequal) | (np.asarray(a.is_null()) != np.asarray(b.is_null()))
    return found


def merged_classes(
    before: Sequence[Sequence[Classification] | None],
    fresh: Sequence[Sequence[Classification] | None],
    makers: frozenset[str],
) -> list[list[Classification]]:
    """All classifications of each alert: those before but for those of `makers`, whose fresh ones take their places.

    >>> old = [[{"name": "agn", "by": "vsx@1"}, {"name": "tde", "by": "tde@1"}]]
    >>> [c["by"] for c in merged_classes(old, [[{"name": "tde", "by": "tde@2"}]], frozenset(["tde"]))[0]]
    ['vsx@1', 'tde@2']
    """
    return [
        sorted(
            [c for c in old or () if _maker(c) not in makers] + [c for c in new or () if _maker(c) in makers],
            key=lambda c: (c["name"], c["by"]),
        )
        for old, new in zip(before, fresh, strict=True)
    ]


def _maker(classification: Classification) -> str:
    """Name of the module or catalogue, without its version and model."""
    return str(classification["by"]).split("@", 1)[0]


def _count_classes(result: ReprocessResult, before: Sequence[Any], after: Sequence[Any]) -> None:
    gained: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    for old, new in zip(before, after, strict=True):
        was, now = ({c["name"] for c in classes or ()} for classes in (old, new))
        gained.update(now - was)
        lost.update(was - now)
    count(result["classes_gained"], gained.items())
    count(result["classes_lost"], lost.items())


def _true(values: pa.Array) -> NDArray[np.bool_]:
    return np.asarray(values.cast(pa.bool_()).fill_null(False).to_numpy(zero_copy_only=False))


def _plain(values: pa.Array) -> pa.Array:
    values = values.dictionary_decode() if pa.types.is_dictionary(values.type) else values
    if not pa.types.is_floating(values.type):
        return values
    return pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
