"""The posterior of the equation of state w from a Hubble diagram, on a grid, and the Fisher forecast of it."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from redpoll.astro.wcdm import wcdm_distance_modulus
from redpoll.learn.cosmology.hubble_diagram import HubbleDiagram

Array = NDArray[np.float64]
_NODES = 16
_W = np.linspace(-4.0, 1.5, 276)
_N_OMEGA, _OMEGA_REACH = 41, 4.0
_STEP = 1e-3


@dataclass(frozen=True)
class Priors:
    """Gaussian priors of the matter density and of w; an infinite error is a flat prior.

    The default error of the matter density is that of RESSPECT, which takes 0.2 for w.
    """

    omega_m: float = 0.3
    omega_m_err: float = 0.02
    w: float = -1.0
    w_err: float = inf


@dataclass(frozen=True)
class WPosterior:
    """Probability of w in the cells of an even grid, marginal over matter density and absolute magnitude; sums to 1."""

    w: Array
    p: Array

    @property
    def mean(self) -> float:
        """Mean of w."""
        return float(self.p @ self.w)

    @property
    def sd(self) -> float:
        """Standard deviation of w."""
        return float(np.sqrt(self.p @ (self.w - self.mean) ** 2))

    @property
    def at_edge(self) -> bool:
        """Whether the grid cuts it off: more than one per cent is in the outermost ten cells of a side."""
        return bool(max(self.p[:10].sum(), self.p[-10:].sum()) > 0.01)

    def distance(self, other: WPosterior) -> float:
        """Earth-mover distance to another posterior, in units of w: the area between the cumulative probabilities."""
        return float(np.abs(np.cumsum(self.p - other.p)).sum() * (self.w[1] - self.w[0]))


@dataclass(frozen=True)
class Fisher:
    """Linear forecast at the centre of the priors: error of w, and by how much the data move it from there."""

    w_err: float
    w_shift: float


class CosmologyFit:
    """Fits flat wCDM to Hubble diagrams out to a redshift; the absolute magnitude is free, with a flat prior.

    Moduli relative to the fiducial cosmology are smooth in ln(1 + z): they are kept at 16 Chebyshev nodes for each
    point of the grid, so that chi squared of a diagram is a quadratic form of 16 numbers.

    Parameters
    ----------
    max_redshift
        Of the supernovae to fit.

    References
    ----------
    Tegmark, Taylor & Heavens 1997, arXiv:astro-ph/9603021; Malz et al. 2023, arXiv:2305.14421.

    Examples
    --------
    >>> z = np.linspace(0.02, 1.0, 1000)
    >>> data = HubbleDiagram(z, wcdm_distance_modulus(z, 0.3, -0.9), np.full(1000, 0.15))
    >>> found = CosmologyFit(1.0).posterior(data)
    >>> round(found.mean, 1), round(found.sd, 2)
    (-0.9, 0.06)
    """

    def __init__(self, max_redshift: float, priors: Priors | None = None) -> None:
        self.priors = priors or Priors()
        self.max_redshift = max_redshift
        centre = (self.priors.omega_m, self.priors.w)
        omega_m = centre[0] + self.priors.omega_m_err * np.linspace(-_OMEGA_REACH, _OMEGA_REACH, _N_OMEGA)
        grid = np.stack(np.meshgrid(omega_m[(omega_m > 0.01) & (omega_m < 0.99)], _W, indexing="ij"))
        self._shape = grid.shape[1:]
        self._log_prior = -0.5 * ((grid[0] - centre[0]) / self.priors.omega_m_err) ** 2
        self._log_prior -= 0.5 * ((grid[1] - centre[1]) / self.priors.w_err) ** 2
        self._z = np.expm1(self._end * (1.0 + np.polynomial.chebyshev.chebpts1(_NODES)) / 2)
        self._relative = wcdm_distance_modulus(self._z, *grid.reshape(2, -1)) - self._fiducial(self._z)

    def posterior(self, data: HubbleDiagram) -> WPosterior:
        """The posterior of w."""
        vector, matrix = self._projected(data)
        chi2 = ((self._relative @ matrix) * self._relative).sum(axis=1) - 2.0 * self._relative @ vector
        log_p = self._log_prior - 0.5 * chi2.reshape(self._shape)
        p = np.exp(log_p - log_p.max()).sum(axis=0)
        return WPosterior(_W, p / p.sum())

    def fisher(self, data: HubbleDiagram) -> Fisher:
        """The linear forecast for these data."""
        vector, matrix = self._projected(data)
        omega_m, w = self.priors.omega_m, self.priors.w
        ends = ((omega_m + _STEP, omega_m - _STEP), (w, w)), ((omega_m, omega_m), (w + _STEP, w - _STEP))
        up_down = [wcdm_distance_modulus(self._z, *end) for end in ends]
        slopes = np.array([(up - down) / (2 * _STEP) for up, down in up_down])
        information = slopes @ matrix @ slopes.T + np.diag([self.priors.omega_m_err**-2, self.priors.w_err**-2])
        covariance = np.linalg.inv(information)
        return Fisher(float(np.sqrt(covariance[1, 1])), float((covariance @ slopes @ vector)[1]))

    def residual(self, data: HubbleDiagram) -> Array:
        """Distance moduli less those of the fiducial cosmology, at the centre of the priors [mag]."""
        return np.asarray(data.mu - self._fiducial(data.redshift))

    @property
    def _end(self) -> float:
        return float(np.log1p(self.max_redshift))

    def _fiducial(self, z: Array) -> Array:
        return wcdm_distance_modulus(z, self.priors.omega_m, self.priors.w)

    def _projected(self, data: HubbleDiagram) -> tuple[Array, Array]:
        """The data on the nodes: linear and quadratic term of chi squared, the absolute magnitude marginalised."""
        x = 2.0 * np.log1p(data.redshift) / self._end - 1.0
        vander, nodes = np.polynomial.chebyshev.chebvander, np.polynomial.chebyshev.chebpts1(_NODES)
        at = np.linalg.solve(vander(nodes, _NODES - 1).T, vander(x, _NODES - 1).T).T
        weight = data.mu_err**-2
        weight /= weight.sum()
        residual = self.residual(data)
        residual, at = residual - weight @ residual, at - weight @ at
        weighted = at * (data.mu_err**-2)[:, None]
        return residual @ weighted, at.T @ weighted
