"""Scores of the kinds of periodic variables, from a model that answers with what it was given."""

from __future__ import annotations

import numpy as np

from redpoll.science.periodic_class import periodic_class

INPUTS = [
    "period", "period_log10_fap", "period_power", "period_margin", "anomaly_skew", "anomaly_kurtosis",
    "anomaly_amplitude", "anomaly_beyond_1_std", "period_amplitude", "colour_g_r", "is_periodic",
]  # fmt: skip
KINDS = ["rr_lyrae", "cepheid", "delta_scuti", "eclipsing_binary", "long_period_variable"]


class Kinds:
    """Five kinds after what is none of them; keeps the features that it was asked about."""

    version = "1"

    def predict_proba(self, X):
        self.asked = X
        return np.tile([0.5, 0.2, 0.15, 0.1, 0.04, 0.01], (len(X), 1))


def _scores(**changed):
    columns = {name: np.array([i + 0.5, i + 0.25, i], np.float32) for i, name in enumerate(INPUTS)}
    model = Kinds()
    return periodic_class(**columns | {"is_periodic": np.array([True, False, True])} | changed, model=model), model


def test_the_features_are_the_inputs_in_the_order_of_the_training():
    assert [name for name in periodic_class.inputs if name != "model"] == INPUTS
    _, model = _scores()
    np.testing.assert_array_equal(model.asked, [[i + x for i in range(10)] + [1] for x in (0.5, 0)])


def test_each_score_is_that_of_its_kind_and_only_of_a_periodic_source():
    found, _ = _scores()
    assert list(found) == [f"p_{kind}" for kind in KINDS]
    for name, score in zip(found, (0.2, 0.15, 0.1, 0.04, 0.01), strict=True):
        np.testing.assert_array_equal(found[name], np.float32([score, np.nan, score]))
        assert found[name].dtype == np.float32


def test_a_feature_may_be_missing():
    found, _ = _scores(period_margin=np.float32([np.nan, np.nan, 1.0]))
    assert np.isnan(found["p_cepheid"]).tolist() == [False, True, False]


def test_each_column_assigns_its_kind():
    assert [column.assigns for column in periodic_class.outputs.values()] == KINDS
