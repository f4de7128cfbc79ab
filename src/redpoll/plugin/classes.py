"""From columns that speak of classes (`Column.assigns`) to the column `classes`: who says what of each alert.

A float says its class where it is at least the least probability, a boolean where it is true, a string where it is not
null, and a string of a vocabulary (``"@simbad"``) wherever the taxonomy has a class for the word. All are kept side by
side: a catalogue hides nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.errors import PluginError, SchemaError
from redpoll.schema.classifications import CLASSES, CLASSES_COLUMN, CLASSES_TYPE
from redpoll.schema.column import Column, is_text
from redpoll.schema.taxonomy import taxonomy

MIN_PROBABILITY = 0.5
"""Less likely than not: the module that gives such a score does not say that the alert is of the class."""
_MOST_UNKNOWN, _LONGEST_UNKNOWN = 100, 80
_NO_ONE = "packet"


@dataclass(frozen=True)
class _Saying:
    """What one column says: row and class (its place among all names, sorted) of each tag; NaN: no probability."""

    rows: NDArray[np.int64]
    names: NDArray[np.int64]
    probability: NDArray[np.float32]
    by: str


def check_assigns(name: str, column: Column) -> None:
    """Raise PluginError unless what a column says fits its type and the taxonomy."""
    says, kind = column.assigns, column.arrow_type
    if says is None:
        return
    try:
        if not says.startswith("@"):
            taxonomy().check(says)
        elif says[1:] not in taxonomy().vocabularies:
            taxonomy().of(says[1:], "")
    except SchemaError as error:
        raise PluginError(f"column '{name}' says '{says}': {error}") from error
    fits = is_text(kind) or (not says.startswith("@") and (pa.types.is_floating(kind) or pa.types.is_boolean(kind)))
    if not fits:
        raise PluginError(
            f"column '{name}' says '{says}' and is {kind}: a class needs float, bool or string, a @word string"
        )


def classes_field() -> pa.Field:
    """The field of the column `classes`, which names the version of the taxonomy."""
    return CLASSES_COLUMN.field(CLASSES, by=f"taxonomy@{taxonomy().version}")


def assigns_classes(fields: Iterable[pa.Field]) -> bool:
    """Whether any column says something of classes."""
    return any(_says(field) for field in fields)


def assigned_classes(
    schema: pa.Schema, array: Callable[[str], pa.Array], n: int, min_probability: float = MIN_PROBABILITY
) -> tuple[pa.ListArray, Counter[str]]:
    """The column `classes` of `n` alerts, each list sorted by name and speaker, and the words that have no class.

    Parameters
    ----------
    schema
        Fields whose metadata say what they speak of and who made them (see ``Column.field``).
    array
        Gives the column of a name.
    n
        Number of alerts.
    min_probability
        Least probability at which a float says its class.

    Examples
    --------
    >>> score, tns = Column("float32", assigns="sn_ia"), Column("string", assigns="@tns")
    >>> fields = [score.field("p", by="early@1"), tns.field("t")]
    >>> values = {"p": pa.array([0.9, 0.1], pa.float32()), "t": pa.array(["TDE", "no such type"])}
    >>> tags, unknown = assigned_classes(pa.schema(fields), values.get, 2)
    >>> [[(tag["name"], tag["by"]) for tag in said] for said in tags.to_pylist()], dict(unknown)
    ([[('sn_ia', 'early@1'), ('tde', 'packet')], []], {"tns 'no such type'": 1})
    """
    unknown: Counter[str] = Counter()
    sayings = [s for field in schema if _says(field) for s in _sayings(field, array, min_probability, unknown)]
    return _column(sayings, n), Counter(dict(unknown.most_common(_MOST_UNKNOWN)))


def _says(field: pa.Field) -> str:
    return _fact(field, b"assigns")


def _fact(field: pa.Field, key: bytes) -> str:
    metadata: Mapping[bytes, bytes] = field.metadata or {}
    return metadata.get(key, b"").decode()


def _sayings(
    field: pa.Field, array: Callable[[str], pa.Array], least: float, unknown: Counter[str]
) -> Iterator[_Saying]:
    says, by, values = _says(field), _fact(field, b"by") or _NO_ONE, array(field.name)
    if values.null_count == len(values):
        return
    if says.startswith("@"):
        yield from _words(says[1:], by, values, unknown)
    elif says not in taxonomy().classes:
        unknown[f"class '{says[:_LONGEST_UNKNOWN]}' of column '{field.name}'"] += len(values) - values.null_count
    elif pa.types.is_boolean(field.type) or is_text(field.type):
        said = values.is_valid() if is_text(field.type) else values.fill_null(False)
        rows = np.flatnonzero(said.to_numpy(zero_copy_only=False))
        yield _saying(rows, says, np.full(len(rows), np.nan), by)
    else:
        yield _probable(field.name, says, by, values, least, unknown)


def _probable(name: str, says: str, by: str, values: pa.Array, least: float, unknown: Counter[str]) -> _Saying:
    p = values.to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(p >= least)
    if len(rows) and (wrong := p[rows] > 1).any():
        unknown[f"value above 1 of column '{name}', which is no probability"] += int(wrong.sum())
        rows = rows[~wrong]
    return _saying(rows, says, p[rows], by)


def _saying(rows: NDArray[Any], says: str, probability: NDArray[Any], by: str) -> _Saying:
    return _Saying(rows, np.full(len(rows), _places()[says]), probability.astype(np.float32), by)


def _words(vocabulary: str, by: str, values: pa.Array, unknown: Counter[str]) -> Iterator[_Saying]:
    """One saying for the first class of every word, one for the second of those that mean two, and so on."""
    encoded = values if pa.types.is_dictionary(values.type) else values.dictionary_encode()
    index = np.asarray(encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False), np.int64)
    words = [word or "" for word in encoded.dictionary.to_pylist()]
    found = [_classes_of(vocabulary, word) for word in words]
    _count_unknown(vocabulary, words, found, index, unknown)
    for nth in range(max(map(len, found), default=0)):
        table = np.array([*(names[nth] if nth < len(names) else -1 for names in found), -1])
        names = table[index]
        rows = np.flatnonzero(names >= 0)
        yield _Saying(rows, names[rows], np.full(len(rows), np.nan, np.float32), by)


def _classes_of(vocabulary: str, word: str) -> tuple[int, ...]:
    tree = taxonomy()
    names = tree.all_of(vocabulary, word) if vocabulary in tree.vocabularies else ()
    return tuple(_places()[name] for name in names)


def _count_unknown(
    vocabulary: str, words: list[str], found: list[tuple[int, ...]], index: NDArray[np.int64], unknown: Counter[str]
) -> None:
    for place, (word, names) in enumerate(zip(words, found, strict=True)):
        if not names and not taxonomy().is_silent(vocabulary, word):
            unknown[f"{vocabulary} {word.strip()[:_LONGEST_UNKNOWN]!r}"] += int((index == place).sum())


@lru_cache(maxsize=1)
def _places() -> dict[str, int]:
    """Place of each class among all names, sorted."""
    return {name: place for place, name in enumerate(sorted(taxonomy().classes))}


def _column(sayings: list[_Saying], n: int) -> pa.ListArray:
    """The sayings as one list per alert, sorted by class and speaker; of one thing said twice, the more probable."""
    makers = sorted({s.by for s in sayings})
    rows, names, probability, by = _together(sayings, makers)
    order = np.lexsort((-np.nan_to_num(probability, nan=-1.0), by, names, rows))
    key = (rows * len(_places()) + names) * max(len(makers), 1) + by
    order = order[np.diff(key[order], prepend=-1) != 0]
    rows, names, probability, by = rows[order], names[order], probability[order], by[order]
    values = [
        pa.array(list(_places()), pa.string()).take(pa.array(names)),
        pa.array(probability, mask=np.isnan(probability)),
        pa.array(makers, pa.string()).take(pa.array(by)),
    ]
    tags = pa.StructArray.from_arrays(values, fields=list(CLASSES_TYPE.value_type))
    offsets = np.searchsorted(rows, np.arange(n + 1)).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), tags, type=CLASSES_TYPE)


def _together(
    sayings: list[_Saying], makers: list[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32], NDArray[np.int64]]:
    rows = [np.empty(0, np.int64), *(s.rows for s in sayings)]
    names = [np.empty(0, np.int64), *(s.names for s in sayings)]
    probability = [np.empty(0, np.float32), *(s.probability for s in sayings)]
    by = [np.empty(0, np.int64), *(np.full(len(s.rows), makers.index(s.by)) for s in sayings)]
    return np.concatenate(rows), np.concatenate(names), np.concatenate(probability), np.concatenate(by)
