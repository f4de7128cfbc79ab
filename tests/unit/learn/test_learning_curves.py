"""Summaries, comparisons and plots of learning curves, and their realisations in several processes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from redpoll.errors import ModelError, UsageError
from redpoll.learn.active_loop import CurvePoint
from redpoll.learn.curve_plot import drawn_curves, plot_format
from redpoll.learn.learning_curves import end_difference, ends, in_order, labels_to_reach, summary
from redpoll.learn.loop_options import LoopOptions
from redpoll.learn.query_table import QueryTable
from redpoll.learn.realisations import realisations


def curve(strategy: str, seed: int, *merits: float) -> list[CurvePoint]:
    point = CurvePoint(strategy, seed, 60000.0, 0, 0.0, 0.5, 0.8, 0.7, 0.6, 0.0, 0, None, None, None)
    return [replace(point, queries=10 * i, cost=5.0 * i, figure_of_merit=merit) for i, merit in enumerate(merits)]


CURVES = [curve("a", 0, 0.1, 0.3), curve("a", 1, 0.1, 0.5), curve("b", 0, 0.1, 0.5), curve("b", 1, 0.1, 0.7)]


def table(n: int = 120) -> QueryTable:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 2)).astype(np.float32)
    label = np.where(X[:, 0] > 0, "sn_ia", "other")
    return QueryTable(("a", "b"), X, np.arange(n).astype(str), label, np.full(n, ""), np.zeros(n), np.full(n, 18.0),
                      np.ones(n))  # fmt: skip


def test_summary_has_mean_and_scatter_of_each_step() -> None:
    row = next(row for row in summary(CURVES) if row["strategy"] == "a" and row["queries"] == 10)
    assert row["figure_of_merit"] == pytest.approx(0.4)
    assert row["figure_of_merit_std"] == pytest.approx(np.sqrt(0.02))
    assert row["figure_of_merit_low"] == pytest.approx(0.305)
    assert row["realisations"] == 2


def test_ends_are_in_the_order_of_merit() -> None:
    assert [(row["strategy"], row["queries"]) for row in ends(CURVES)] == [("b", 10), ("a", 10)]


def test_a_difference_is_of_the_same_seeds() -> None:
    gap = end_difference([*CURVES, curve("b", 9, 0.0)], "a", "b", "figure_of_merit")
    assert (gap.value, gap.low, gap.high) == pytest.approx((0.2, 0.2, 0.2))
    assert np.isnan(end_difference(CURVES, "a", "c", "figure_of_merit").value)


def test_queries_to_reach_a_value_are_those_after_which_it_stays_reached() -> None:
    there_and_back = [curve("a", 0, 0.1, 0.4, 0.2, 0.4)]
    assert labels_to_reach(there_and_back, "a", "figure_of_merit", 0.3) == 30
    assert labels_to_reach(there_and_back, "a", "figure_of_merit", 0.1) == 0
    assert labels_to_reach(there_and_back, "a", "figure_of_merit", 0.9) is None


def test_two_processes_give_what_one_gives() -> None:
    options = LoopOptions("sn_ia", queries=4, batch=2, every=2, initial=4, trees=4)
    one, two = (
        in_order(
            realisations(table(), options, ["random", "uncertainty"], range(2), workers=n), ["random", "uncertainty"]
        )
        for n in (1, 2)
    )
    assert one == two
    assert [(c[0].strategy, c[0].seed) for c in two] == [("random", 0), ("random", 1), ("uncertainty", 0),
                                                         ("uncertainty", 1)]  # fmt: skip


@pytest.mark.parametrize("workers", [1, 2])
def test_who_stops_early_keeps_what_is_done(workers: int) -> None:
    options = LoopOptions("sn_ia", queries=4, batch=2, every=2, initial=4, trees=4)
    runs = realisations(table(), options, ["random"], range(1000), workers=workers)
    assert len(next(runs)) == 3
    runs.close()


def test_misuse_is_told_before_anything_runs() -> None:
    with pytest.raises(UsageError, match="uncertainty"):
        realisations(table(), LoopOptions("sn_ia"), ["random", "uncertain"], [0])


@pytest.mark.parametrize("format", ["svg", "png"])
def test_a_plot_is_drawn_the_same_each_time(format: str) -> None:
    pytest.importorskip("matplotlib")
    made = drawn_curves(CURVES, format, title="x < y & z", against="cost")
    assert made == drawn_curves(CURVES, format, title="x < y & z", against="cost")
    assert made.startswith(b"<?xml" if format == "svg" else b"\x89PNG")


def test_a_plot_without_matplotlib_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(ModelError, match=r"redpoll\[learn\]"):
        drawn_curves(CURVES, "svg")


def test_a_plot_has_a_format_that_is_known() -> None:
    assert plot_format(Path("a.PNG")) == "png"
    with pytest.raises(UsageError, match=r"\.svg or \.png"):
        plot_format(Path("a.pdf"))
