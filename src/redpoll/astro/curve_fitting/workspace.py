"""Data that the compiled fitting kernels share: model, points of one curve, working space, results.

They are a few large arrays with named rows, because every array argument of a compiled function costs time.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from redpoll.kernels import parts

compiled = parts(fastmath={"contract"})
"""Decorator of the parts of one kernel, `redpoll.astro.curve_fitting.kernels.fit_curves`."""
summed = parts(fastmath={"contract", "reassoc", "nsz"})
"""The same for summation loops: the compiler chooses the order, which depends on the number of points only."""
MAX_Q = 6
"""Maximum number of nonlinear parameters."""
TIME, FLUX, WEIGHT, FREQUENCY = range(4)
"""Columns of FitPoints.data and rows of PackedCurve.rows: days, largest flux = 1, inverse variance, 1e15 Hz."""
FILLED = 4
"""Column of FitPoints.data: filled fraction of a bin."""
VALUE, SLOPES, RESIDUAL = 4, 5, 5 + MAX_Q
"""Further rows of PackedCurve.rows: shape, its derivatives (three times, three temperatures), residual."""
MAX_POINTS = 1 << 16
LANES = 8
"""Numbers that a processor computes in one instruction."""
STRIDE = MAX_POINTS + 9 * LANES
"""Distance between rows: a constant, so that the compiler can rule out overlap; an odd number of cache lines."""
GROUP_WEIGHT, GROUP_FLUX, GROUP_SHAPE, SHAPE2, AMPLITUDE, CROSS = range(6)
"""Rows of Room.sums: weight, mean flux and mean shape of each group; square of the shape, amplitude."""
GROUP_SLOPE = CROSS + MAX_Q
"""First row of the mean derivatives; the rows from CROSS hold the projection of each derivative on the amplitude."""
NORMAL, KEPT_NORMAL, FACTOR = range(3)
"""Pages of Room.matrices: normal equations at the trial, at the best point so far, a Cholesky factor."""
GRADIENT, KEPT_GRADIENT, STEP, TRIAL, LOW, HIGH, IS_FREE = range(7)
"""Rows of Room.vectors."""
SIGN, FIRST_AMPLITUDE, CHI2, FLAT_CHI2, FIRST_Q = range(5)
"""Columns of Answers.table."""
N_POINTS, N_PARAMETERS, IS_CONVERGED = range(3)
"""Columns of Answers.counts."""
Array = NDArray[np.float64]


class CurveModel(NamedTuple):
    """The fitted model: codes of shape and temperature, and which baselines, amplitudes and signs are free."""

    shape: int
    temperature: int
    has_baseline: int
    is_per_group: int
    has_both_signs: int
    is_signed: int
    """Whether the amplitude may be negative; its sign is then found before the fit."""
    n_q: int


class FitPoints(NamedTuple):
    """The fitted points of one curve, sorted by time, one a row, and the group of each."""

    data: Any
    group: Any
    n_groups: int


class PackedCurve(NamedTuple):
    """The same points for the fitting loops: rows of `STRIDE` end to end, group g from bounds[g] to bounds[g + 1]."""

    rows: Any
    bounds: Any
    n: int
    n_groups: int


class Room(NamedTuple):
    """Working space; `rows` and `bounds` are those of the PackedCurve."""

    rows: Any
    bounds: Any
    sums: Any
    matrices: Any
    vectors: Any
    starts: Any


class Answers(NamedTuple):
    """Results, one row per curve; NaN where there is no fit. The properties name the columns."""

    table: Any
    covariance: Any
    """Covariance of the first group's amplitude and of q."""
    sums: Any
    """Amplitude and baseline of each group, and their errors."""
    counts: Any

    @property
    def q(self) -> Array:
        """The nonlinear parameters."""
        return self._column(slice(FIRST_Q, None))

    @property
    def sign(self) -> Array:
        """Sign of the time scale."""
        return self._column(SIGN)

    @property
    def amplitude(self) -> Array:
        """Amplitude of the first group."""
        return self._column(FIRST_AMPLITUDE)

    @property
    def chi2(self) -> Array:
        """Minimum chi squared found."""
        return self._column(CHI2)

    @property
    def flat_chi2(self) -> Array:
        """Chi squared of the baselines alone."""
        return self._column(FLAT_CHI2)

    @property
    def errors(self) -> Array:
        """One-sigma errors of the first group's amplitude and of q."""
        variances = np.diagonal(self.covariance, axis1=1, axis2=2)
        return np.asarray(np.sqrt(np.where(variances > 0, variances, np.nan)))

    @property
    def scales(self) -> Array:
        """The parameters whose logarithms are fitted, in the columns of q; 1 in that of t0."""
        return np.exp(np.where(np.arange(self.q.shape[1]) > 0, self.q, 0.0))

    @property
    def time_errors(self) -> Array:
        """One-sigma errors of t0 and of the `scales`; NaN if too large for a number."""
        with np.errstate(over="ignore"):
            errors = self.scales * self.errors[:, 1:]
        return np.where(np.isfinite(errors), errors, np.nan)

    def number(self, which: int) -> NDArray[np.int64]:
        """N_POINTS, N_PARAMETERS or IS_CONVERGED of each curve."""
        return np.asarray(self.counts[:, which])

    def as_rows(self) -> Array:
        """All numbers of each curve in one row."""
        return np.hstack([np.asarray(x, np.float64).reshape(len(x), math.prod(x.shape[1:])) for x in self])

    @classmethod
    def of_rows(cls, rows: Array, n_groups: int) -> Answers:
        """The results of which these are the rows."""
        like = new_answers(len(rows), n_groups)
        ends = np.cumsum([math.prod(x.shape[1:]) for x in like])
        parts = np.split(rows, ends[:-1], axis=1)
        return cls(*(part.reshape(x.shape).astype(x.dtype) for part, x in zip(parts, like, strict=True)))

    def _column(self, which: int | slice) -> Array:
        return np.asarray(self.table[:, which])


def new_answers(n: int, n_groups: int) -> Answers:
    """Empty results of `n` curves."""
    size = MAX_Q + 1
    nan = np.nan
    return Answers(
        np.full((n, FIRST_Q + MAX_Q), nan), np.full((n, size, size), nan), np.full((n, 4, n_groups), nan),
        np.zeros((n, 3), np.int64),
    )  # fmt: skip


def new_room(n_groups: int, n_starts: int) -> Room:
    """Working space for curves of up to MAX_POINTS points; memory is used as far as rows are filled."""
    return Room(
        np.empty((RESIDUAL + 1) * STRIDE), np.zeros(n_groups + 1, np.int64), np.zeros((GROUP_SLOPE + MAX_Q, n_groups)),
        np.zeros((3, MAX_Q, MAX_Q)), np.zeros((7, MAX_Q)), np.zeros((n_starts, MAX_Q + 2)),
    )  # fmt: skip
