"""Reader of a classified sample: redshift, distance and class of each object, and maybe a probability."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from redpoll.learn.checked_table import CheckedTable, NumberColumn, read_checked_table
from redpoll.learn.cosmology.hubble_diagram import HubbleDiagram
from redpoll.learn.cosmology.samples import IA
from redpoll.learn.errors import DatasetError
from redpoll.learn.label_classes import label_class
from redpoll.schema.taxonomy import taxonomy

_MAX_REDSHIFT = 3.0
_MIN_IA = 50
_ERROR = NumberColumn(1e-4, 5.0, what="error in magnitudes")
_NUMBERS = {
    "redshift": NumberColumn(1e-4, _MAX_REDSHIFT, what="redshift"),
    "mu": NumberColumn(-100.0, 100.0, what="distance modulus"), "mag": NumberColumn(-10.0, 40.0, what="magnitude"),
    "mu_err": _ERROR, "mag_err": _ERROR, "probability": NumberColumn(0.0, 1.0, may_lack=True, what="probability"),
}  # fmt: skip


@dataclass(frozen=True)
class ClassifiedSample:
    """Objects taken for SNe Ia, by their true class, "sn_ia" among them; and how many were not taken for one."""

    by_class: dict[str, HubbleDiagram]
    n_left_out: int


def read_sample(path: Path, min_probability: float = 0.5) -> ClassifiedSample:
    """The sample in a table with the columns ``redshift``, ``class``, ``mu``, ``mu_err``, or ``mag``, ``mag_err``.

    Distances may share one offset, so standardised magnitudes at maximum do as well as moduli.

    Parameters
    ----------
    path
        A CSV, Parquet, FITS or VOTable file. Where it has the column ``probability``, the classifier's that
        an object is a SN Ia, objects below `min_probability` or without one are left out.
    min_probability
        The classifier's threshold.

    Raises
    ------
    DatasetError
        If the file or a value cannot be used, a class does not say whether an object is a SN Ia, or fewer than 50 are.
    """
    table = read_checked_table(path, _NUMBERS, ("class",), required=("redshift", "class"))
    names = [pair for pair in (("mu", "mu_err"), ("mag", "mag_err")) if pair[0] in table.numbers]
    if len(names) != 1:
        raise DatasetError(f"{path}: give either the column mu with mu_err, or mag with mag_err")
    if names[0][1] not in table.numbers:
        raise DatasetError(f"{path}: has no column '{names[0][1]}', the error of '{names[0][0]}'")
    kinds = _kinds(table, path)
    whole = HubbleDiagram(table.numbers["redshift"], *(table.numbers[name] for name in names[0]))
    is_taken = table.numbers.get("probability", np.ones(len(whole))) >= min_probability
    by_class = {str(kind): whole.take((kinds == kind) & is_taken) for kind in np.unique(kinds[is_taken])}
    n_ia = len(by_class.get(IA, ()))
    if n_ia < _MIN_IA:
        raise DatasetError(f"{path}: only {n_ia} SNe Ia are in the sample; {_MIN_IA} are needed")
    return ClassifiedSample(by_class, int((~is_taken).sum()))


def _kinds(table: CheckedTable, path: Path) -> NDArray[np.str_]:
    """The class of each row; every subclass of SN Ia is "sn_ia"."""
    words = table.texts["class"]
    meant = {word: _kind(word) for word in set(words)}
    table.refuse(np.array([not meant[word] for word in words]), "class",
                 "does not say whether it is a SN Ia; use a class of the taxonomy, such as sn_ii", path)  # fmt: skip
    return np.array([meant[word] for word in words])


def _kind(word: str) -> str:
    tree, found = taxonomy(), label_class(word, "expert", "")
    if found is None or (tree.is_a(IA, found) and found != IA):
        return ""
    return IA if tree.is_a(found, IA) else found
