"""A Hubble diagram: redshifts and distance moduli of supernovae taken as type Ia."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class HubbleDiagram:
    """Redshift, distance modulus [mag] and its error [mag] of n supernovae; all distances may share one offset."""

    redshift: Array
    mu: Array
    mu_err: Array

    def __len__(self) -> int:
        return len(self.redshift)

    def take(self, rows: NDArray) -> HubbleDiagram:
        """Some of its supernovae: indices, or a mask."""
        return HubbleDiagram(self.redshift[rows], self.mu[rows], self.mu_err[rows])

    def __add__(self, other: HubbleDiagram) -> HubbleDiagram:
        names = ("redshift", "mu", "mu_err")
        return HubbleDiagram(*(np.concatenate([getattr(self, n), getattr(other, n)]) for n in names))
