"""The objects of a table of light curves: a number for each, and what is the same for all its rows."""

from __future__ import annotations

from collections.abc import Mapping
from math import cos, radians
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.astro.cosmology import distance_modulus
from redpoll.errors import SchemaError
from redpoll.learn.curve_rows import RowRange, identifiers, numbers, texts
from redpoll.learn.errors import DatasetError
from redpoll.schema.bands import SURVEYS
from redpoll.schema.taxonomy import taxonomy

NUMBERS = ("ra", "dec", "redshift")
TEXTS = ("label", "survey")
_RANGES = {"ra": (0.0, 360.0), "dec": (-90.0, 90.0), "redshift": (0.0, 20.0)}
_MAX_SHIFT = 0.003  # degrees, as positions of one object scatter between its alerts


class ObjectConstants:
    """Names of the objects in the order of their first rows, and the constants of each."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._number: dict[str, int] = {}
        self._found: dict[str, dict[int, Any]] = {name: {} for name in (*NUMBERS, *TEXTS)}

    def add(self, batch: Mapping[str, pa.Array], rows: RowRange) -> NDArray[np.int64]:
        """The number of each row's object.

        Raises
        ------
        DatasetError
            If an identifier or a constant cannot be used, or an object has two values of a constant.
        """
        encoded = identifiers(batch["object_id"], rows).dictionary_encode()
        codes = np.array([self._code(name) for name in encoded.dictionary.to_pylist()], np.int64)
        objects = codes[encoded.indices.to_numpy()] if len(codes) else np.zeros(0, np.int64)
        for name in (n for n in NUMBERS if n in batch):
            self._add_numbers(name, numbers(batch[name], name, rows), objects, rows)
        for name in (n for n in TEXTS if n in batch):
            self._add_texts(name, texts(batch[name], name, rows), objects, rows)
        return objects

    def label(self, number: int) -> str:
        """Class of an object; empty if unknown."""
        return str(self._found["label"].get(number, ""))

    def survey(self, number: int) -> str:
        """Survey of an object; empty if unknown."""
        return str(self._found["survey"].get(number, ""))

    def about(self, number: int) -> dict[str, float]:
        """Position of an object, and redshift and distance modulus of its host."""
        known = {name: self._found[name][number] for name in ("ra", "dec") if number in self._found[name]}
        if len(known) == 1:
            raise DatasetError(f"object '{self.names[number]}' has only one of ra and dec; give both or neither")
        if (z := self._found["redshift"].get(number, 0.0)) > 0:
            known |= {"host_redshift": z, "host_distance_modulus": float(distance_modulus(z))}
        return known

    def _code(self, name: str) -> int:
        if name not in self._number:
            self._number[name] = len(self.names)
            self.names.append(name)
        return self._number[name]

    def _add_numbers(self, name: str, values: NDArray[np.float64], objects: NDArray[np.int64], rows: RowRange) -> None:
        low, high = _RANGES[name]
        rows.refuse(
            ~np.isnan(values) & ~((values >= low) & (values <= high)), name, values,
            f"is outside {low:g} to {high:g}; leave it empty if it is unknown",
        )  # fmt: skip
        known = np.flatnonzero(~np.isnan(values))
        self._keep(name, values[known], objects[known], known, rows)

    def _add_texts(self, name: str, values: pa.Array, objects: NDArray[np.int64], rows: RowRange) -> None:
        encoded = values.dictionary_encode()
        words = encoded.dictionary.to_pylist()
        wrong = [_wrong(name, word) for word in words]
        index = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        for i, why in enumerate(wrong):
            rows.refuse((index == i) & (why != ""), name, values, why)
        known = np.flatnonzero(index >= 0)
        self._keep(name, np.array(words, object)[index[known]], objects[known], known, rows)

    def _keep(
        self, name: str, values: NDArray[Any], objects: NDArray[np.int64], at: NDArray[np.int64], rows: RowRange
    ) -> None:
        """Keep the first value of each object; later ones must equal it."""
        found = self._found[name]
        for row, number in zip(*_changes(values, objects), strict=True):
            value = values[row] if isinstance(values[row], str) else float(values[row])
            first = found.setdefault(number, value)
            if not _agree(name, first, value, self._found["dec"].get(number, 0.0)):
                raise DatasetError(
                    f"{rows.path}: row {rows.first + at[row]}, column '{name}': object '{self.names[number]}' has "
                    f"{value!r} here and {first!r} before; give an object one {name}"
                )


def _changes(values: NDArray[Any], objects: NDArray[np.int64]) -> tuple[list[int], list[int]]:
    """Rows at which an object's value differs from that of the row before of the same object, and their objects."""
    order = np.argsort(objects, kind="stable")
    by_object, sorted_values = objects[order], values[order]
    is_new = np.ones(len(order), bool)
    is_new[1:] = (by_object[1:] != by_object[:-1]) | (sorted_values[1:] != sorted_values[:-1])
    rows = np.sort(order[is_new])
    return rows.tolist(), objects[rows].tolist()


def _agree(name: str, first: Any, value: Any, dec: float) -> bool:
    if isinstance(first, str) or name == "redshift":
        return bool(first == value)
    if name == "ra":
        return bool(abs((first - value + 180.0) % 360.0 - 180.0) * cos(radians(dec)) < _MAX_SHIFT)
    return bool(abs(first - value) < _MAX_SHIFT)


def _wrong(name: str, word: str) -> str:
    """Why a word is no class or no survey; empty if it is one."""
    if name == "survey":
        return "" if word in SURVEYS else f"is no survey; use {' or '.join(SURVEYS)}, or leave it empty"
    try:
        taxonomy().check(word)
    except SchemaError as error:
        known = taxonomy().of("tns", word)
        return f"is no class: {error}" + (f". Perhaps write {known}" if known else "")
    return ""
