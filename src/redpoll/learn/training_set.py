"""Frozen training sets: rows with a hash that names them, split by object or by time, kept in one Parquet file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from redpoll.errors import UsageError
from redpoll.learn.cadence import CADENCE
from redpoll.learn.errors import DatasetError
from redpoll.learn.features import FeatureTable
from redpoll.learn.held_out import uniform_of
from redpoll.learn.source_leakage import leakage

Texts = NDArray[np.str_]
_META = b"redpoll.training_set"
_TEXTS = ("labels", "object_ids", "sources")
_FORMAT = 1


@dataclass(frozen=True)
class TrainingSet:
    """Labelled rows of one model, all with every feature known.

    Parameters
    ----------
    features
        float32 of shape (n, k); NaN where missing.
    names
        The k features, in the order of the module.
    labels, object_ids, sources
        Class in the taxonomy, object and data set of each row.
    mjd
        Time of each row's alert [MJD TAI].
    cadence
        Cadence and counts of each row's light curve, (n, len(CADENCE)).
    about
        What the rows are: "model" and "maker", the module with its version, and free values that JSON can hold.

    Raises
    ------
    DatasetError
        If the shapes differ, a feature is infinite, or a row has no label or no object.
    """

    features: NDArray[np.float32]
    names: tuple[str, ...]
    labels: Texts
    object_ids: Texts
    sources: Texts
    mjd: NDArray[np.float64]
    cadence: NDArray[np.float64]
    about: Mapping[str, Any]

    def __post_init__(self) -> None:
        n = len(self.features)
        shapes = [getattr(self, name).shape for name in (*_TEXTS, "mjd")]
        if self.features.shape != (n, len(self.names)) or self.cadence.shape != (n, len(CADENCE)):
            raise DatasetError(f"training set: features of shape {self.features.shape} for {len(self.names)} names")
        if any(shape != (n,) for shape in shapes):
            raise DatasetError(f"training set: {n} rows of features, but columns of shapes {shapes}")
        if self.features.dtype != np.float32 or np.isinf(self.features).any():
            raise DatasetError("training set: features must be finite float32, or NaN where missing")
        if not n or (self.labels == "").any() or (self.object_ids == "").any():
            raise DatasetError("training set: needs rows, each with a label and an object")
        try:
            json.dumps(dict(self.about))
        except (TypeError, ValueError) as error:
            raise DatasetError(f"training set: 'about' must hold what JSON can hold: {error}") from error

    def __len__(self) -> int:
        return len(self.features)

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the rows and what they mean; the same for the same rows in any order.

        It covers features, labels, objects and times of all rows, the names of the features, and model and module
        version.
        """
        head = [_FORMAT, self.about.get("model"), self.about.get("maker"), list(self.names)]
        digest = sha256(json.dumps(head).encode())
        for row in sorted(self._row_bytes()):
            digest.update(row)
        return digest.hexdigest()

    @property
    def sorted(self) -> TrainingSet:
        """The same rows in an order that does not depend on theirs, so that equal hashes train equal models."""
        rows = self._row_bytes()
        return self.take(np.array(sorted(range(len(rows)), key=rows.__getitem__)))

    def _row_bytes(self) -> list[bytes]:
        numbers = np.ascontiguousarray(self.features + np.float32(0.0), "<f4")  # -0.0 and 0.0 are one number,
        numbers[np.isnan(numbers)] = np.nan  # and so is every NaN
        times = np.ascontiguousarray(self.mjd, "<f8")
        texts = zip(self.object_ids.tolist(), self.labels.tolist(), strict=True)
        return [
            json.dumps(text).encode() + time.tobytes() + row.tobytes()
            for text, time, row in zip(texts, times, numbers, strict=True)
        ]

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> TrainingSet:
        """Some of the rows, by number or by mask."""
        texts = (self.labels[rows], self.object_ids[rows], self.sources[rows])
        return TrainingSet(self.features[rows], self.names, *texts, self.mjd[rows], self.cadence[rows], self.about)

    def split_by_object(self, fraction: float, seed: int = 0) -> tuple[TrainingSet, TrainingSet]:
        """Two sets without a common object, the second with about this fraction of the objects.

        The side of an object depends on its identifier and the seed alone: it stays when other objects come or go.

        Raises
        ------
        UsageError
            If the fraction is not between 0 and 1.
        DatasetError
            If one side has no object.
        """
        if not 0 < fraction < 1:
            raise UsageError(f"fraction {fraction} of a split: use a number between 0 and 1")
        names, index = np.unique(self.object_ids, return_inverse=True)
        is_second = np.array([uniform_of(name, seed) < fraction for name in names.tolist()])[index]
        return self._sides(is_second)

    def split_by_time(self, mjd: float) -> tuple[TrainingSet, TrainingSet]:
        """The objects whose first row is before a time [MJD], and the others; DatasetError if a side is empty."""
        _, index = np.unique(self.object_ids, return_inverse=True)
        first = np.full(index.max() + 1, np.inf)
        np.minimum.at(first, index, self.mjd)
        return self._sides((first >= mjd)[index])

    def _sides(self, is_second: NDArray[np.bool_]) -> tuple[TrainingSet, TrainingSet]:
        if is_second.all() or not is_second.any():
            raise DatasetError(f"split: all {len(set(self.object_ids.tolist()))} objects are on one side")
        return self.take(~is_second), self.take(is_second)

    def source_leakage(self, sources: Texts | None = None) -> dict[str, float]:
        """How well cadence and counts alone tell each source of photometry from the others, as an AUC.

        0.5 is chance; near 1, a model can learn the source in place of the class. See
        `redpoll.learn.source_leakage.leakage`.

        Parameters
        ----------
        sources
            The source of each row; by default that of the data set. With the labels in their place, the answer is how
            well cadence alone tells the classes.
        """
        return leakage(self.cadence, self.sources if sources is None else sources, self.object_ids)

    def save(self, path: Path | str) -> None:
        """Write the set to a Parquet file; its columns have the names of the features, and the metadata the rest."""
        named = [f"feature.{name}" for name in self.names] + [f"cadence.{name}" for name in CADENCE]
        columns: dict[str, Any] = dict(zip(named, [*self.features.T, *self.cadence.T], strict=True))
        columns |= {name: getattr(self, name) for name in (*_TEXTS, "mjd")}
        facts = {"format": _FORMAT, "names": list(self.names), "hash": self.hash, "about": dict(self.about)}
        table = pa.table(columns).replace_schema_metadata({_META: json.dumps(facts)})
        pq.write_table(table, path, compression="zstd")


def freeze(table: FeatureTable, **about: Any) -> TrainingSet:
    """The training set of the rows with a label that the module scores, sorted; others are counted in ``about``.

    Raises
    ------
    DatasetError
        If no row is left.
    """
    is_used = table.is_scored & (table.labels != "")
    if not is_used.any():
        raise DatasetError(f"training set of {table.model}: none of {len(table)} rows is scored and has a label")
    some = table.take(is_used)
    facts = {
        "model": table.model, "maker": table.maker, "n_not_scored": int((~table.is_scored).sum()),
        "n_without_label": int((table.is_scored & (table.labels == "")).sum()), **about,
    }  # fmt: skip
    return TrainingSet(
        some.features, some.names, some.labels, some.object_ids, some.sources, some.mjd, some.cadence, facts
    ).sorted


def load_training_set(path: Path | str) -> TrainingSet:
    """A training set from its file.

    Raises
    ------
    DatasetError
        If the file cannot be read, is no training set, or its rows are not those that were saved.
    """
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise DatasetError(f"{path}: cannot be read as a training set: {error}") from error
    try:
        facts = json.loads((table.schema.metadata or {})[_META])
        found = _of_table(table, tuple(facts["names"]), facts["about"])
        expected = facts["hash"]
    except (KeyError, ValueError, TypeError) as error:
        raise DatasetError(f"{path}: is no training set of this version: {error!r}") from error
    if found.hash != expected:
        raise DatasetError(f"{path}: its rows are not those that were saved; make the training set again")
    return found


def _of_table(table: pa.Table, names: tuple[str, ...], about: Mapping[str, Any]) -> TrainingSet:
    features = np.column_stack([table[f"feature.{name}"].to_numpy() for name in names])
    cadence = np.column_stack([table[f"cadence.{name}"].to_numpy() for name in CADENCE])
    labels, objects, sources = (np.array(table[name].to_pylist()) for name in _TEXTS)
    return TrainingSet(features, names, labels, objects, sources, table["mjd"].to_numpy(), cadence, about)
