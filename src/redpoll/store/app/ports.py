"""The ports of the application database: labels, models, saved filters, watchlists, anomaly models.

Tables are Arrow; the metadata of each field gives its unit and its meaning (`redpoll.store.app.columns`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import pyarrow as pa

LabelSource = Literal["expert", "TNS", "catalogue", "bot"]
Validator = Callable[[bytes], object]
"""Raises if the bytes of a model cannot be used."""


@dataclass(frozen=True)
class Label:
    """What one object, or one alert of it, was found to be; ``by`` is who or what found it, ``confidence`` 0 to 1."""

    survey: str
    object_id: str
    label: str
    source: LabelSource
    by: str
    alert_id: int | None = None
    confidence: float | None = None
    note: str = ""


@dataclass(frozen=True)
class LabelQuery:
    """Which labels to read; None does not restrict. ``after`` is the last label_id that was seen.

    ``current`` leaves out labels that were taken back, and the rows that take them back.
    """

    survey: str | None = None
    object_id: str | None = None
    label: str | None = None
    source: LabelSource | None = None
    after: int = 0
    current: bool = True


@dataclass(frozen=True)
class NewModel:
    """A trained model to register: its file, and a card that describes it (values that JSON can hold)."""

    name: str
    version: str
    data: bytes
    card: Mapping[str, Any]
    by: str


@dataclass(frozen=True)
class BaseRows:
    """The rows that the trees of an anomaly model are grown from: packed, and named by a hash of names and rows."""

    sha256: str
    features: tuple[str, ...]
    n_rows: int
    data: bytes


@dataclass(frozen=True)
class AnomalyModel:
    """What defines a personal anomaly model besides its labels; ``base`` is the hash of its rows."""

    name: str
    owner: str
    kind: str
    seed: int
    base: str
    created: str


@dataclass(frozen=True)
class AnomalyLabel:
    """An alert that the owner of a model found to be an "anomaly" or "regular", with its features as float32 bytes."""

    survey: str
    object_id: str
    alert_id: int
    label: str
    features: bytes
    note: str = ""


class Labels(Protocol):
    """Labels of objects and alerts; rows are added and never changed."""

    def add(self, labels: Sequence[Label]) -> list[int]:
        """Add labels, all or none; returns their numbers."""
        ...

    def retract(self, label_id: int, *, by: str, note: str = "") -> int:
        """Take a label back by a new row that names it; returns the number of the new row."""
        ...

    def scan(self, query: LabelQuery = ..., *, batch_rows: int = 10_000) -> Iterator[pa.RecordBatch]:
        """Stream labels in the order they were added, within the memory of one batch."""
        ...

    def table(self, query: LabelQuery = ..., *, limit: int | None = None) -> pa.Table:
        """Labels in the order they were added, as one table."""
        ...


class ServedModels(Protocol):
    """What a running pipeline asks for between two blocks."""

    def generation(self) -> int:
        """A number that grows with every promotion, rollback and retirement; 0 before the first.

        It is read in microseconds.
        """
        ...

    def champions(self, generation: int | None = None) -> pa.Table:
        """The version of each model in use now or in a generation; columns as of `ModelRegistry.versions`."""
        ...

    def chosen(self, generation: int | None = None) -> frozenset[str]:
        """Names of the models that somebody has promoted or retired until now, or until a generation."""
        ...

    def read(self, sha256: str) -> bytes:
        """The file of a model; NotFound if there is none, StoreError if its bytes changed."""
        ...


class ModelRegistry(Protocol):
    """Versions of trained models, and which of them is in use."""

    def register(self, model: NewModel, validate: Validator) -> str:
        """Add a version as candidate and return the SHA-256 of its file; nothing is kept if `validate` raises."""
        ...

    def promote(self, name: str, version: str, *, by: str) -> int:
        """Make a version the champion, and retire the one before; returns the new generation."""
        ...

    def rollback(self, name: str, *, by: str) -> int:
        """Make the champion of before the last promotion the champion again; returns the new generation."""
        ...

    def retire(self, name: str, *, by: str) -> int:
        """Leave a model without a champion; returns the new generation."""
        ...

    def versions(self, name: str | None = None) -> pa.Table:
        """Every version with its stage and card, newest last."""
        ...

    def read(self, sha256: str) -> bytes:
        """The file of a version; NotFound if there is none, StoreError if its bytes changed."""
        ...

    def promotions(self, name: str | None = None) -> pa.Table:
        """Every promotion, rollback and retirement, newest last."""
        ...


class SavedFilters(Protocol):
    """Filters written as expressions, by topic; every version is kept."""

    def save(self, topic: str, expression: str, *, by: str) -> int:
        """Add a version and make its topic active; returns the version. The first to save a topic owns it."""
        ...

    def set_active(self, topic: str, active: bool) -> None:
        """Switch a topic on or off; NotFound if there is none."""
        ...

    def table(self, *, active: bool | None = None) -> pa.Table:
        """The newest version of each topic, by topic; of active or inactive ones alone if given."""
        ...

    def versions(self, topic: str) -> pa.Table:
        """Every version of a topic, newest last; NotFound if there is none."""
        ...


class Watchlists(Protocol):
    """Named lists of positions, each with a radius."""

    def save(self, name: str, positions: pa.Table, *, by: str) -> None:
        """Store a list in place of one of the same name; `positions` has ra, dec, radius_arcsec and label."""
        ...

    def read(self, name: str) -> pa.Table:
        """The positions of a list in their order; NotFound if there is none."""
        ...

    def table(self) -> pa.Table:
        """Name, owner, time of the last change and number of positions of each list, by name."""
        ...

    def remove(self, name: str) -> None:
        """Remove a list; NotFound if there is none."""
        ...


class AnomalyModels(Protocol):
    """Personal anomaly models; each is open to its owner alone."""

    def create(self, name: str, base: BaseRows, *, owner: str, kind: str, seed: int) -> None:
        """Add a model; StoreError if the name is taken, by whomever."""
        ...

    def models(self, owner: str) -> list[AnomalyModel]:
        """The models of a user, by name."""
        ...

    def model(self, name: str, *, owner: str) -> AnomalyModel:
        """A model of a user; NotFound if this user has none of this name, whoever else has."""
        ...

    def base(self, model: AnomalyModel) -> BaseRows:
        """The rows that a model's trees are grown from."""
        ...


class AnomalyLabels(Protocol):
    """Labels of personal anomaly models; rows are added and never changed."""

    def add(self, name: str, labels: Sequence[AnomalyLabel], *, owner: str) -> list[int]:
        """Add labels of the owner, all or none; returns their numbers."""
        ...

    def undo(self, name: str, *, owner: str) -> int:
        """Undo the newest label that still counts, by a new row; returns the number of the label."""
        ...

    def labels(self, name: str, *, owner: str, current: bool = True) -> pa.Table:
        """The labels of a model in the order of adding; without `current` also those undone, and the rows that undo."""
        ...
