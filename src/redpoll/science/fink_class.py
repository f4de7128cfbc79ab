"""Science module: Fink's single label of an alert, for compatibility and comparison with Fink."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from redpoll import Column, science_module
from redpoll.conditions import is_listed
from redpoll.typing import Bools, Floats, Ints, Texts

HOSTS = frozenset({
    None, "Unknown", "Transient", "Fail", "Fail 504", "SN", "Candidate_SN*", "SN*_Candidate", "galaxy", "Galaxy", "EmG",
    "Seyfert", "Seyfert_1", "Seyfert_2", "BlueCompG", "StarburstG", "LSB_G", "HII_G", "High_z_G", "GinPair", "GinGroup",
    "BClG", "GinCl", "PartofG", "Compact_Gr_G", "IG", "PairG", "GroupG", "ClG", "SuperClG", "Void", "LINER",
    "Possible_ClG", "Possible_SClG", "GravLens_Candidate",
})  # fmt: skip
"""SIMBAD types with which Fink accepts a supernova candidate: none, or a galaxy."""
_NO_TYPE = frozenset({None, "", "Unknown", "Transient"})


@dataclass(frozen=True)
class Flags:
    """Outcomes of Fink's filters for each alert, and the category ``roid``; all of one length."""

    microlensing: Bools
    sn: Bools
    early_sn_ia: Bools
    kilonova: Bools
    tracklet: Bools
    roid: Texts


@science_module(
    version="1",
    outputs={
        "fink_class": Column("string", doc="Fink's single label, by its precedence; 'Unknown' if no rule applies.")
    },
)
def fink_class(
    simbad_type: Texts,
    roid: Texts,
    n_detections: Ints,
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
) -> Texts:
    """Fink's label of each alert, from SIMBAD, the Solar System category, and Redpoll's scores in place of Fink's.

    A single label hides what `classes` lists side by side; no class is read from it. No alert is a "Tracklet": that
    needs all alerts of the night. Rubin sends no `deep_real_bogus`, so that its alerts are no candidates for supernovae
    or kilonovae here; Fink gives Rubin's alerts no label.

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
    simbad_type: Texts, roid: Texts, n_detections: Ints, age: Floats, deep_real_bogus: Floats, *,
    is_microlensing: Bools, p_sn: Floats, p_sn_ia: Floats, p_early_sn_ia: Floats, p_kilonova: Floats,
    min_score: float = 0.5, min_deep: float = 0.5,
) -> Flags:  # fmt: skip
    """Fink's filters of supernovae, early type Ia, kilonovae and microlensing, with its thresholds.

    An unknown score, age or real-bogus score passes no filter. Fink also requires ``classtar`` above 0.4, which is no
    column of the alert table. Microlensing candidates are those of Redpoll's own module.
    """
    is_good = (deep_real_bogus > min_deep) & is_listed(simbad_type, HOSTS)
    is_sn = ((p_sn > min_score) | (p_sn_ia > min_score)) & is_good
    is_unknown = np.asarray(roid != "known", bool)
    return Flags(
        microlensing=is_microlensing,
        sn=is_sn & (age <= 90.0) & is_unknown & (n_detections > 1),
        early_sn_ia=is_sn & (n_detections <= 20) & (p_early_sn_ia > min_score),
        kilonova=is_good & (p_kilonova > min_score) & (age < 5.0) & (n_detections < 20) & is_unknown,
        tracklet=np.zeros(len(roid), bool),
        roid=roid,
    )


def fink_label(simbad_type: Texts, flags: Flags) -> Texts:
    """One label of each alert: SIMBAD's type if it has one, else the last in Fink's order whose condition is true.

    "Ambiguous" if more than one of microlensing, supernova, and the two Solar System categories applies. SIMBAD's type
    is used unless it is unknown or begins with "Galaxy".

    References
    ----------
    Moeller et al. 2021, MNRAS 501, 3272; fink-filters 7.40, ``ztf/classification.py``.

    Examples
    --------
    >>> off = np.zeros(3, bool)
    >>> flags = Flags(off, ~off, off, off, off, np.array(["not_sso", "known", "not_sso"], object))
    >>> fink_label(np.array([None, None, "QSO"], object), flags).tolist()
    ['SN candidate', 'Ambiguous', 'QSO']
    """
    f, is_candidate, is_known = flags, flags.roid == "candidate", flags.roid == "known"
    n_rivals = np.sum((f.microlensing, f.sn, is_candidate, is_known), axis=0, dtype=np.int64)
    order = [
        ("Microlensing candidate", f.microlensing), ("SN candidate", f.sn), ("Early SN Ia candidate", f.early_sn_ia),
        ("Kilonova candidate", f.kilonova), ("Solar System candidate", is_candidate), ("Tracklet", f.tracklet),
        ("Solar System MPC", is_known), ("Ambiguous", n_rivals > 1),
    ]  # fmt: skip
    label = np.full(len(f.roid), "Unknown", object)
    for name, applies in order:
        label[applies] = name
    has_type = np.fromiter((_is_type(word) for word in simbad_type), bool, len(simbad_type))
    return np.where(has_type, simbad_type, label)


def _is_type(word: str | None) -> bool:
    return word not in _NO_TYPE and not str(word).startswith(("Fail", "Galaxy"))
