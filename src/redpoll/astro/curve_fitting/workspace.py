"""What the compiled kernels pass to each other: the model, the points of one curve, working space, the answers.

These are few and large arrays with named rows: a compiled function takes time for each array that it is handed.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from redpoll.kernels import parts

compiled = parts(fastmath={"contract"})
"""Decorator of the parts of one kernel, `redpoll.astro.curve_fitting.kernels.fit_curves`."""
summed = parts(fastmath={"contract", "reassoc", "nsz"})
"""The same for loops that add up: the order is the compiler's, always the same for the same number of points."""
MAX_Q = 6
"""Most parameters that are not linear."""
TIME, FLUX, WEIGHT, FREQUENCY = range(4)
"""Columns of Points.data: days, units of the largest flux, inverse squared error, 1e15 Hz; rows of Curve.rows too."""
SHARE = 4
"""Column of Points.data: how full a bin is."""
VALUE, SLOPES, RESIDUAL = 4, 5, 5 + MAX_Q
"""Further rows of Curve.rows: the shape, its derivatives (three by times, three by temperatures), what is left."""
MOST_POINTS = 1 << 16
LANES = 8
"""Numbers that a processor reckons at once."""
STRIDE = MOST_POINTS + 9 * LANES
"""From one row to the next: a constant, so that the compiler knows that they do not overlap; odd lines of the cache."""
GROUP_WEIGHT, GROUP_FLUX, GROUP_SHAPE, SHAPE2, AMPLITUDE, CROSS = range(6)
"""Rows of Room.sums: of each group the weight, mean flux, mean shape; square of the shape, amplitude."""
GROUP_SLOPE = CROSS + MAX_Q
"""First row of the mean derivatives; from CROSS, how far each derivative is but a change of amplitude."""
NORMAL, KEPT_NORMAL, FACTOR = range(3)
"""Pages of Room.matrices: normal equations at the trial, at the best place so far, a Cholesky factor."""
GRADIENT, KEPT_GRADIENT, STEP, TRIAL, LOW, HIGH, IS_FREE = range(7)
"""Rows of Room.vectors."""
SIGN, FIRST_AMPLITUDE, CHI2, FLAT_CHI2, FIRST_Q = range(5)
"""Columns of Answers.table."""
N_POINTS, N_PARAMETERS, IS_CONVERGED = range(3)
"""Columns of Answers.counts."""
Array = NDArray[np.float64]


class Model(NamedTuple):
    """What is fitted: codes of shape and temperature; are baselines and amplitudes free in each group, and signs."""

    shape: int
    temperature: int
    has_baseline: int
    is_per_group: int
    has_both_signs: int
    is_signed: int
    """May the amplitude be negative? It then has the sign of the mean flux."""
    n_q: int


class Points(NamedTuple):
    """The points of one curve that count, in the order of time, one per row, and the group of each."""

    data: Any
    group: Any
    n_groups: int


class Curve(NamedTuple):
    """The same points for the loops over them: rows of `STRIDE` end to end, group g from bounds[g] to bounds[g + 1]."""

    rows: Any
    bounds: Any
    n: int
    n_groups: int


class Room(NamedTuple):
    """Working space; `rows` and `bounds` are those of the Curve."""

    rows: Any
    bounds: Any
    sums: Any
    matrices: Any
    vectors: Any
    starts: Any


class Answers(NamedTuple):
    """What is filled, one row per curve: NaN where there is no fit. The properties say what is where."""

    table: Any
    covariance: Any
    """Of the first group's amplitude and of q."""
    sums: Any
    """Of each group: amplitude, baseline, their errors."""
    counts: Any

    @property
    def q(self) -> Array:
        """The parameters that are not linear."""
        return self._column(slice(FIRST_Q, None))

    @property
    def sign(self) -> Array:
        """Of the time scale."""
        return self._column(SIGN)

    @property
    def amplitude(self) -> Array:
        """Of the first group."""
        return self._column(FIRST_AMPLITUDE)

    @property
    def chi2(self) -> Array:
        """The least that was found."""
        return self._column(CHI2)

    @property
    def flat_chi2(self) -> Array:
        """Of the baselines alone."""
        return self._column(FLAT_CHI2)

    @property
    def errors(self) -> Array:
        """Of that amplitude and of q."""
        variances = np.diagonal(self.covariance, axis1=1, axis2=2)
        return np.asarray(np.sqrt(np.where(variances > 0, variances, np.nan)))

    def number(self, which: int) -> NDArray[np.int64]:
        """N_POINTS, N_PARAMETERS or IS_CONVERGED of each curve."""
        return np.asarray(self.counts[:, which])

    def _column(self, which: int | slice) -> Array:
        return np.asarray(self.table[:, which])


def new_answers(n: int, n_groups: int) -> Answers:
    """Room for the answers of `n` curves."""
    size = MAX_Q + 1
    nan = np.nan
    return Answers(
        np.full((n, FIRST_Q + MAX_Q), nan), np.full((n, size, size), nan), np.full((n, 4, n_groups), nan),
        np.zeros((n, 3), np.int64),
    )  # fmt: skip


def new_room(n_groups: int, n_starts: int) -> Room:
    """Working space for curves of up to MOST_POINTS points; of the rows, memory is taken as far as they are filled."""
    return Room(
        np.empty((RESIDUAL + 1) * STRIDE), np.zeros(n_groups + 1, np.int64), np.zeros((GROUP_SLOPE + MAX_Q, n_groups)),
        np.zeros((3, MAX_Q, MAX_Q)), np.zeros((7, MAX_Q)), np.zeros((n_starts, MAX_Q + 2)),
    )  # fmt: skip
