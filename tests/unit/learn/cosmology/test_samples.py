"""Objects of simulated classes in a Hubble diagram, and those of a table drawn anew."""

from __future__ import annotations

import numpy as np
import pytest

from redpoll.astro.wcdm import wcdm_distance_modulus
from redpoll.errors import RedpollError, UsageError
from redpoll.learn.cosmology.hubble_diagram import HubbleDiagram
from redpoll.learn.cosmology.samples import SimulatedSamples, TableSamples


def residual(data: HubbleDiagram) -> np.ndarray:
    return data.mu - wcdm_distance_modulus(data.redshift, 0.3, -1.0)


def test_simulated_sne_ia_are_standard_candles_with_honest_errors() -> None:
    data = SimulatedSamples().draw("sn_ia", np.random.default_rng(1), 600)
    pulls = residual(data) / data.mu_err
    assert len(data) == 600
    assert abs(pulls.mean()) < 0.25 and 0.85 < pulls.std() < 1.15
    assert data.redshift.min() >= 0.1 and data.redshift.max() <= 0.8


def test_other_classes_are_off_each_in_its_own_way() -> None:
    """Core-collapse SNe look too far away, superluminous ones too near."""
    rng = np.random.default_rng(2)
    offset = {kind: np.median(residual(SimulatedSamples().draw(kind, rng, 80))) for kind in ("sn_ibc", "sn_ii", "slsn")}
    assert offset["sn_ii"] > offset["sn_ibc"] > 0.5
    assert offset["slsn"] < -0.3


def test_the_anchor_is_of_low_redshift_and_pure() -> None:
    data = SimulatedSamples(n_anchor=300).anchor(np.random.default_rng(3))
    assert data.redshift.max() <= 0.1
    assert abs(residual(data).mean()) < 0.03


def test_a_survey_that_sees_none_of_a_class_gives_up() -> None:
    with pytest.raises(RedpollError, match=r"too few sn_ii of redshift 0\.7 to 0\.8"):
        SimulatedSamples(depth=20.0, min_redshift=0.7).draw("sn_ii", np.random.default_rng(4), 5)


def test_a_table_gives_its_own_objects_again() -> None:
    ia, ii = (HubbleDiagram(np.full(60, z), np.arange(60.0), np.ones(60)) for z in (0.3, 0.5))
    samples = TableSamples({"sn_ia": ia, "sn_ii": ii})
    drawn = samples.draw("sn_ii", np.random.default_rng(5), 100)
    assert samples.contaminants == ("sn_ii",) and samples.max_redshift == 0.5
    assert set(drawn.redshift) == {0.5} and set(drawn.mu) <= set(range(60))
    with pytest.raises(UsageError, match="no object of class 'sn_ibc'; near: sn_i"):
        samples.draw("sn_ibc", np.random.default_rng(5), 1)
