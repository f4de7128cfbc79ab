"""The column `classes` of a batch: the classes that its other columns assign (`Column.assigns`), by source.

A float assigns its class where it is at least the minimum probability, a boolean where it is true, and a string where
it is not null. A string of a vocabulary (``"@simbad"``) assigns the classes that the taxonomy maps the word to. The
assignments of all sources are kept side by side.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.errors import PluginError, SchemaError
from redpoll.schema.classifications import CLASSES, CLASSES_COLUMN, CLASSES_TYPE
from redpoll.schema.column import Column, field_fact, is_text
from redpoll.schema.taxonomy import taxonomy

MIN_PROBABILITY = 0.5
"""Default minimum probability: a score below it does not assign its class."""
_MAX_UNKNOWN, _MAX_WORD = 100, 80
_PACKET = "packet"
"""Source of a class that no module or catalogue assigned."""


@dataclass(frozen=True)
class _Assignments:
    """Classes that one column assigns: row, index among the sorted class names, probability (NaN: none), source."""

    rows: NDArray[np.int64]
    names: NDArray[np.int64]
    probability: NDArray[np.float32]
    source: str


def check_assigns(name: str, column: Column) -> None:
    """Raise PluginError unless the class that a column assigns fits its type and the taxonomy."""
    assigns, kind = column.assigns, column.arrow_type
    if assigns is None:
        return
    is_word = assigns.startswith("@")
    try:
        if not is_word:
            taxonomy().check(assigns)
        elif assigns[1:] not in taxonomy().vocabularies:
            taxonomy().of(assigns[1:], "")
    except SchemaError as error:
        raise PluginError(f"column '{name}' assigns '{assigns}': {error}") from error
    if not is_text(kind) and (is_word or not (pa.types.is_floating(kind) or pa.types.is_boolean(kind))):
        wanted = "a string" if is_word else "a float, a bool or a string"
        raise PluginError(f"column '{name}' assigns '{assigns}' and is {kind}; declare it as {wanted}")


def classes_field() -> pa.Field:
    """The field of the column `classes`, with the version of the taxonomy in its metadata."""
    return CLASSES_COLUMN.field(CLASSES, by=f"taxonomy@{taxonomy().version}")


def assigning_fields(fields: Iterable[pa.Field]) -> list[pa.Field]:
    """Those of the fields whose column assigns a class."""
    return [field for field in fields if field_fact(field, "assigns")]


def assigned_classes(
    fields: Iterable[pa.Field], array: Callable[[str], pa.Array], n: int, min_probability: float = MIN_PROBABILITY
) -> tuple[pa.ListArray, Counter[str]]:
    """The column `classes` of `n` alerts, each list sorted by class and source, and the count of unknown words.

    Parameters
    ----------
    fields
        Their metadata name the class they assign and their maker (see ``Column.field``).
    array
        Returns the column of a name.
    n
        Number of alerts.
    min_probability
        Minimum probability at which a float assigns its class.

    Examples
    --------
    >>> score, tns = Column("float32", assigns="sn_ia"), Column("string", assigns="@tns")
    >>> fields = [score.field("p", by="early@1"), tns.field("t")]
    >>> values = {"p": pa.array([0.9, 0.1], pa.float32()), "t": pa.array(["TDE", "no such type"])}
    >>> classes, unknown = assigned_classes(fields, values.get, 2)
    >>> [[(c["name"], c["by"]) for c in one_alert] for one_alert in classes.to_pylist()], dict(unknown)
    ([[('sn_ia', 'early@1'), ('tde', 'packet')], []], {"tns 'no such type'": 1})
    """
    unknown: Counter[str] = Counter()
    assigning = assigning_fields(fields)
    found = [a for field in assigning for a in _assignments(field, array(field.name), min_probability, unknown)]
    return _column(found, n), Counter(dict(unknown.most_common(_MAX_UNKNOWN)))


def _assignments(
    field: pa.Field, values: pa.Array, min_probability: float, unknown: Counter[str]
) -> Iterator[_Assignments]:
    assigns, source = field_fact(field, "assigns"), field_fact(field, "by") or _PACKET
    if values.null_count == len(values):
        return
    if assigns.startswith("@"):
        yield from _words(assigns[1:], source, values, unknown)
    elif assigns not in taxonomy().classes:
        unknown[f"class '{assigns[:_MAX_WORD]}' of column '{field.name}'"] += len(values) - values.null_count
    elif pa.types.is_boolean(field.type) or is_text(field.type):
        is_assigned = values.is_valid() if is_text(field.type) else values.fill_null(False)
        rows = np.flatnonzero(is_assigned.to_numpy(zero_copy_only=False))
        yield _one_class(rows, assigns, np.full(len(rows), np.nan), source)
    else:
        yield _probable(field.name, assigns, source, values, min_probability, unknown)


def _probable(
    name: str, assigns: str, source: str, values: pa.Array, min_probability: float, unknown: Counter[str]
) -> _Assignments:
    p = values.to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(p >= min_probability)
    if len(rows) and (wrong := p[rows] > 1).any():
        unknown[f"value above 1 of column '{name}', which is no probability"] += int(wrong.sum())
        rows = rows[~wrong]
    return _one_class(rows, assigns, p[rows], source)


def _one_class(rows: NDArray[Any], name: str, probability: NDArray[Any], source: str) -> _Assignments:
    return _Assignments(rows, np.full(len(rows), _index_of_class()[name]), probability.astype(np.float32), source)


def _words(vocabulary: str, source: str, values: pa.Array, unknown: Counter[str]) -> Iterator[_Assignments]:
    """The first class of every word, then the second class of those with two, and so on."""
    encoded = values if pa.types.is_dictionary(values.type) else values.dictionary_encode()
    index = np.asarray(encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False), np.int64)
    words = [word or "" for word in encoded.dictionary.to_pylist()]
    found = [_classes_of(vocabulary, word) for word in words]
    _count_unknown(vocabulary, words, found, index, unknown)
    for nth in range(max(map(len, found), default=0)):
        table = np.array([*(names[nth] if nth < len(names) else -1 for names in found), -1])
        names = table[index]
        rows = np.flatnonzero(names >= 0)
        yield _Assignments(rows, names[rows], np.full(len(rows), np.nan, np.float32), source)


def _classes_of(vocabulary: str, word: str) -> tuple[int, ...]:
    tree = taxonomy()
    names = tree.all_of(vocabulary, word) if vocabulary in tree.vocabularies else ()
    return tuple(_index_of_class()[name] for name in names)


def _count_unknown(
    vocabulary: str, words: list[str], found: list[tuple[int, ...]], index: NDArray[np.int64], unknown: Counter[str]
) -> None:
    for i, (word, names) in enumerate(zip(words, found, strict=True)):
        if not names and not taxonomy().is_silent(vocabulary, word):
            unknown[f"{vocabulary} {word.strip()[:_MAX_WORD]!r}"] += int((index == i).sum())


@lru_cache(maxsize=1)
def _index_of_class() -> dict[str, int]:
    """Index of each class among the sorted names of all classes."""
    return {name: i for i, name in enumerate(sorted(taxonomy().classes))}


def _column(found: list[_Assignments], n: int) -> pa.ListArray:
    """The assignments as one list per alert, sorted by class and source; of duplicates the most probable is kept."""
    sources = sorted({a.source for a in found})
    rows, names, probability, source = _joined(found, sources)
    order = np.lexsort((-np.nan_to_num(probability, nan=-1.0), source, names, rows))
    key = (rows * len(_index_of_class()) + names) * max(len(sources), 1) + source
    order = order[np.diff(key[order], prepend=-1) != 0]
    rows, names, probability, source = rows[order], names[order], probability[order], source[order]
    values = [
        pa.array(list(_index_of_class()), pa.string()).take(pa.array(names)),
        pa.array(probability, mask=np.isnan(probability)),
        pa.array(sources, pa.string()).take(pa.array(source)),
    ]
    structs = pa.StructArray.from_arrays(values, fields=list(CLASSES_TYPE.value_type))
    offsets = np.searchsorted(rows, np.arange(n + 1)).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), structs, type=CLASSES_TYPE)


def _joined(
    found: list[_Assignments], sources: list[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32], NDArray[np.int64]]:
    rows = [np.empty(0, np.int64), *(a.rows for a in found)]
    names = [np.empty(0, np.int64), *(a.names for a in found)]
    probability = [np.empty(0, np.float32), *(a.probability for a in found)]
    source = [np.empty(0, np.int64), *(np.full(len(a.rows), sources.index(a.source)) for a in found)]
    return np.concatenate(rows), np.concatenate(names), np.concatenate(probability), np.concatenate(source)
