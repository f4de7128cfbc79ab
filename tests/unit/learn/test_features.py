"""Features of labelled alerts: what the module that uses a model passes to it."""

from __future__ import annotations

import numpy as np
import pytest

from redpoll import Column, Model, class_scores, science_module
from redpoll.crossmatch.known_columns import known_columns
from redpoll.errors import ModelError
from redpoll.learn.cadence import CADENCE, cadence_rows
from redpoll.learn.context_columns import without_catalogues
from redpoll.learn.dataset import Dataset, open_dataset
from redpoll.learn.errors import DatasetError
from redpoll.learn.features import feature_rows, joined_features
from redpoll.learn.model_inputs import ModelInputs, column_values
from redpoll.plugin.discovery import installed_modules
from redpoll.plugin.graph import Graph
from redpoll.schema.alert import COLUMNS
from redpoll.schema.light_curve import LightCurves

SCORE = {"p_odd": Column("float32", doc="0..1")}


@science_module(version="1", outputs={"snr": Column("float32", doc="flux / flux_err")})
def snr(flux, flux_err):
    return np.where(flux > 0, flux / flux_err, np.nan)


@science_module(version="3", model="odd", outputs=SCORE)
def odd(snr, mag, model: Model, *, max_snr=80.0):
    return np.where(snr < max_snr, class_scores(model, snr, mag), np.nan)


@science_module(version="1", outputs={"unused": Column("float32", doc="never computed")})
def unused(mag):
    raise AssertionError("a module that nothing depends on ran")


MODULES = [odd, unused, snr]


@pytest.fixture(scope="module")
def table(curve_file):
    return feature_rows(open_dataset(curve_file), "odd", modules=MODULES)


def test_features_are_in_the_order_of_the_module(table, curve_file):
    batches = [batch for batch, _, _ in open_dataset(curve_file)]
    mag = np.concatenate([column_values(batch["mag"]) for batch in batches])
    assert (table.names, table.maker) == (("snr", "mag"), "odd@3") and table.features.dtype == np.float32
    assert np.array_equal(table.features[:, 1], mag.astype(np.float32), equal_nan=True)


def test_a_mask_has_the_alerts_that_the_module_scores(table):
    expected = np.isfinite(table.features).all(axis=1) & (table.features[:, 0] < 80.0)
    assert np.array_equal(table.is_scored, expected) and 0 < expected.sum() < len(table)


def test_rows_name_their_class_object_survey_and_source(table, curve_file):
    assert set(table.labels) == {"sn_ia", "sn_ii"} and set(table.surveys) == {"ztf", "rubin"}
    assert set(table.sources) == {str(curve_file)} and len(set(table.object_ids)) == 40
    assert (table.mjd > 59999).all() and np.isfinite(table.context[:, 1]).all() and np.isnan(table.context[:, 4]).all()


def test_tables_of_one_model_can_be_joined(table):
    both = joined_features([table.take(table.is_scored), table.take(~table.is_scored)])
    assert len(both) == len(table) and both.is_scored.sum() == table.is_scored.sum()
    other = feature_rows(Dataset("some", lambda: iter(open_dataset("simulate://ztf?alerts=20"))), "kilonova")
    with pytest.raises(DatasetError, match="cannot be joined"):
        joined_features([table, other])


@pytest.mark.parametrize("model", ["early_sn_ia", "sn_types", "sn_vs_rest", "kilonova", "periodic_class"])
def test_every_installed_model_gets_what_its_module_would_pass(model, curve_file):
    """The matrix is that of the whole graph, in which every module runs."""
    seen = []

    class Spy:
        version = "spy"

        def predict_proba(self, X):
            seen.append(np.array(X))
            return np.full((len(X), 9), 0.1)

    graph = Graph.build(installed_modules(), [], columns={**COLUMNS, **known_columns()}, models={model: Spy()})
    batch, _, _ = next(iter(open_dataset(curve_file, per_object=4)))
    inputs, batch = ModelInputs(model), without_catalogues(batch)
    features, is_scored, _ = inputs(batch)
    graph.run(batch)
    passed = np.concatenate(seen) if seen else np.zeros((0, len(inputs.names)), np.float32)
    assert len(inputs.graph.nodes) < len(graph.nodes)
    assert {row.tobytes() for row in features[is_scored]} <= {row.tobytes() for row in passed}
    assert is_scored.sum() <= len(passed)


def test_a_second_batch_starts_anew(curve_file):
    inputs = ModelInputs("odd", MODULES)
    batch = without_catalogues(next(iter(open_dataset(curve_file)))[0])
    first, second = inputs(batch), inputs(batch)
    assert first[0].tobytes() == second[0].tobytes()


def test_an_unknown_model_is_named_with_those_near():
    with pytest.raises(ModelError, match=r"no module uses a model 'early_sn'; near: early_sn_ia"):
        ModelInputs("early_sn")


def test_a_module_that_fails_or_changes_its_scores_is_refused(curve_file):
    @science_module(version="1", model="odd", outputs=SCORE)
    def upside_down(mag, model: Model):
        return 1.0 - class_scores(model, mag)

    @science_module(version="1", model="odd", outputs=SCORE)
    def failing(mag, model: Model):
        raise ValueError("no luck")

    with pytest.raises(ModelError, match="is not the score of its model"):
        feature_rows(open_dataset(curve_file), "odd", modules=[upside_down])
    with pytest.raises(ModelError, match="no luck"):
        feature_rows(open_dataset(curve_file), "odd", modules=[failing])


def test_a_data_set_without_alerts_is_refused():
    with pytest.raises(DatasetError, match="nothing: has no labelled alerts"):
        feature_rows(Dataset("nothing", lambda: iter(())), "early_sn_ia")


def test_cadence_counts_points_nights_and_limits():
    mjd = np.array([1.0, 1.5, 4.0, 8.0])
    curves = LightCurves(
        np.array([0, 3, 4, 4]), mjd, np.array([1, 2, 2, 0], np.int8), mjd.astype(np.float32), mjd.astype(np.float32),
        np.array([2, 1, 0, 0], np.int8),
    )  # fmt: skip
    first, second, empty = (dict(zip(CADENCE, row, strict=True)) for row in cadence_rows(curves))
    assert (first["n_g"], first["n_r"], first["n_points"], first["n_nights"], first["days"]) == (1, 2, 3, 2, 3.0)
    assert first["mean_step"] == 3.0 and first["fraction_forced"] == first["fraction_upper_limit"] == pytest.approx(
        1 / 3
    )
    assert second["n_u"] == 1 and np.isnan(second["mean_step"]) and empty["n_points"] == 0 and np.isnan(empty["days"])


def test_real_supernovae_have_features(data_dir, tmp_path):
    """Some SNe Ia of the Bright Transient Survey, as a user would write their table."""
    import pandas as pd

    points = pd.read_parquet(data_dir / "labelled" / "ztf_bts_snia_lightcurves.parquet")
    points = points[points.objectId.isin(sorted(points.objectId.unique())[:60])]
    points = points.assign(band=points.band.str.lower(), label="sn_ia").rename(
        columns={"objectId": "object_id", "time": "mjd", "magerr": "mag_err"}
    )
    points.to_csv(tmp_path / "bts.csv.gz", index=False)
    table = feature_rows(open_dataset(tmp_path / "bts.csv.gz"), "early_sn_ia")
    assert len(set(table.object_ids)) == 60 and 0.02 < table.is_scored.mean() < 1
    rise = table.features[table.is_scored, table.names.index("rainbow_rise_time")]
    assert np.isfinite(rise).mean() > 0.5
