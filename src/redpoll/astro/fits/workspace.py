"""What the compiled kernels pass to each other: the model, the points of one curve, working space, the answers.

These are few and large arrays with named rows: a compiled function takes time for each array that it is handed.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

compiled = njit(nogil=True, error_model="numpy")
"""Not cached one by one: what is cached is `redpoll.astro.fits.kernels.fit_curves`, with all of them inside."""
MAX_Q = 6
"""Most parameters that are not linear."""
TIME, FLUX, WEIGHT, FREQUENCY = range(4)
"""Columns of Points.data: days, units of the largest flux, inverse squared error, 1e15 Hz."""
GROUP_WEIGHT, GROUP_FLUX, BASELINE, GROUP_SHAPE, SHAPE2, SHAPE_FLUX, AMPLITUDE, CROSS = range(8)
"""Rows of Room.sums: of each group the weight, mean flux, that of all points, mean shape; inner products; amplitude."""
GROUP_SLOPE = CROSS + MAX_Q
"""First row of the mean derivatives; from CROSS, how far each derivative is but a change of amplitude."""
NORMAL, KEPT_NORMAL, FACTOR = range(3)
"""Pages of Room.matrices: normal equations at the trial, at the best place so far, a Cholesky factor."""
GRADIENT, KEPT_GRADIENT, STEP, TRIAL, LOW, HIGH, IS_FREE = range(7)
"""Rows of Room.vectors."""


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
    """The points of one curve that count, one per row, and the group of each."""

    data: Any
    group: Any
    n_groups: int


class Room(NamedTuple):
    """Working space; `curve` has the shape in column 0 and its derivatives after it, one point per row."""

    curve: Any
    sums: Any
    matrices: Any
    vectors: Any
    starts: Any


class Answers(NamedTuple):
    """What `fit_curves` fills, one row per curve; NaN where there is no fit."""

    q: Any
    sign: Any
    amplitude: Any
    """Of the first group."""
    covariance: Any
    """Of that amplitude and of q."""
    sums: Any
    """Amplitude and baseline of each group."""
    sum_errors: Any
    chi2: Any
    flat_chi2: Any
    """Of the baselines alone."""
    n_points: Any
    n_parameters: Any
    is_converged: Any


def new_answers(n: int, n_groups: int) -> Answers:
    """Room for the answers of `n` curves."""
    size = MAX_Q + 1
    return Answers(
        np.full((n, MAX_Q), np.nan), np.full(n, np.nan), np.full(n, np.nan), np.full((n, size, size), np.nan),
        np.full((n, 2, n_groups), np.nan), np.full((n, 2, n_groups), np.nan), np.full(n, np.nan), np.full(n, np.nan),
        np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.bool_),
    )  # fmt: skip


def new_room(longest: int, n_groups: int, n_starts: int) -> Room:
    """Working space for curves of up to `longest` points."""
    return Room(
        np.zeros((longest, MAX_Q + 1)), np.zeros((GROUP_SLOPE + MAX_Q, n_groups)), np.zeros((3, MAX_Q, MAX_Q)),
        np.zeros((7, MAX_Q)), np.zeros((n_starts, MAX_Q + 2)),
    )  # fmt: skip
