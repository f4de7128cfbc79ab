"""Whether a random audit of labels tells how good a classifier is, on a population whose truth is known.

    python benchmarks/audit.py [--repeats 2000] [--seeds 20]

A population of 20,000 synthetic objects has a rare class (6 %) in two features. First, one forest of 600 random labels
is audited many times with unequal inclusion probabilities, 2 % of the population on average; beside it stand the plain
mean of the same labels, and that of the labels that uncertainty sampling would ask for. Second, the loop of active
learning audits a quarter of its labels; its estimates are compared with a test of 10,000 other objects.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from numpy.typing import NDArray

from redpoll.learn.active_loop import learning_curve
from redpoll.learn.audit import Audit, drawn, inclusion_probability
from redpoll.learn.learners import forest
from redpoll.learn.loop_options import LoopOptions
from redpoll.learn.query_table import QueryTable

NAMES = ("accuracy", "efficiency", "purity")
N = 20_000


def main() -> None:
    """Print both comparisons."""
    options = _options()
    print(f"date: {time.strftime('%Y-%m-%d')}\n")
    one_classifier(options.repeats)
    print()
    the_loop(options.seeds)


def population(n: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Features and truth; the class lies in a corner, without a sharp border."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 2))
    return X.astype(np.float32), rng.random(n) < 1 / (1 + np.exp(-3 * (X.sum(axis=1) - 2.4)))


def one_classifier(repeats: int) -> None:
    """Mean of many audits, how often their intervals hold the truth, and what other labels would say."""
    X, is_class = population(N, 0)
    start, truth_start = population(600, 1)
    p = forest(start, truth_start.astype(int), np.ones(600), 2, 0, trees=50)(X).mean(axis=0)[:, 1]
    candidate, inclusion = p > 0.5, inclusion_probability(p, 0.02)
    truth = Audit(is_class, candidate, np.ones(N)).figures()
    found, plain = {name: [] for name in NAMES}, {name: [] for name in NAMES}
    for seed in range(repeats):
        rows = drawn(inclusion, np.random.default_rng(seed))
        for name, figure in Audit(is_class[rows], candidate[rows], inclusion[rows]).figures().items():
            found[name].append((figure.value, figure.low, figure.high))
        for name, figure in Audit(is_class[rows], candidate[rows], np.ones(int(rows.sum()))).figures().items():
            plain[name].append(figure.value)
    asked = np.argsort(np.abs(p - 0.5))[:400]
    strategy = Audit(is_class[asked], candidate[asked], np.ones(len(asked))).figures()
    print(f"{N:,} objects, {is_class.mean():.1%} of the class; {repeats:,} audits of {inclusion.sum():.0f} labels\n")
    print("| metric | truth | mean of audits, weighted | scatter | error of the mean | intervals that hold the truth "
          "| unweighted mean of the same labels | labels of uncertainty sampling |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|")
    for name in NAMES:
        value, low, high = np.array(found[name]).T
        true = truth[name].value
        print(f"| {name} | {true:.4f} | {value.mean():.4f} | {value.std():.4f} | {value.std() / repeats**0.5:.4f} "
              f"| {np.mean((low <= true) & (true <= high)):.1%} | {np.mean(plain[name]):.4f} "
              f"| {strategy[name].value:.4f} |")  # fmt: skip


def the_loop(seeds: int) -> None:
    """Mean difference of the loop's audit and its test over seeds."""
    n_test, n_pool = 10_000, 5_000
    X, is_class = population(n_test + n_pool, 2)
    n = len(X)
    split = np.where(np.arange(n) < n_test, "test", np.where(np.arange(n) < n_test + 100, "train", "pool"))
    table = QueryTable(("a", "b"), X, np.arange(n).astype(str), np.where(is_class, "yes", "no"), split, np.zeros(n),
                       np.full(n, 18.0), np.ones(n))  # fmt: skip
    options = LoopOptions("yes", queries=400, batch=20, every=400, audit=0.25, trees=20)
    last = [learning_curve(table, options, "uncertainty", seed)[-1] for seed in range(seeds)]
    print(f"{seeds} realisations of 400 labels, {np.mean([point.audited for point in last]):.0f} of them audited\n")
    print("| metric | mean on the test | mean of the audit's estimates | difference | its error |")
    print("|---|---|---|---|---|")
    for name in NAMES:
        pairs = [(getattr(point, name), getattr(point, f"audited_{name}")) for point in last]
        test, audit = np.array([pair for pair in pairs if pair[1] is not None]).T
        gap = audit - test
        print(f"| {name} | {test.mean():.4f} | {audit.mean():.4f} | {gap.mean():+.4f} "
              f"| {gap.std(ddof=1) / len(gap) ** 0.5:.4f} |")  # fmt: skip


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=2000)
    parser.add_argument("--seeds", type=int, default=20)
    return parser.parse_known_args()[0]


if __name__ == "__main__":
    main()
