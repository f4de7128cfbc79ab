"""Scores of trained models, and rules for the rarer supernovae and tidal disruptions."""

from __future__ import annotations

import numpy as np
import pytest

from redpoll.science.early_sn_ia import early_sn_ia
from redpoll.science.luminous_sn import luminous_sn
from redpoll.science.sn_types import sn_types
from redpoll.science.sn_vs_rest import sn_vs_rest
from redpoll.science.tde import tde
from redpoll.testing.models import FakeModel


class FiveClasses(FakeModel):
    """The first feature decides between five classes."""

    def predict_proba(self, X):
        return np.eye(5)[np.asarray(X)[:, 0].astype(int)]


class Remembers(FakeModel):
    """Keeps the features that it was asked about."""

    def predict_proba(self, X):
        self.asked = X
        return np.tile([0.2] * 5, (len(X), 1))


def _columns(module, n=2, **values):
    return {name: np.asarray(values.get(name, np.zeros(n)), np.float32) for name in module.inputs}


def _is_scored(module, model=None, **values):
    found = module(**_columns(module, n=len(next(iter(values.values()))), **values), model=model or Remembers())
    return np.isfinite(next(iter(found.values())) if isinstance(found, dict) else found).tolist()


def test_an_early_supernova_has_a_fitted_rise_and_is_not_long_past_it():
    """A phase or another feature may be missing."""
    assert _is_scored(early_sn_ia, rainbow_rise_points=[0, 1, 5], mag=[19.0, np.nan, 19.0]) == [False, True, True]
    phases = {"rainbow_rise_phase": [30.0, 30.1, np.nan], "rainbow_rise_points": [5, 5, 5]}
    assert _is_scored(early_sn_ia, **phases) == [True, False, True]


def test_a_supernova_is_detected_twice_and_nothing_of_the_solar_system():
    roid = np.array(["not_sso", "not_sso", "known", "candidate"])
    columns = _columns(sn_vs_rest, n=4, n_detections=[1, 2, 2, 2], mag=[np.nan] * 4) | {"roid": roid}
    assert np.isfinite(sn_vs_rest(**columns, model=Remembers())).tolist() == [False, True, False, False]


def test_types_need_a_fitted_shape():
    points = {"shape_points": [0, 1, 20], "shape_rise_time": [0, 1, 2], "shape_chi2": [1.0, np.nan, 1.0]}
    assert _is_scored(sn_types, FiveClasses(), **points) == [False, True, True]


@pytest.mark.parametrize("module", [early_sn_ia, sn_vs_rest, sn_types], ids=str)
def test_the_model_is_given_the_features_in_their_order(module):
    """Every column has a value of its own."""
    columns = {name: np.array([k + 2], np.float32) for k, name in enumerate(module.inputs)}
    columns |= {"roid": np.array(["not_sso"])} if "roid" in columns else {}
    model = Remembers()
    module(**columns, model=model)
    assert model.asked[0].tolist() == [columns[name][0] for name in module.features]


def test_types_come_in_the_order_of_the_model_s_last_classes():
    some = {"shape_rise_time": [0, 1, 4], "shape_points": [20, 20, 20]}
    found = sn_types(**_columns(sn_types, n=3, **some), model=FiveClasses())
    assert [found[name].tolist() for name in ("p_sn_ia", "p_slsn")] == [[0, 1, 0], [0, 0, 1]]
    assert {column.assigns for column in sn_types.outputs.values()} == {"sn_ia", "sn_ibc", "sn_ii", "slsn"}


LUMINOUS = {
    "is_good": True, "mag": 18.0, "peak_mag": 17.5, "shape_rise_time": 20.0, "shape_fall_time": 40.0,
    "shape_chi2": 1.0, "shape_days": 100.0, "host_distance_modulus": 38.5, "host_redshift": 0.11,
    "host_redshift_err": 0.001, "host_d_dlr": 1.0, "roid": "not_sso",
}  # fmt: skip


def _luminous(**changes):
    found = luminous_sn(**{name: np.array([value]) for name, value in {**LUMINOUS, **changes}.items()})
    return {name: values[0] for name, values in found.items()}


def test_a_slow_source_brighter_than_any_common_supernova_is_a_candidate():
    found = _luminous()
    assert found["absolute_peak_mag"] == pytest.approx(-21.0)
    assert found["is_slsn_candidate"] and not found["is_pair_instability_candidate"]
    assert _luminous(peak_mag=np.nan)["absolute_peak_mag"] == pytest.approx(-20.5)


@pytest.mark.parametrize(
    "change", [{"peak_mag": 18.1, "mag": 18.1}, {"shape_rise_time": 3.0}, {"shape_chi2": 50.0}, {"shape_chi2": np.nan},
               {"host_d_dlr": 9.0}, {"host_distance_modulus": np.nan}, {"is_good": False}, {"roid": "known"}],
    ids=str,
)  # fmt: skip
def test_whatever_it_lacks_makes_it_none(change):
    assert not _luminous(**change)["is_slsn_candidate"]


@pytest.mark.parametrize(("error", "is_used"), [(np.nan, True), (0.00999, True), (0.01, False), (0.03, False)])
def test_a_photometric_redshift_sets_no_luminosity_and_no_class(error, is_used):
    found = _luminous(host_redshift_err=error, shape_fall_time=100.0, shape_days=150.0)
    assert np.isfinite(found["absolute_peak_mag"]) == np.isfinite(found["absolute_peak_redshift"]) == is_used
    assert found["is_slsn_candidate"] == found["is_pair_instability_candidate"] == is_used
    assert not is_used or found["absolute_peak_redshift"] == pytest.approx(0.11)


@pytest.mark.parametrize(
    ("column", "limit", "sign"),
    [("mag", 17.75, -1), ("shape_rise_time", 5.0, 1), ("shape_chi2", 10.0, -1), ("host_d_dlr", 4.0, -1)],
)
def test_both_sides_of_the_thresholds_of_a_superluminous_supernova(column, limit, sign):
    """Sign 1: larger values pass; all limits are inclusive. At a modulus of 38.5, 17.75 mag is -20.75."""
    values = [limit * (1 + sign * step) for step in (1e-6, 0.0, -1e-6)]
    found = [
        bool(_luminous(**{"mag": 17.0, "peak_mag": np.nan, column: value})["is_slsn_candidate"]) for value in values
    ]
    assert found == [True, True, False]


def test_a_decline_as_slow_as_cobalt_is_a_pair_instability_candidate():
    slow = {"shape_fall_time": 100.0, "shape_days": 150.0}
    assert _luminous(**slow)["is_pair_instability_candidate"]
    assert not _luminous(**{**slow, "shape_days": 60.0})["is_pair_instability_candidate"]
    assert not _luminous(**slow, peak_mag=20.0, mag=20.0)["is_pair_instability_candidate"]


@pytest.mark.parametrize(
    ("column", "limit", "sign"),
    [("shape_rise_time", 15.0, 1), ("shape_fall_time", 80.0, 1), ("shape_days", 80.0, 1), ("mag", 19.0, -1)],
)
def test_both_sides_of_the_thresholds_of_a_pair_instability_supernova(column, limit, sign):
    """Sign 1: larger values pass; all limits are inclusive. At a modulus of 38.5, 19.0 mag is -19.5."""
    slow = {"shape_fall_time": 100.0, "shape_days": 150.0, "peak_mag": np.nan}
    values = [limit * (1 + sign * step) for step in (1e-6, 0.0, -1e-6)]
    found = [bool(_luminous(**slow | {column: value})["is_pair_instability_candidate"]) for value in values]
    assert found == [True, True, False]


TDE = {
    "is_good": True, "age": 20.0, "star_score": 0.1, "star_distance_arcsec": 0.3, "host_arcsec": np.nan,
    "rainbow_rise_time": 12.0, "rainbow_temperature": 22_000.0, "rainbow_rise_snr": 15.0, "rainbow_rise_chi2": 1.2,
    "colour_g_r": -0.25, "colour_g_r_err": 0.1, "roid": "not_sso",
}  # fmt: skip


def _tde(**changes):
    found = tde(**{name: np.array([value]) for name, value in {**TDE, **changes}.items()})
    return bool(found["is_tde_candidate"][0]), bool(found["is_nuclear"][0])


def test_a_hot_slow_flare_at_a_galaxy_s_centre_is_a_candidate():
    assert _tde() == (True, True)
    assert _tde(star_score=np.nan, star_distance_arcsec=np.nan, host_arcsec=0.5) == (True, True)


@pytest.mark.parametrize(
    "change, is_nuclear",
    [({"star_distance_arcsec": 2.0}, False), ({"star_score": 0.9}, False), ({"rainbow_temperature": 9000.0}, True),
     ({"colour_g_r": 0.1}, True), ({"colour_g_r": np.nan}, True), ({"rainbow_rise_time": 1.0}, True),
     ({"rainbow_rise_snr": 4.0}, True), ({"rainbow_rise_chi2": 9.0}, True), ({"is_good": False}, True),
     ({"roid": "candidate"}, True)],
    ids=str,
)  # fmt: skip
def test_each_condition_counts(change, is_nuclear):
    assert _tde(**change) == (False, is_nuclear)


@pytest.mark.parametrize(
    ("column", "limit", "sign", "is_inclusive"),
    [("star_distance_arcsec", 0.8, -1, True), ("star_score", 0.5, -1, False),
     ("rainbow_temperature", 10_000.0, 1, True), ("rainbow_rise_time", 4.0, 1, True), ("age", 12.0, 1, True),
     ("rainbow_rise_time", 50.0, -1, True), ("rainbow_rise_snr", 7.0, 1, True), ("rainbow_rise_chi2", 5.0, -1, True),
     ("colour_g_r", -0.1, -1, True), ("colour_g_r_err", 0.25, -1, True)],
)  # fmt: skip
def test_both_sides_of_each_threshold(column, limit, sign, is_inclusive):
    """Sign 1: larger values pass. The colour and its error, -0.1 + 0.1 and -0.25 + 0.25, may together reach zero."""
    inside, outside = (limit + sign * step * abs(limit) for step in (1e-6, -1e-6))
    assert [_tde(**{column: value})[0] for value in (inside, limit, outside)] == [True, is_inclusive, False]


def test_both_sides_of_the_distance_to_a_catalogued_galaxy():
    empty = {"star_score": np.nan, "star_distance_arcsec": np.nan}
    assert [_tde(**empty, host_arcsec=x) for x in (0.8, 0.800001)] == [(True, True), (False, False)]
