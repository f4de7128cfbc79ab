"""How an experiment of active learning runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from redpoll.errors import UsageError, near
from redpoll.learn.learners import learner_of
from redpoll.learn.query_table import QueryTable
from redpoll.learn.weighted_strategies import OF_COMMITTEES, strategy_of


@dataclass(frozen=True)
class LoopOptions:
    """How an experiment runs.

    Parameters
    ----------
    positive
        The class whose efficiency, purity and figure of merit are measured.
    queries, batch, every
        Labels to ask for, labels between two fits, and labels between two measurements.
    initial
        Labels at the beginning where the table names no objects for training: half of the class, half others.
    test_fraction
        Fraction of the objects that are kept for the test where the table names none.
    learner, trees
        Name of the learner, and its number of trees.
    audit
        Fraction of the queries that is drawn at random, kept out of training, and gives unbiased estimates.
    budget
        Highest total cost of a batch, for the strategy "budgeted".
    by_night
        Objects become known night by night, one batch a night. Else the last row of each object is known at once.
    mag_limit, recent_days
        Only an object this bright [mag], and with a row within so many days, can be queried.
    similar_by
        Features by which the strategies "canonical" and "density" compare objects; by default all.
    """

    positive: str
    queries: int = 300
    batch: int = 1
    every: int = 10
    initial: int = 10
    test_fraction: float = 0.25
    learner: str = "forest"
    trees: int = 50
    audit: float = 0.0
    budget: float = float("inf")
    by_night: bool = False
    mag_limit: float = float("inf")
    recent_days: float = float("inf")
    similar_by: tuple[str, ...] = ()


def check_options(table: QueryTable, options: LoopOptions, strategy: str) -> None:
    """Raise UsageError if the strategy cannot run on the table with these options, ModelError without scikit-learn."""
    strategy_of(strategy)
    learner_of(options.learner)
    if options.positive not in (known := np.unique(table.label).tolist()):
        raise UsageError(f"no object is of class '{options.positive}'{near(options.positive, known)}")
    if len(known) < 2:
        raise UsageError(f"all objects are of class '{options.positive}': there is nothing to learn")
    if unknown := [name for name in options.similar_by if name not in table.names]:
        raise UsageError(f"there is no feature '{unknown[0]}' to compare objects by{near(unknown[0], table.names)}")
    if min(options.queries, options.batch, options.every, options.trees) < 1:
        raise UsageError("queries, batch, labels between two measurements and trees must be at least 1")
    if strategy in OF_COMMITTEES and options.learner != "forest":
        raise UsageError(f"strategy '{strategy}' needs a committee: use the learner 'forest'")
    if strategy == "budgeted" and not np.isfinite(options.budget):
        raise UsageError("strategy 'budgeted' needs a budget: the highest total cost of a batch")
