"""The labelled rows that an experiment of active learning runs on: features of objects, with what limits a query."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll.errors import near
from redpoll.learn.errors import DatasetError

Array = NDArray[np.float64]
Texts = NDArray[np.str_]
SPLITS = ("train", "pool", "test")


@dataclass(frozen=True)
class QueryTable:
    """Labelled rows: an object as it was known at one time.

    Parameters
    ----------
    names
        Names of the f features.
    features
        float32 of shape (n, f); NaN where unknown.
    object_id, label
        Object and class of each row; a class is any text.
    split
        "train" for objects that are labelled from the beginning, "pool", "test", or empty: drawn by the experiment.
    mjd
        Time from which on the row is known [MJD].
    mag
        Brightness at that time [mag]; minus infinity where nothing limits a query.
    cost
        Cost of one label, above 0.

    Raises
    ------
    DatasetError
        If there are no rows, a value cannot be used, or the rows of an object differ in label or split.
    """

    names: tuple[str, ...]
    features: NDArray[np.float32]
    object_id: Texts
    label: Texts
    split: Texts
    mjd: Array
    mag: Array
    cost: Array

    def __post_init__(self) -> None:
        if not len(self) or not self.names:
            raise DatasetError("an experiment needs rows with features")
        if np.isinf(self.features).any():
            name = self.names[int(np.isinf(self.features).any(axis=0).argmax())]
            raise DatasetError(f"feature '{name}' has values that are infinite or too large for float32")
        if not (np.isfinite(self.mjd).all() and np.isfinite(self.cost).all() and (self.cost > 0).all()):
            raise DatasetError("mjd and cost must be known, and a cost above 0")
        if np.isnan(self.mag).any():
            raise DatasetError("mag must be known in all rows; leave the column out if nothing limits a query")
        if unknown := sorted(set(self.split.tolist()) - {"", *SPLITS}):
            raise DatasetError(f"split '{unknown[0]}'{near(unknown[0], SPLITS)}")
        if (self.object_id == "").any() or (self.label == "").any():
            raise DatasetError("every row needs an object_id and a label")
        for what in ("label", "split"):
            self._same_for_an_object(what)

    def __len__(self) -> int:
        return len(self.features)

    def _same_for_an_object(self, what: str) -> None:
        values = getattr(self, what)
        _, first, place = np.unique(self.object_id, return_index=True, return_inverse=True)
        if (differs := values != values[first][place]).any():
            raise DatasetError(f"object {self.object_id[differs][0]}: its rows differ in {what}")

    def take(self, rows: NDArray[Any]) -> QueryTable:
        """Some of the rows, by number or by mask."""
        arrays = {each.name: getattr(self, each.name)[rows] for each in fields(self) if each.name != "names"}
        return replace(self, **arrays)

    def last_rows(self) -> QueryTable:
        """The last row of each object: all that is known of it."""
        order = np.lexsort((self.mjd, self.object_id))
        names = self.object_id[order]
        return self.take(order[np.r_[names[1:] != names[:-1], True]])
