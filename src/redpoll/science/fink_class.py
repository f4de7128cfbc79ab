"""Science module: the single label that Fink would give, for whoever compares or comes from there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll import Column, science_module

Floats = NDArray[np.floating[Any]]
Bools = NDArray[np.bool_]
HOSTS = frozenset({
    None, "Unknown", "Transient", "Fail", "Fail 504", "SN", "Candidate_SN*", "SN*_Candidate", "galaxy", "Galaxy", "EmG",
    "Seyfert", "Seyfert_1", "Seyfert_2", "BlueCompG", "StarburstG", "LSB_G", "HII_G", "High_z_G", "GinPair", "GinGroup",
    "BClG", "GinCl", "PartofG", "Compact_Gr_G", "IG", "PairG", "GroupG", "ClG", "SuperClG", "Void", "LINER",
    "Possible_ClG", "Possible_SClG", "GravLens_Candidate",
})  # fmt: skip
"""What SIMBAD may say where Fink still looks for supernovae: nothing, or a galaxy."""
_SILENT = frozenset({None, "", "Unknown", "Transient"})


@dataclass(frozen=True)
class Flags:
    """What Fink's filters say of each alert; ``roid`` is its solar-system flag, 0 to 3. All of one length."""

    microlensing: Bools
    sn: Bools
    early_sn_ia: Bools
    kilonova: Bools
    tracklet: Bools
    roid: NDArray[np.integer[Any]]


@science_module(
    version="1",
    outputs={
        "fink_class": Column("string", doc="Fink's single label, by its precedence; 'Unknown' if nothing speaks.")
    },
)
def fink_class(
    simbad_type: NDArray[Any],
    roid: NDArray[np.integer[Any]],
    n_detections: NDArray[Any],
    age: Floats,
    deep_real_bogus: Floats,
    p_sn: Floats,
    p_sn_ia: Floats,
    p_early_sn_ia: Floats,
    p_kilonova: Floats,
    is_microlensing_candidate: Bools,
    *,
    min_score: float = 0.5,
    min_deep_real_bogus: float = 0.5,
) -> NDArray[np.object_]:
    """Fink's label of each alert, from SIMBAD, the solar-system flag, and Redpoll's scores in the place of Fink's.

    A label hides what `classes` shows side by side; it is here for compatibility, and no class is read from it. Nothing
    is a "Tracklet", which needs the whole night. Rubin sends no `deep_real_bogus`, so that its alerts are no candidates
    for supernovae or kilonovae here; Fink gives them no label at all.

    References
    ----------
    Moeller et al. 2021, MNRAS 501, 3272; the rules are those of fink-filters 7.40.
    """
    flags = flags_of(
        simbad_type, roid, n_detections, age, deep_real_bogus, is_microlensing=is_microlensing_candidate, p_sn=p_sn,
        p_sn_ia=p_sn_ia, p_early_sn_ia=p_early_sn_ia, p_kilonova=p_kilonova, min_score=min_score,
        min_deep=min_deep_real_bogus,
    )  # fmt: skip
    return fink_label(simbad_type, flags)


def flags_of(
    simbad_type: NDArray[Any], roid: NDArray[np.integer[Any]], n_detections: NDArray[Any], age: Floats,
    deep_real_bogus: Floats, *, is_microlensing: Bools, p_sn: Floats, p_sn_ia: Floats, p_early_sn_ia: Floats,
    p_kilonova: Floats, min_score: float = 0.5, min_deep: float = 0.5,
) -> Flags:  # fmt: skip
    """Fink's filters of supernovae, early type Ia, kilonovae and microlensing, with its thresholds.

    An unknown score, age or real-bogus passes nothing. Fink also asks for ``classtar`` above 0.4, which is no column
    of the alert table. Microlensing is what Redpoll's own module says.
    """
    is_good = (deep_real_bogus > min_deep) & np.fromiter((t in HOSTS for t in simbad_type), bool, len(simbad_type))
    is_sn = ((p_sn > min_score) | (p_sn_ia > min_score)) & is_good
    is_unbound = roid != 3
    return Flags(
        microlensing=is_microlensing,
        sn=is_sn & (age <= 90.0) & is_unbound & (n_detections > 1),
        early_sn_ia=is_sn & (n_detections <= 20) & (p_early_sn_ia > min_score),
        kilonova=is_good & (p_kilonova > min_score) & (age < 5.0) & (n_detections < 20) & is_unbound,
        tracklet=np.zeros(len(roid), bool),
        roid=roid,
    )


def fink_label(simbad_type: NDArray[Any], flags: Flags) -> NDArray[np.object_]:
    """One label of each alert: of all that hold the last of Fink's order, but SIMBAD's word wherever it has one.

    "Ambiguous" if more than one of microlensing, supernova, and the two solar-system flags holds. SIMBAD's word
    counts unless it says nothing or begins with "Galaxy".

    References
    ----------
    Moeller et al. 2021, MNRAS 501, 3272; fink-filters 7.40, ``ztf/classification.py``.

    Examples
    --------
    >>> off = np.zeros(3, bool)
    >>> flags = Flags(off, np.array([True, True, True]), off, off, off, np.array([0, 3, 0]))
    >>> fink_label(np.array([None, None, "QSO"], object), flags).tolist()
    ['SN candidate', 'Ambiguous', 'QSO']
    """
    f = flags
    order = [
        ("Microlensing candidate", f.microlensing), ("SN candidate", f.sn), ("Early SN Ia candidate", f.early_sn_ia),
        ("Kilonova candidate", f.kilonova), ("Solar System candidate", f.roid == 2), ("Tracklet", f.tracklet),
        ("Solar System MPC", f.roid == 3), ("Ambiguous", _n_rivals(f) > 1),
    ]  # fmt: skip
    label = np.full(len(f.roid), "Unknown", object)
    for name, holds in order:
        label[holds] = name
    speaks = np.fromiter((_speaks(word) for word in simbad_type), bool, len(simbad_type))
    return np.where(speaks, simbad_type, label)


def _n_rivals(flags: Flags) -> NDArray[np.int64]:
    rivals = (flags.microlensing, flags.sn, flags.roid == 2, flags.roid == 3)
    return np.asarray(np.sum(rivals, axis=0, dtype=np.int64))


def _speaks(word: str | None) -> bool:
    return word not in _SILENT and not str(word).startswith(("Fail", "Galaxy"))
