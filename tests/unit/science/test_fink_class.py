from __future__ import annotations

from itertools import product

import numpy as np
import pyarrow as pa
import pytest

from redpoll.conditions import FINK_ROID
from redpoll.schema.taxonomy import taxonomy
from redpoll.science.fink_class import HOSTS, Flags, fink_class, fink_label, flags_of
from redpoll.testing.batches import sample_batch
from redpoll.testing.conformance import conformance

NAMES = ("microlensing", "sn", "early_sn_ia", "kilonova", "tracklet")


def label(simbad: str | None = None, roid: str = "not_sso", **true_flags: bool) -> str:
    flags = {name: np.array([true_flags.get(name, False)]) for name in NAMES}
    return str(fink_label(np.array([simbad], object), Flags(**flags, roid=np.array([roid], object)))[0])


def flag(
    simbad: str | None = None, roid: str = "not_sso", n: int = 5, age: float = 3.0, drb: float = 0.9, **scores: float
) -> list[str]:
    names = ("p_sn", "p_sn_ia", "p_early_sn_ia", "p_kilonova")
    given = {name: np.array([scores.get(name, np.nan)]) for name in names}
    given["is_microlensing"] = np.array([scores.get("is_microlensing", False)])
    flags = flags_of(
        np.array([simbad], object), np.array([roid], object), np.array([n]), np.array([age]), np.array([drb]), **given
    )
    return [name for name in NAMES if getattr(flags, name)[0]]


@pytest.mark.parametrize(
    ("true_flags", "expected"),
    [
        ({}, "Unknown"),
        ({"roid": "first_detection"}, "Unknown"),
        ({"microlensing": True}, "Microlensing candidate"),
        ({"sn": True}, "SN candidate"),
        ({"sn": True, "early_sn_ia": True}, "Early SN Ia candidate"),
        ({"sn": True, "kilonova": True}, "Kilonova candidate"),
        ({"early_sn_ia": True, "kilonova": True}, "Kilonova candidate"),
        ({"kilonova": True, "roid": "candidate"}, "Solar System candidate"),
        ({"roid": "candidate", "tracklet": True}, "Tracklet"),
        ({"kilonova": True, "early_sn_ia": True, "tracklet": True}, "Tracklet"),
        ({"tracklet": True, "roid": "known"}, "Solar System MPC"),
        ({"kilonova": True, "roid": "known"}, "Solar System MPC"),
    ],
)
def test_of_several_labels_the_last_in_finks_order_wins(true_flags: dict, expected: str) -> None:
    assert label(**true_flags) == expected


@pytest.mark.parametrize(
    "true_flags",
    [
        {"microlensing": True, "sn": True},
        {"microlensing": True, "roid": "candidate"},
        {"sn": True, "roid": "known"},
        {"sn": True, "early_sn_ia": True, "roid": "candidate"},
        {"sn": True, "roid": "candidate", "tracklet": True, "kilonova": True},
    ],
)
def test_two_rivals_are_ambiguous(true_flags: dict) -> None:
    assert label(**true_flags) == "Ambiguous"


@pytest.mark.parametrize("simbad", ["QSO", "EB*", "Candidate_CV*", "SN", "Seyfert_1"])
def test_simbads_word_hides_everything(simbad: str) -> None:
    assert label(simbad) == label(simbad, sn=True) == label(simbad, sn=True, roid="known") == simbad


@pytest.mark.parametrize("simbad", [None, "", "Unknown", "Transient", "Fail", "Fail 504", "Galaxy", "Galaxy_Candidate"])
def test_where_simbad_says_nothing_or_galaxy_finks_own_label_stands(simbad: str | None) -> None:
    assert label(simbad, sn=True) == "SN candidate"


def test_every_combination_gives_what_the_rules_say_one_by_one() -> None:
    for *true_flags, roid in product(*[[False, True]] * 5, FINK_ROID):
        flags = dict(zip(NAMES, true_flags, strict=True))
        expected = "Unknown"
        for name, holds in [
            ("Microlensing candidate", flags["microlensing"]), ("SN candidate", flags["sn"]),
            ("Early SN Ia candidate", flags["early_sn_ia"]), ("Kilonova candidate", flags["kilonova"]),
            ("Solar System candidate", roid == "candidate"), ("Tracklet", flags["tracklet"]),
            ("Solar System MPC", roid == "known"),
            ("Ambiguous", flags["microlensing"] + flags["sn"] + (roid in ("candidate", "known")) > 1),
        ]:  # fmt: skip
            expected = name if holds else expected
        assert label(roid=roid, **flags) == expected


def test_finks_thresholds_decide_who_is_a_candidate() -> None:
    assert flag(p_sn=0.51) == flag(p_sn_ia=0.51) == ["sn"]
    assert flag(p_sn=0.5) == flag(p_sn=0.9, drb=0.5) == flag(p_sn=0.9, simbad="QSO") == flag(p_sn=0.9, n=1) == []
    assert flag(p_sn=0.9, roid="known") == flag(p_sn=0.9, age=90.5) == flag() == []
    assert (
        flag(p_sn=0.9, p_early_sn_ia=0.6, n=20)
        == flag(p_sn=0.9, p_early_sn_ia=0.6, n=20, simbad="Seyfert")
        == ["sn", "early_sn_ia"]
    )
    assert flag(p_sn=0.9, p_early_sn_ia=0.6, n=21) == ["sn"]
    assert flag(p_early_sn_ia=0.9) == []
    assert flag(p_kilonova=0.6) == ["kilonova"]
    assert flag(p_kilonova=0.6, age=5.0) == flag(p_kilonova=0.6, n=20) == flag(p_kilonova=0.6, roid="known") == []
    assert flag(is_microlensing=True) == ["microlensing"]


def test_an_unknown_value_makes_no_candidate() -> None:
    assert flag(p_sn=0.9, drb=np.nan) == flag(p_sn=0.9, age=np.nan) == []


def test_the_hosts_are_finks_thirty_four_and_no_match() -> None:
    assert len(HOSTS) == 35
    assert None in HOSTS and "QSO" not in HOSTS


def test_the_module_labels_a_batch() -> None:
    simbad = np.array([None, "RRLyr", None, None], object)
    n, scores = np.array([3, 3, 3, 3]), np.array([np.nan, 0.9, np.nan, 0.9])
    good, no, roid = np.full(4, 0.9), np.full(4, np.nan), np.array([*["not_sso"] * 2, "known", "not_sso"], object)
    labels = fink_class(simbad, roid, n, np.full(4, 2.0), good, no, no, no, scores, simbad == "none")
    assert labels.tolist() == ["Unknown", "RRLyr", "Solar System MPC", "Kilonova candidate"]
    labels = fink_class(simbad, roid, n, np.full(4, 2.0), good, good, no, scores, no, n == 0)
    assert labels.tolist() == ["SN candidate", "RRLyr", "Solar System MPC", "Early SN Ia candidate"]
    assert all(taxonomy().of("fink", name) for name in ("Kilonova candidate", "Solar System MPC"))
    assert fink_class.outputs["fink_class"].assigns is None


@pytest.mark.parametrize("survey", ["ztf", "rubin"])
def test_the_module_keeps_the_contract(survey: str) -> None:
    rng, batch = np.random.default_rng(1), sample_batch(40, seed=2, survey=survey)
    words = pa.array(rng.choice(["QSO", "Galaxy", None], 40), pa.string())
    made = {"simbad_type": words, "roid": pa.array(rng.choice(list(FINK_ROID), 40)), "age": pa.array(rng.random(40))}
    made |= {f"p_{name}": pa.array(rng.random(40)) for name in ("sn", "sn_ia", "early_sn_ia", "kilonova")}
    made["is_microlensing_candidate"] = pa.array(rng.random(40) < 0.2)
    for name, values in made.items():
        batch = batch.append_column(name, values)
    conformance(fink_class, batch)


FINKS_HOSTS = (
    "Unknown Transient Fail SN Candidate_SN* SN*_Candidate galaxy Galaxy EmG Seyfert Seyfert_1 Seyfert_2 "
    "BlueCompG StarburstG LSB_G HII_G High_z_G GinPair GinGroup BClG GinCl PartofG Compact_Gr_G IG PairG GroupG ClG "
    "SuperClG Void LINER Possible_ClG Possible_SClG GravLens_Candidate"
)


@pytest.mark.parametrize("simbad", [None, "Fail 504", *FINKS_HOSTS.split()])
def test_a_supernova_may_lie_on_each_of_finks_hosts(simbad: str | None) -> None:
    assert flag(simbad, p_sn=0.9) == ["sn"]


@pytest.mark.parametrize(
    ("score", "inside", "outside", "name"),
    [
        ("p_sn", {"p_sn": 0.501}, {"p_sn": 0.5}, "sn"), ("p_sn_ia", {"p_sn_ia": 0.501}, {"p_sn_ia": 0.5}, "sn"),
        ("p_sn", {"age": 90.0}, {"age": 90.01}, "sn"), ("p_sn", {"n": 2}, {"n": 1}, "sn"),
        ("p_sn", {"drb": 0.501}, {"drb": 0.5}, "sn"),
        ("p_sn", {"p_early_sn_ia": 0.501}, {"p_early_sn_ia": 0.5}, "early_sn_ia"),
        ("p_kilonova", {"p_kilonova": 0.501}, {"p_kilonova": 0.5}, "kilonova"),
        ("p_kilonova", {"age": 4.99}, {"age": 5.0}, "kilonova"), ("p_kilonova", {"n": 19}, {"n": 20}, "kilonova"),
    ],
)  # fmt: skip
def test_both_sides_of_finks_thresholds(score: str, inside: dict, outside: dict, name: str) -> None:
    assert name in flag(**{score: 0.9, **inside}) and name not in flag(**{score: 0.9, **outside})


@pytest.mark.parametrize(("score", "deep", "expected"), [
    (0.501, 0.501, "SN candidate"), (0.5, 0.9, "Unknown"), (0.9, 0.5, "Unknown"),
])  # fmt: skip
def test_the_module_has_finks_thresholds(score: float, deep: float, expected: str) -> None:
    no, n, none = np.array([np.nan]), np.array([3]), np.array([None], object)
    given = np.array(["not_sso"], object), n, np.array([2.0]), np.array([deep]), np.array([score]), no, no, no, n == 0
    assert fink_class(none, *given).tolist() == [expected]
