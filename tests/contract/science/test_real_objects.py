"""Answers of the modules for real objects of known kind: light curves of the data folder, replayed as alerts.

How often they are right is measured, with intervals, by ``benchmarks/rules.py``; here, that they can be right at all.
"""

from __future__ import annotations

import numpy as np
import pytest
from populations.labelled import rr_lyrae, superluminous, tidal_disruptions, type_ia, ztf_packets

from redpoll.config import Config, CrossmatchConfig
from redpoll.crossmatch.known_columns import known_columns
from redpoll.learn.context_columns import without_catalogues
from redpoll.learn.curves import bare
from redpoll.learn.replay import replayed
from redpoll.pipeline.contexts import open_stage
from redpoll.plugin.discovery import installed_modules
from redpoll.plugin.graph import Graph
from redpoll.schema.alert import COLUMNS
from redpoll.testing.models import FakeModel
from redpoll.testing.real_data import build_catalogues

MODELS = {"early_sn_ia": 2, "sn_vs_rest": 2, "sn_types": 5, "periodic_class": 9, "kilonova": 2}


class Scored:
    """Every module's answers to all alerts, a column by its name; null numbers are NaN, null flags false."""

    def __init__(self, graph, batches):
        batches = list(batches)
        self.runs = [graph.run(without_catalogues(batch)) for batch, _, _ in batches]
        assert not any(run.failures for run in self.runs)
        self.kind, self.unit = (np.concatenate([b[i] for b in batches]) for i in (1, 2))

    def __getitem__(self, name):
        parts = [run.batch[name] for run in self.runs]
        if str(parts[0].type) == "bool":
            return np.concatenate([part.fill_null(False).to_numpy(zero_copy_only=False) for part in parts])
        return np.concatenate([part.to_numpy(zero_copy_only=False) for part in parts])

    def fraction_of_objects(self, flag):
        return len(set(self.unit[self[flag]])) / len(set(self.unit))


@pytest.fixture(scope="module")
def graph():
    models = {name: FakeModel(n_classes=n) for name, n in MODELS.items()}
    return Graph.build(installed_modules(), [], columns={**COLUMNS, **known_columns()}, models=models)


@pytest.fixture(scope="module")
def supernovae(graph, data_dir):
    return Scored(graph, replayed(type_ia(data_dir)[::20], "ztf", 60.0, 4))


@pytest.fixture(scope="module")
def disruptions(graph, data_dir):
    return Scored(graph, replayed(tidal_disruptions(data_dir)[::2], "ztf", 365.0, 6))


@pytest.fixture(scope="module")
def stars(graph, data_dir):
    """With all years of history: one year holds thirteen visits."""
    return Scored(graph, replayed(rr_lyrae(data_dir)[::6], "rubin", 3650.0, 3))


@pytest.mark.parametrize(
    ("name", "min_known"),
    [("p_sn", 0.3), ("p_sn_ia", 0.15), ("p_slsn", 0.15), ("p_early_sn_ia", 0.02), ("p_kilonova", 0.2)],
)
def test_models_get_the_features_of_real_supernovae(name, min_known, supernovae):
    scores = supernovae[name]
    known = np.isfinite(scores)
    assert known.mean() >= min_known and (scores[known] >= 0).all() and (scores[known] <= 1).all()


def test_features_of_real_supernovae_are_those_of_their_light_curves(supernovae):
    fitted = np.isfinite(supernovae["rainbow_temperature"])
    assert fitted.mean() > 0.1
    hot = supernovae["rainbow_temperature"][fitted]
    assert 5_000 < np.median(hot) < 20_000
    rise = supernovae["rainbow_rise_time"][fitted]
    assert np.isfinite(rise).mean() > 0.7 and 1.0 < np.nanmedian(np.abs(rise)) < 10.0
    late = supernovae["shape_temperature_late"]
    assert np.nanmin(late) > 101.0 and np.isnan(late).any()  # 100 K, the limit of the search, is no measurement


def test_ordinary_supernovae_are_not_taken_for_rarer_things(supernovae):
    for flag in (
        "is_tde_candidate",
        "is_slsn_candidate",
        "is_agn_candidate",
        "is_periodic",
        "is_microlensing_candidate",
    ):
        assert supernovae[flag].mean() < 0.02, flag


def test_tidal_disruptions_in_the_middle_of_galaxies_are_candidates(disruptions, supernovae):
    assert (
        disruptions.fraction_of_objects("is_tde_candidate")
        > 0.1
        > 3 * supernovae.fraction_of_objects("is_tde_candidate")
    )
    assert disruptions["is_nuclear"].all() and not disruptions["is_microlensing_candidate"].mean() > 0.02


def test_superluminous_supernovae_are_bright_and_slow(graph, data_dir):
    found = Scored(graph, replayed(superluminous(data_dir)[::2], "ztf", 365.0, 6))
    assert found.fraction_of_objects("is_slsn_candidate") > 0.6
    bright = found["absolute_peak_mag"]
    assert np.nanmin(bright) == pytest.approx(-21.5, abs=0.01)  # where the population puts its brightest point
    late = found["is_pair_instability_candidate"]
    assert (np.abs(found["shape_fall_time"][late]) >= 80).all()


def test_rr_lyrae_stars_are_periodic_only_where_the_data_hold_a_period(stars):
    """Few nights of five bands seldom hold one: then is_periodic is false, though a period fits."""
    is_periodic, periods = stars["is_periodic"], stars["period"]
    assert is_periodic.any() and np.isfinite(periods).mean() > 0.5 > is_periodic.mean()
    assert np.mean((periods[is_periodic] > 0.2) & (periods[is_periodic] < 1.0)) > 0.8  # what RR Lyrae stars have
    scores = stars["p_rr_lyrae"]
    assert np.isfinite(scores[is_periodic]).mean() > 0.8 and np.isnan(scores[~is_periodic]).all()
    assert not stars["is_microlensing_candidate"].mean() > 0.02 and not stars["is_dwarf_nova"].any()


def test_short_periods_are_no_damped_walks(stars):
    assert np.isfinite(stars["drw_tau"]).any() and stars["is_agn_candidate"].mean() < 0.02


def test_nothing_known_of_the_place_is_no_candidate_for_what_needs_a_galaxy(graph, data_dir):
    found = Scored(graph, replayed(bare(tidal_disruptions(data_dir)[::6]), "ztf", 365.0, 4))
    assert not found["is_tde_candidate"].any() and not found["is_slsn_candidate"].any()
    assert not found["is_pair_instability_candidate"].any()


def test_young_stars_and_blazars_of_the_lists_are_told_in_real_packets(graph, data_dir, tmp_path):
    built = build_catalogues(data_dir, tmp_path, ("spicy", "ctao_blazars", "vsx"))
    assert len(built) == 3
    stage = open_stage(Config(crossmatch=CrossmatchConfig(str(tmp_path))))
    listed, n_young, n_blazars = ("spicy_class", "vsx_type", "ctao_blazars_name"), 0, 0
    for batch, _, _ in ztf_packets(data_dir):
        run = graph.run(without_catalogues(stage.run(batch).batch))
        rows = run.batch.select([*listed, "is_young_star", "is_blazar_low", "is_blazar_high"]).to_pylist()
        n_young += sum(row["is_young_star"] for row in rows)
        n_blazars += sum(row["ctao_blazars_name"] is not None for row in rows)
        assert all(row["spicy_class"] or row["vsx_type"] for row in rows if row["is_young_star"])
        assert not any(row["is_blazar_low"] or row["is_blazar_high"] for row in rows if not row["ctao_blazars_name"])
    assert n_young > 0
