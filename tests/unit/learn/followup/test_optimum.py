"""The integer programme against every choice that there is, and its limits, which no plan may pass."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redpoll.learn.followup.optimum import Options, optimum

N_SLOTS = 6


@st.composite
def problems(draw: st.DrawFn, max_options: int = 12) -> tuple[np.ndarray, Options, np.ndarray]:
    """A few targets, one or two telescopes, and ways to observe that fit the night."""
    n, k = draw(st.integers(1, 6)), draw(st.integers(1, 2))
    rows = draw(st.lists(
        st.tuples(st.integers(0, n - 1), st.integers(0, k - 1), st.integers(0, N_SLOTS - 1), st.integers(1, 3),
                  st.integers(1, 5000)),
        min_size=1, max_size=max_options, unique_by=lambda row: row[:3]))  # fmt: skip
    rows = [row for row in rows if row[2] + row[3] <= N_SLOTS] or [(0, 0, 0, 1, 100)]
    utility = np.array(draw(st.lists(st.floats(0.001, 10), min_size=n, max_size=n)))
    budgets = np.array(draw(st.lists(st.integers(1, 12_000), min_size=k, max_size=k)), np.int64)
    return utility, Options(*np.array(rows, np.int64).T), budgets


def is_allowed(chosen: list[int], options: Options, budgets: np.ndarray) -> bool:
    targets, spent = options.target[chosen], np.zeros(len(budgets), np.int64)
    np.add.at(spent, options.telescope[chosen], options.seconds[chosen])
    slots = [(int(options.telescope[i]), s) for i in chosen
             for s in range(options.slot[i], options.slot[i] + options.n_slots[i])]  # fmt: skip
    return len(set(targets)) == len(targets) and len(set(slots)) == len(slots) and bool((spent <= budgets).all())


@settings(max_examples=60, deadline=None)
@given(problems())
def test_no_other_choice_is_better(problem: tuple[np.ndarray, Options, np.ndarray]) -> None:
    utility, options, budgets = problem
    best = max(
        float(utility[options.target[list(some)]].sum())
        for n in range(len(options) + 1)
        for some in combinations(range(len(options)), n)
        if is_allowed(list(some), options, budgets)
    )
    found = optimum(utility, options, budgets)
    assert is_allowed(found.chosen.tolist(), options, budgets)
    assert found.utility == pytest.approx(best, rel=1e-6, abs=1e-9)
    assert found.bound == pytest.approx(best, rel=1e-6, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(problems(max_options=60))
def test_no_plan_is_over_budget(problem: tuple[np.ndarray, Options, np.ndarray]) -> None:
    utility, options, budgets = problem
    assert is_allowed(optimum(utility, options, budgets).chosen.tolist(), options, budgets)


def test_greed_is_beaten() -> None:
    """The most useful target fills the night; the best for its time leaves an hour that nothing fits."""
    ones = np.ones(3, np.int64)
    options = Options(np.arange(3), 0 * ones, np.array([0, 0, 3]), np.array([6, 3, 3]),
                      np.array([36_000, 18_000, 18_000]))  # fmt: skip
    found = optimum(np.array([1.0, 0.6, 0.6]), options, np.array([36_000]))
    assert found.chosen.tolist() == [1, 2] and found.utility == found.bound == 1.2


def test_no_option_is_no_plan() -> None:
    none = np.empty(0, np.int64)
    assert len(optimum(np.array([1.0]), Options(none, none, none, none, none), np.array([10])).chosen) == 0


def test_standard_output_stays_clean(capfd: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(1)
    options = Options(np.repeat(np.arange(20), 6), np.zeros(120, np.int64), np.tile(np.arange(6), 20),
                      np.ones(120, np.int64), rng.integers(100, 900, 120))  # fmt: skip
    optimum(rng.random(20), options, np.array([2000]))
    assert capfd.readouterr().out == ""
