"""Searches and fits of light curves that grow by a tenth at a time, and whose answers are kept meanwhile."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from simulated_curves import simulated

from redpoll.answer_cache import using
from redpoll.science.agn import agn
from redpoll.science.microlensing import microlensing
from redpoll.science.periodic import periodic
from redpoll.science.rainbow_shape import rainbow_shape
from redpoll.testing.fakes import FakeAnswerCache

COLUMNS = {
    "band": "r", "roid": "not_sso", "survey": "ztf", "is_good": True, "is_periodic": False, "star_distance_arcsec": 0.2,
    "age": 50.0, "n_detections": np.nan,
}  # fmt: skip
LAST = {periodic: "period_mjd", rainbow_shape: "shape_mjd", microlensing: "mulens_mjd"}


def _answers(module, light):
    given = {"mjd": light.mjd[light.triggering], "light_curve": light}
    for name in set(module.inputs) - given.keys():
        value = COLUMNS.get(name, np.nan)
        given[name] = np.full(len(light), value, object if isinstance(value, str) else None)
    return module(**{name: given[name] for name in module.inputs})


@pytest.fixture(scope="module")
def night():
    """Light curves of several classes, from few points to many."""
    return [simulated(name, 40, days=60.0, step=1.0, seed=3)[0] for name in ("rr_lyrae", "agn", "sn_ia")]


@pytest.mark.parametrize("module", [periodic, rainbow_shape, microlensing, agn], ids=str)
def test_answers_are_the_same_with_the_cache(night, module):
    cache = FakeAnswerCache()
    for light in night:
        alone, n = _answers(module, light), len(cache.answers)
        with using(cache):
            first, full, again = _answers(module, light), len(cache.answers), _answers(module, light)
        for found in (first, again):
            for name, values in alone.items():
                np.testing.assert_array_equal(found[name], values, err_msg=name)
        assert n < full == len(cache.answers)  # nothing is computed twice


@pytest.mark.parametrize("module", [periodic, rainbow_shape, microlensing, agn], ids=str)
def test_nothing_is_computed_for_the_next_detections_of_an_object(curves, module):
    """Up to a tenth more: of 31 to 33 detections the first 30 count, of 34 the first 33."""
    rng, cache = np.random.default_rng(5), FakeAnswerCache()
    points = [("r" if module is agn else "gr"[i % 2], 60000.0 + i, 3000 + rng.normal(0, 300), 300.0) for i in range(34)]
    with using(cache):
        sizes, found = [], []
        for n in (30, 31, 32, 33, 34):
            found.append(_answers(module, curves(points[:n])))
            sizes.append(len(cache.answers))
    assert sizes[0] < sizes[1] == sizes[2] == sizes[3] < sizes[4]
    if module in LAST:
        assert [answer[LAST[module]][0] - 60000 for answer in found] == [27.0, 29.0, 29.0, 29.0, 32.0]


def test_the_phase_of_a_stepwise_fit_is_that_of_the_alert(curves):
    rng = np.random.default_rng(6)
    points = [("gr"[i % 2], 60000.0 + i, 9000 * np.exp(-(((i - 12) / 8) ** 2)) + rng.normal(0, 100), 100.0)
              for i in range(33)]  # fmt: skip
    phases = [_answers(rainbow_shape, curves(points[:n]))["shape_phase"][0] for n in (31, 32, 33)]
    assert np.diff(phases) == pytest.approx([1.0, 1.0], abs=1e-4)


def test_every_module_that_uses_the_cache_reads_a_stepwise_light_curve():
    for module in (periodic, rainbow_shape, microlensing, agn):
        source = inspect.getsource(inspect.getmodule(module.function))
        assert "use_cache=True" in source and "light_curve.stepwise" in source
