"""What the compiled kernels pass to each other: the model, the points of one curve, working space, the answers."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

compiled = njit(nogil=True, error_model="numpy")
"""Not cached one by one: what is cached is `redpoll.astro.fits.kernels.fit_curves`, with all of them inside."""
MAX_Q = 6
"""Most parameters that are not linear."""
WEIGHT, MEAN_FLUX, MEAN_SHAPE, SHAPE2, SHAPE_FLUX, AMPLITUDE = range(6)
"""Rows of Room.sums."""


class Model(NamedTuple):
    """What is fitted: codes of shape and temperature; are baselines and amplitudes free in each group, and signs."""

    shape: int
    temperature: int
    has_baseline: int
    is_per_group: int
    has_both_signs: int
    n_q: int


class Points(NamedTuple):
    """The points of one curve that count: days, flux in units of the largest, weight, 1e15 Hz, group."""

    t: Any
    flux: Any
    weight: Any
    frequency: Any
    group: Any
    n_groups: int


class Room(NamedTuple):
    """Working space: the shape and its derivatives, sums of each group, the normal equations, steps, starts."""

    shape: Any
    slope: Any
    sums: Any
    means: Any
    mean_slope: Any
    cross: Any
    normal: Any
    gradient: Any
    kept_normal: Any
    kept_gradient: Any
    step: Any
    trial: Any
    factor: Any
    is_free: Any
    bounds: Any
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


@compiled
def new_room(longest: int, n_groups: int, n_starts: int) -> Any:
    """Working space for curves of up to `longest` points."""
    square = (MAX_Q, MAX_Q)
    return Room(
        np.empty(longest), np.empty((longest, MAX_Q)), np.zeros((6, n_groups)), np.zeros(n_groups),
        np.zeros((n_groups, MAX_Q)), np.zeros((n_groups, MAX_Q)),
        np.zeros(square), np.zeros(MAX_Q), np.zeros(square), np.zeros(MAX_Q), np.zeros(MAX_Q), np.zeros(MAX_Q),
        np.zeros(square), np.zeros(MAX_Q, np.bool_), np.zeros((2, MAX_Q)), np.zeros((n_starts, MAX_Q + 2)),
    )  # fmt: skip
