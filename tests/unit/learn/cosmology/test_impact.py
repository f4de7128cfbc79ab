"""Bias of w by class and rate, on samples whose contaminants are known."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from redpoll.astro.wcdm import wcdm_distance_modulus
from redpoll.errors import UsageError
from redpoll.learn.cosmology.hubble_diagram import HubbleDiagram
from redpoll.learn.cosmology.impact import ImpactPlan, as_it_stands, contaminant_impact
from redpoll.learn.cosmology.posterior import CosmologyFit

FIT = CosmologyFit(0.9)
PLAN = ImpactPlan(size=400, n_samples=8, rates=(0.02, 0.1))


@dataclass(frozen=True)
class Offsets:
    """SNe Ia, and classes that are off by a constant, by a slope with redshift, or by so much that all see it."""

    max_redshift: float = 0.9
    contaminants: tuple[str, ...] = ("constant", "sloping", "outlier")

    def draw(self, kind: str, rng: np.random.Generator, n: int) -> HubbleDiagram:
        z = rng.uniform(0.02, 0.9, n)
        offset = {"sn_ia": 0.0 * z, "constant": 0.4 + 0.0 * z, "sloping": 0.9 - 2 * z, "outlier": 6.0 * z + 2.0}[kind]
        return HubbleDiagram(z, wcdm_distance_modulus(z, 0.3, -1.0) + offset + rng.normal(0, 0.15, n), np.full(n, 0.15))

    def anchor(self, rng: np.random.Generator) -> HubbleDiagram:
        return HubbleDiagram(*np.empty((3, 0)))


def found(plan: ImpactPlan = PLAN, kinds: tuple[str, ...] = Offsets().contaminants) -> dict:
    return {(each.kind, each.rate): each for each in contaminant_impact(Offsets(), kinds, plan, FIT)}


def test_equal_purity_gives_different_bias_by_class() -> None:
    """An offset that all redshifts share is the absolute magnitude's; one that changes with redshift is taken for w."""
    each = found()
    constant, sloping = (each[kind, 0.1].figures for kind in ("constant", "sloping"))
    assert abs(constant["bias"].value) < 0.06
    assert sloping["bias"].low > 0.15 or sloping["bias"].high < -0.15
    assert sloping["distance"].low > constant["distance"].high


def test_more_contaminants_do_more_and_none_do_nothing() -> None:
    each = found()
    assert each["none", 0.0].figures["bias"].value == each["none", 0.0].figures["distance"].value == 0.0
    assert each["sloping", 0.1].figures["distance"].low > each["sloping", 0.02].figures["distance"].high
    assert each["sloping", 0.02].figures["bias"].low <= each["sloping", 0.02].figures["bias"].value


def test_outliers_that_are_left_out_do_little() -> None:
    kept, left_out = found(), found(replace(PLAN, clip=4.0))
    assert left_out["outlier", 0.1].n_clipped == pytest.approx(40, abs=1)
    assert left_out["none", 0.0].n_clipped < 1
    assert abs(left_out["outlier", 0.1].figures["bias"].value) < 0.1 * abs(kept["outlier", 0.1].figures["bias"].value)


def test_the_same_seed_gives_the_same_numbers() -> None:
    small = replace(PLAN, n_samples=2, rates=(0.05,))
    assert found(small) == found(small)
    assert found(small) != found(replace(small, seed=2))


def test_the_number_of_samples_done_is_told() -> None:
    steps: list[tuple[int, int]] = []
    contaminant_impact(Offsets(), ["constant"], replace(PLAN, n_samples=3), FIT, lambda *done: steps.append(done))
    assert steps == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(
    ("change", "kinds", "message"),
    [
        ({}, ("sn_ii",), "no contaminant 'sn_ii'; known: constant, outlier, sloping"),
        ({}, (), "no class but SN Ia"),
        ({"rates": (0.0,)}, ("constant",), "above 0 and up to 0.5"),
        ({"rates": (float("nan"),)}, ("constant",), "above 0 and up to 0.5"),
        ({"n_samples": 1}, ("constant",), "at least 2 samples"),
        ({"size": 10}, ("constant",), "at least 50 objects"),
    ],
)
def test_misuse_is_explained(change: dict, kinds: tuple[str, ...], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        contaminant_impact(Offsets(), kinds, replace(PLAN, **change), FIT)


def test_a_sample_as_it_stands_is_compared_with_its_sne_ia() -> None:
    rng = np.random.default_rng(1)
    by_class = {kind: Offsets().draw(kind, rng, n) for kind, n in (("sn_ia", 360), ("sloping", 40))}
    whole = as_it_stands(by_class, FIT, None)
    assert whole["purity"] == 0.9 and whole["objects"] == 400
    assert whole["bias"] == pytest.approx(whole["w"] - whole["w_of_sn_ia"])
    assert whole["distance"] >= abs(whole["bias"]) - 1e-9
