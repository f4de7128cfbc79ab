"""Where the supernovae of a classified sample come from: the simulator, or a table of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from redpoll.astro.wcdm import wcdm_distance_modulus
from redpoll.errors import RedpollError, UsageError, near
from redpoll.learn.cosmology.hubble_diagram import HubbleDiagram
from redpoll.learn.cosmology.standardised import SPREAD, standardised

IA = "sn_ia"
CONTAMINANTS = ("sn_ibc", "sn_ii", "slsn", "tde", "agn")
"""Simulated classes that are taken for SNe Ia."""
_ANCHOR_REDSHIFTS, _ANCHOR_ERROR = (0.02, 0.1), 0.05
_FLOOR, _AT_DEPTH = 0.04, 0.15
_ROUNDS = 60


class Samples(Protocol):
    """A source of supernovae of each class, as they appear in a Hubble diagram."""

    @property
    def max_redshift(self) -> float:
        """Maximum redshift of what it gives."""
        ...

    @property
    def contaminants(self) -> tuple[str, ...]:
        """Classes other than SN Ia that it has."""
        ...

    def draw(self, kind: str, rng: np.random.Generator, n: int) -> HubbleDiagram:
        """`n` objects of a class."""
        ...

    def anchor(self, rng: np.random.Generator) -> HubbleDiagram:
        """SNe Ia of low redshift with spectra: of these, none is misclassified."""
        ...


@dataclass(frozen=True)
class SimulatedSamples:
    """The simulator's populations in a survey of some depth, each object standardised as if it were a SN Ia.

    Parameters
    ----------
    depth
        Faintest magnitude at maximum.
    min_redshift, max_redshift
        Range of the classified sample.
    n_anchor
        SNe Ia at redshifts of 0.02 to 0.1 besides, always pure.
    """

    depth: float = 23.5
    min_redshift: float = 0.1
    max_redshift: float = 0.8
    n_anchor: int = 150

    @property
    def contaminants(self) -> tuple[str, ...]:
        """The classes that a survey takes for SNe Ia."""
        return CONTAMINANTS

    def draw(self, kind: str, rng: np.random.Generator, n: int) -> HubbleDiagram:
        """`n` objects of a class; SNe Ia within the cuts of a cosmological sample, others as they were let through."""
        found = HubbleDiagram(*np.empty((3, 0)))
        for _ in range(_ROUNDS):
            if len(found) >= n:
                return found.take(np.arange(n))
            each = standardised(kind, rng, int(np.clip(2 * (n - len(found)), 60, 1200)), self.depth)
            z, is_ia = each.redshift, kind == IA
            kept = (z >= self.min_redshift) & (z <= self.max_redshift) & (each.in_bounds | (not is_ia))
            noise = np.hypot(_FLOOR, _AT_DEPTH * 10.0 ** (0.4 * (each.peak_mag - self.depth)))[kept]
            mu = each.mu[kept] + noise * rng.standard_normal(len(noise))
            found = found + HubbleDiagram(z[kept], mu, np.hypot(noise, SPREAD))
        raise RedpollError(
            f"the simulator has too few {kind} of redshift {self.min_redshift} to {self.max_redshift} that reach "
            f"magnitude {self.depth}; use other limits or another class"
        )

    def anchor(self, rng: np.random.Generator) -> HubbleDiagram:
        """SNe Ia of low redshift, in the cosmology of the simulator."""
        z = rng.uniform(*_ANCHOR_REDSHIFTS, self.n_anchor)
        err = np.full(self.n_anchor, np.hypot(SPREAD, _ANCHOR_ERROR))
        mu = wcdm_distance_modulus(z, 0.3, -1.0) + err * rng.standard_normal(self.n_anchor)
        return HubbleDiagram(z, mu, err)


@dataclass(frozen=True)
class TableSamples:
    """Classified objects of known class, drawn anew: SNe Ia and contaminants with replacement.

    Parameters
    ----------
    by_class
        The objects of each class, "sn_ia" among them.
    """

    by_class: Mapping[str, HubbleDiagram]
    max_redshift: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "max_redshift", max(float(d.redshift.max()) for d in self.by_class.values()))

    @property
    def contaminants(self) -> tuple[str, ...]:
        """The other classes of the table."""
        return tuple(kind for kind in self.by_class if kind != IA)

    def draw(self, kind: str, rng: np.random.Generator, n: int) -> HubbleDiagram:
        """`n` objects of a class, with replacement."""
        if kind not in self.by_class:
            raise UsageError(f"the sample has no object of class '{kind}'{near(kind, self.by_class)}")
        rows: NDArray[np.int64] = rng.integers(0, len(self.by_class[kind]), n)
        return self.by_class[kind].take(rows)

    def anchor(self, rng: np.random.Generator) -> HubbleDiagram:
        """Nothing: the table is the whole sample."""
        return HubbleDiagram(*np.empty((3, 0)))
