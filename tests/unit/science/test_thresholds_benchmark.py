"""The parts of ``benchmarks/thresholds.py`` that decide."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from populations.compared import Counts, better, counts
from populations.sweep import Population, kept, thresholds, values

from redpoll import Column, science_module
from redpoll.plugin.columns import Columns
from redpoll.typing import Arrays, Floats


@science_module(version="1", outputs={"is_bright": Column("bool", doc="Brighter than the limit.")})
def bright(mag: Floats, *, max_mag: float = 18.0, max_points: int = 3) -> Arrays:
    """A rule of one threshold."""
    return {"is_bright": mag <= max_mag}


def population(kinds, mags):
    batch = pa.record_batch({"mag": pa.array(mags)})
    return Population((Columns(batch), Columns(batch)), np.array(kinds * 2), np.array([f"{k} 1" for k in kinds * 2]))


def test_a_threshold_is_halved_and_doubled_and_one_without_a_zero_is_shifted():
    assert thresholds(bright) == ["max_mag"]
    assert values("min_days", 3.0) == [1.5, 2.25, 3.0, 4.0, 6.0] and values("min_points", 2) == [1, 2, 3, 4]
    assert values("max_absolute_mag", -20.5) == [-21.0, -20.75, -20.5, -20.25, -20.0]


def test_other_settings_select_other_alerts_without_a_new_run():
    some = population(["tde", "agn"], [17.0, 19.0])
    assert some.selected(bright, "is_bright", {}).tolist() == [True, False] * 2
    assert some.selected(bright, "is_bright", {"max_mag": 20.0}).all()


def test_objects_are_counted_once_and_noise_is_weighted_by_fractions():
    some = {name: population(["tde", "agn"], [17.0, 17.5]) for name in ("ztf", "rubin", "real")}
    selected = {name: p.selected(bright, "is_bright", {}) for name, p in some.items()}
    found = counts(selected, some, ("tde",), {"tde": 0.008, "agn": 0.26})
    assert found.found == {"ztf": (1, 1), "rubin": (1, 1), "real": (1, 1)}
    assert found.wrong_simulated == (4, 4) and found.wrong_real == (2, 2) and found.wrong_real_objects == (1, 1)
    assert found.noise == pytest.approx(0.5)  # agn are half as frequent by default as here


OLD = Counts({"ztf": (50, 100), "real": (0, 0)}, (30, 1000), 0.5, (20, 1000), (10, 500))


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({}, ""), ({"wrong_simulated": (15, 1000)}, "cleaner"), ({"wrong_simulated": (25, 1000)}, ""),
        ({"wrong_real": (2, 1000), "wrong_real_objects": (1, 500)}, "cleaner"),
        ({"wrong_simulated": (15, 1000), "wrong_real": (21, 1000)}, ""),
        ({"wrong_simulated": (15, 1000), "found": {"ztf": (30, 100), "real": (0, 0)}}, ""),
        ({"found": {"ztf": (70, 100), "real": (0, 0)}}, "more"),
        ({"found": {"ztf": (70, 100), "real": (0, 0)}, "wrong_simulated": (60, 1000)}, ""),
        ({"found": {"ztf": (70, 100), "real": (0, 0)}, "wrong_simulated": (60, 1000), "noise": 0.4}, "more"),
        ({"found": {"ztf": (70, 100), "real": (0, 0)}, "wrong_real_objects": (30, 500)}, ""),
    ],
)  # fmt: skip
def test_only_what_chance_does_not_explain_is_better(change, verdict):
    assert better(replace(OLD, **change), OLD) == verdict


def test_a_fit_of_the_same_arrays_is_computed_once():
    calls = []
    once = kept(lambda *arrays: calls.append(arrays) or len(calls))
    assert [once(np.zeros(2)), once(np.zeros(2)), once(np.ones(2))] == [1, 1, 2]
