"""Training: classes by the taxonomy, the same rows give the same bytes, probabilities that agree with frequencies."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

from redpoll.errors import RedpollError, UsageError
from redpoll.learn.cadence import CADENCE
from redpoll.learn.features import CONTEXT, FeatureTable
from redpoll.learn.held_out import in_test
from redpoll.learn.metrics import METRICS
from redpoll.learn.model_inputs import ModelInputs
from redpoll.learn.model_training import train_model
from redpoll.learn.report_page import report_page
from redpoll.learn.training import TrainingOptions, class_of, targets, train
from redpoll.learn.training_set import freeze
from redpoll.plugin.forest_file import read_forest
from redpoll.plugin.forest_model import ForestModel

OPTIONS = TrainingOptions(max_rounds=30)
NAMES = ModelInputs("early_sn_ia").names


def table(n=800, *, seed=1, shift=1.0, per_object=2):
    """Features of SNe Ia and of AGN, whose first features differ by `shift` standard deviations."""
    rng = np.random.default_rng(seed)
    labels = np.where(np.arange(n) // per_object % 3 == 0, "sn_ia_91t", "agn")
    features = rng.standard_normal((n, len(NAMES))).astype(np.float32)
    features[:, :3] += shift * (labels != "agn")[:, None]
    return FeatureTable(
        "early_sn_ia", "early_sn_ia@1", NAMES, features, np.ones(n, bool), labels,
        np.char.add("object ", (np.arange(n) // per_object).astype(str)), np.full(n, "ztf"), np.full(n, "made here"),
        np.full(n, 60000.0), np.full((n, len(CONTEXT)), 7.0), np.zeros((n, len(CADENCE))),
    )  # fmt: skip


def trained(rows, options=OPTIONS):
    return train_model(rows, options=options, test_fraction=0.25, command="redpoll train ...")


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("sn_ia_91t", "sn_ia"),
        ("sn_iip", "sn_ii"),
        ("sn_ii", "sn_ii"),
        ("sn", ""),
        ("tde", "other"),
        ("", ""),
        ("?", ""),
    ],
)
def test_a_label_decides_the_class_or_is_left_out(label, expected):
    assert class_of(label, ["sn_ia", "sn_ii"]) == expected


def test_training_again_gives_the_same_bytes_and_other_options_another_version():
    rows = table()
    shuffled = rows.take(np.random.default_rng(2).permutation(len(rows)))
    one, again, other = trained(rows), trained(shuffled), trained(rows, replace(OPTIONS, seed=2))
    assert one.data == again.data
    assert one.card["training_set"] == again.card["training_set"]
    assert one.version != other.version


def test_no_object_is_trained_on_and_judged_by():
    rows = table()
    is_test = in_test(rows.object_ids, 0.25)
    assert not set(rows.object_ids[is_test]) & set(rows.object_ids[~is_test])
    assert (is_test == np.concatenate([in_test(rows.object_ids[k : k + 1], 0.25) for k in range(len(rows))])).all()
    judged = trained(rows).card["judged"]
    assert judged["objects"] == len(set(rows.object_ids[is_test]))


def test_a_model_of_no_information_is_judged_so():
    found = trained(table(shift=0.0)).card["judged"]["classes"]["sn_ia"]["metrics"]["AUC"]
    assert found[1] < 0.5 < found[2]


def test_probabilities_agree_with_frequencies_on_other_objects():
    made = trained(table(4000, shift=0.7, per_object=1))
    model = ForestModel("early_sn_ia", "1", read_forest(made.data))
    fresh = table(4000, seed=9, shift=0.7, per_object=1)
    p = model.predict_proba(fresh.features)[:, 1].astype(float)
    assert METRICS["calibration error"](fresh.labels != "agn", p, np.ones(len(p))) < 0.04
    assert METRICS["AUC"](fresh.labels != "agn", p, np.ones(len(p))) > 0.75


def test_a_calibration_of_overconfident_forests_makes_them_less_sure():
    rows = table(2000, shift=0.3, per_object=1)
    frozen = freeze(rows)
    result = train(
        frozen,
        targets(frozen.labels, ["sn_ia"]),
        ["other", "sn_ia"],
        replace(OPTIONS, min_rows=1, max_leaves=2000, learning_rate=1.0),
    )
    assert max(result.calibration.scale) < 1


def test_a_class_of_too_few_objects_is_named():
    rows = table()
    few = replace(rows, labels=np.where(np.arange(len(rows)) < 20, rows.labels, "agn"))
    with pytest.raises(UsageError, match="objects of class 'sn_ia' have the features of early_sn_ia; 10 are needed"):
        trained(few)


def test_training_without_scikit_learn_names_the_extra(monkeypatch):
    rows = freeze(table())
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)
    with pytest.raises(RedpollError, match=r"training needs scikit-learn: pip install 'redpoll\[learn\]'"):
        train(rows, targets(rows.labels, ["sn_ia"]), ["other", "sn_ia"], OPTIONS)


def test_unscored_and_undecided_alerts_are_left_out():
    rows = table()
    labels = rows.labels.copy()
    labels[:10] = ["sn", ""] * 5
    scored = np.ones(len(rows), bool)
    scored[10:30] = False
    card = trained(replace(rows, labels=labels, is_scored=scored)).card
    n_trained = sum(each["alerts"] for each in card["training_set"]["classes"].values())
    assert n_trained + card["judged"]["alerts"] == len(rows) - 30


def test_a_card_tells_what_cadence_alone_gives_away():
    rows = table()
    cadence = rows.cadence.copy()
    assert trained(rows).card["training_set"]["auc_of_cadence_alone"]["classes"]["sn_ia"] == pytest.approx(0.5, abs=0.1)
    cadence[:, 0] = rows.labels != "agn"
    leaking = trained(replace(rows, cadence=cadence)).card["training_set"]["auc_of_cadence_alone"]["classes"]
    assert leaking["sn_ia"] > 0.95


def test_the_report_is_one_page_that_shows_foreign_text_as_it_is():
    card = trained(table()).card
    page = report_page(card | {"limits": "<script>alert(1)</script>"}, card["judged"])
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert f"{card['judged']['classes']['sn_ia']['metrics']['AUC'][0]:.3f}" in page
    assert page.count("<circle") == len(card["judged"]["classes"]["sn_ia"]["reliability"])


def test_the_report_has_bins_by_their_edge_also_from_a_file_sorted_by_name():
    card = trained(table()).card
    of_class = card["judged"]["classes"]["sn_ia"]
    of_class["by"] = {"age": {f"{low} to {low + 5}": of_class["metrics"] | {"objects": 9} for low in (0, 15, 5)}}
    page = report_page(card, card["judged"])
    assert page.index("0 to 5<") < page.index("5 to 10<") < page.index("15 to 20<")
