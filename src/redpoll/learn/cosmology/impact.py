"""Bias, width and earth-mover distance of the posterior of w by class and fraction of contaminants."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll.errors import UsageError, near
from redpoll.learn.cosmology.hubble_diagram import HubbleDiagram
from redpoll.learn.cosmology.posterior import CosmologyFit
from redpoll.learn.cosmology.samples import IA, Samples
from redpoll.learn.metrics import Figure

MEASURES = ("bias", "width", "distance", "fisher_bias", "fisher_width")
"""What is measured of each sample: see `ContaminantImpact`."""
Array = NDArray[np.float64]
_BOOTSTRAPS = 1000


@dataclass(frozen=True)
class ImpactPlan:
    """Which samples are made: size of each, number of them, fractions of contaminants, limit of outliers, seed."""

    size: int = 1000
    n_samples: int = 20
    rates: tuple[float, ...] = (0.01, 0.02, 0.05, 0.1)
    clip: float | None = None
    seed: int = 1


@dataclass(frozen=True)
class ContaminantImpact:
    """What a fraction of one class does to w: means over the samples with 95 % intervals of the mean.

    ``figures`` has the ``bias`` (mean of w less that of the same sample when pure), the ``width`` (standard deviation
    of the posterior), the earth-mover ``distance`` to the posterior of the pure sample, and ``fisher_bias`` and
    ``fisher_width``, the linear forecast of the first two. ``at_edge`` is the fraction of samples whose posterior the
    grid of w cuts off, so that the bias is larger than stated; ``n_clipped`` the mean number of outliers left out.
    """

    kind: str
    rate: float
    figures: dict[str, Figure]
    at_edge: float
    n_clipped: float


def contaminant_impact(
    samples: Samples,
    kinds: Sequence[str],
    plan: ImpactPlan,
    fit: CosmologyFit,
    step: Callable[[int, int], Any] = lambda done, total: None,
) -> list[ContaminantImpact]:
    """The impact of each class at each rate; the first is that of no contaminant, "none".

    In a sample of `size`, a fraction of the SNe Ia is replaced, so that samples of one rate have the same size and
    purity, whatever the class. All classes and rates use the same SNe Ia.

    Parameters
    ----------
    samples
        Where objects come from.
    kinds
        Classes of contaminants.
    plan
        Size and number of the samples, and the rates.
    fit
        Grid and priors; it must reach the maximum redshift of the samples.
    step
        Called with the number of samples done and their total.
    """
    _check(samples, kinds, plan)
    cases = [("none", 0.0), *((kind, rate) for kind in kinds for rate in plan.rates)]
    values = np.empty((plan.n_samples, len(cases), len(MEASURES) + 2))
    for i, rng in enumerate(np.random.default_rng(plan.seed).spawn(plan.n_samples)):
        values[i] = _of_one_sample(samples, cases, plan, fit, rng)
        step(i + 1, plan.n_samples)
    return [_summary(*case, values[:, k]) for k, case in enumerate(cases)]


def clipped(data: HubbleDiagram, fit: CosmologyFit, clip: float | None) -> HubbleDiagram:
    """The diagram without objects more than `clip` errors away from the fiducial cosmology at the median offset."""
    if clip is None:
        return data
    residual = fit.residual(data)
    return data.take(np.abs(residual - np.median(residual)) < clip * data.mu_err)


def _check(samples: Samples, kinds: Sequence[str], plan: ImpactPlan) -> None:
    for kind in kinds:
        if kind not in samples.contaminants:
            raise UsageError(f"the sample has no contaminant '{kind}'{near(kind, samples.contaminants)}")
    if not kinds:
        raise UsageError("the sample has no class but SN Ia: there is nothing to compare")
    if plan.n_samples < 2 or plan.size < 50:
        raise UsageError("use at least 2 samples of at least 50 objects")
    if not all(0 < rate <= 0.5 for rate in plan.rates):
        raise UsageError("a rate is the fraction of contaminants: use numbers above 0 and up to 0.5")


def _of_one_sample(
    samples: Samples, cases: Sequence[tuple[str, float]], plan: ImpactPlan, fit: CosmologyFit, rng: np.random.Generator
) -> Array:
    """The measures of each case, for one draw of SNe Ia and contaminants; a higher rate has those of a lower one."""
    ia, anchor = samples.draw(IA, rng, plan.size), samples.anchor(rng)
    most = round(max(plan.rates) * plan.size)
    kinds = dict.fromkeys(kind for kind, _ in cases[1:])
    others = {kind: samples.draw(kind, rng, most) for kind in kinds}
    pure = fit.posterior(clipped(ia + anchor, fit, plan.clip))
    pure_shift = fit.fisher(clipped(ia + anchor, fit, plan.clip)).w_shift
    rows = []
    for kind, rate in cases:
        n = round(rate * plan.size)
        whole = ia.take(np.arange(plan.size - n)) + anchor
        whole = whole + others[kind].take(np.arange(n)) if n else whole
        data = clipped(whole, fit, plan.clip)
        found, forecast = fit.posterior(data), fit.fisher(data)
        rows.append((found.mean - pure.mean, found.sd, found.distance(pure), forecast.w_shift - pure_shift,
                     forecast.w_err, found.at_edge, len(whole) - len(data)))  # fmt: skip
    return np.array(rows, np.float64)


def _summary(kind: str, rate: float, values: Array) -> ContaminantImpact:
    rng = np.random.default_rng(0)
    drawn = values[rng.integers(0, len(values), (_BOOTSTRAPS, len(values)))].mean(axis=1)
    mean, (low, high) = values.mean(axis=0), np.percentile(drawn, (2.5, 97.5), axis=0)
    figures = {n: Figure(float(mean[k]), float(low[k]), float(high[k])) for k, n in enumerate(MEASURES)}
    return ContaminantImpact(kind, rate, figures, float(mean[-2]), float(mean[-1]))


def as_it_stands(by_class: Mapping[str, HubbleDiagram], fit: CosmologyFit, clip: float | None) -> dict[str, float]:
    """Purity of a sample, w and its error from all of it and from its SNe Ia alone, and the distance of the two."""
    whole = reduce(HubbleDiagram.__add__, by_class.values())
    found, pure = (fit.posterior(clipped(data, fit, clip)) for data in (whole, by_class[IA]))
    return {
        "objects": len(whole), "purity": len(by_class[IA]) / len(whole), "w": found.mean, "w_err": found.sd,
        "w_of_sn_ia": pure.mean, "w_err_of_sn_ia": pure.sd, "bias": found.mean - pure.mean,
        "distance": found.distance(pure),
    }  # fmt: skip
