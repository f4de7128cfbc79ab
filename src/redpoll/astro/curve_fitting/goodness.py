"""Goodness of a fit, shared by the results of all shapes."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Goodness(Protocol):
    """A fit to each of many light curves, with the columns that its goodness follows from."""

    chi2: NDArray[np.float64]
    n_points: NDArray[np.int64]
    n_params: NDArray[np.int64]

    @property
    def reduced_chi2(self) -> NDArray[np.float64]:
        """chi2 / (n_points - n_params); NaN where there are no more points than parameters."""
        free = self.n_points - self.n_params
        return np.asarray(self.chi2 / np.where(free > 0, free, np.nan))


def measured(value: NDArray[np.float64], err: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fitted values that the data bound; NaN where the error is unknown: at a limit of the search, above all.

    >>> measured(np.array([8000.0, 1e6]), np.array([300.0, np.nan])).tolist()
    [8000.0, nan]
    """
    return np.where(np.isfinite(err), value, np.nan)
