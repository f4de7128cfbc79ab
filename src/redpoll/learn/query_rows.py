"""The features of a model for labelled alerts as the rows of an experiment of active learning."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll.learn.features import CONTEXT, FeatureTable
from redpoll.learn.query_table import QueryTable


def query_table(table: FeatureTable, label: NDArray[np.str_]) -> QueryTable:
    """The rows of a model's features, each with a class of the experiment; brightness is that of the alert."""
    n = len(table)
    mag = np.nan_to_num(table.context[:, CONTEXT.index("mag")], nan=-np.inf)
    return QueryTable(
        table.names, table.features, table.object_ids, label, np.full(n, ""), table.mjd, mag, np.ones(n)
    )  # fmt: skip
