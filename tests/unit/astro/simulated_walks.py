"""Simulated damped random walks."""

from __future__ import annotations

import numpy as np


def walks(n_curves, n_points, days, tau, sigma, err, seed=1):
    """Simulated walks, end to end: times, magnitudes, errors, offsets."""
    rng = np.random.default_rng(seed)
    t = np.sort(rng.uniform(0, days, (n_curves, n_points)), axis=1)
    decay = np.exp(-np.diff(t, prepend=-np.inf) / tau)
    walk = np.zeros_like(t)
    for i in range(n_points):
        walk[:, i] = decay[:, i] * walk[:, i - 1] + sigma * np.sqrt(1 - decay[:, i] ** 2) * rng.normal(size=n_curves)
    errs = err * rng.uniform(0.5, 1.5, t.shape)
    mag = 19 + walk + errs * rng.normal(size=t.shape)
    return (t + 59_000).ravel(), mag.ravel(), errs.ravel(), np.arange(n_curves + 1) * n_points
