"""SALT3 fits of light curves by sncosmo, an optional extra: from photometry to a classified sample."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from redpoll.errors import RedpollError
from redpoll.learn.cosmology.standardised import ABSOLUTE_MAG, ALPHA, BETA, MAX_COLOUR, MAX_STRETCH
from redpoll.learn.curves import LabelledCurve
from redpoll.learn.errors import DatasetError
from redpoll.learn.extras import needing
from redpoll.simulate.blackbody import EFFECTIVE_WAVELENGTH, WIDTH

ZERO_POINT = 31.4
"""AB magnitude of a flux of 1 nJy."""
_PEAK_B = 10.635
"""Magnitude in B at maximum of SALT's x0 = 1 (Betoule et al. 2014)."""
_SCATTER = 0.1
_MIN_POINTS = 6
_PACKAGED = ("sncosmo-modelfiles", "models", "salt3", "salt3-f22")


@dataclass(frozen=True)
class SaltFit:
    """Parameters of an object, its distance modulus with error (scatter of 0.1 mag included), and chi squared."""

    object_id: str
    label: str
    redshift: float
    mu: float
    mu_err: float
    t0: float
    x1: float
    c: float
    chi2: float
    n_free: int

    @property
    def in_cuts(self) -> bool:
        """Whether stretch and colour are those of a cosmological sample."""
        return abs(self.x1) < MAX_STRETCH and abs(self.c) < MAX_COLOUR


def salt_model(folder: Path | None = None) -> Any:
    """The SALT3 model of sncosmo from a folder of its files; by default that in the package jax-bandflux.

    Raises
    ------
    RedpollError
        If sncosmo or the files are missing.

    References
    ----------
    Kenworthy et al. 2021, ApJ 923, 265.
    """
    with needing("a SALT fit", "sncosmo", extra="salt"):
        import sncosmo
    if folder is None:
        spec = find_spec("jax_supernovae")
        if spec is None or not spec.submodule_search_locations:
            raise RedpollError("SALT3's files are missing: give their folder, or pip install --no-deps jax-bandflux")
        folder = Path(spec.submodule_search_locations[0], *_PACKAGED)
    try:
        return sncosmo.Model(sncosmo.SALT3Source(modeldir=str(folder)))
    except (OSError, ValueError) as error:
        raise DatasetError(f"{folder}: cannot be read as a SALT3 model: {error}") from error


def salt_fits(
    curves: Iterable[LabelledCurve], model: Any, step: Callable[[int], Any] = lambda done: None
) -> tuple[list[SaltFit], dict[str, str]]:
    """The fit of each light curve with a redshift, and why others have none, by object.

    The passbands are the simulator's top hats. Time of maximum, brightness, stretch and colour are free.
    """
    found, failed = [], {}
    for n, curve in enumerate(curves, 1):
        try:
            found.append(_fit(curve, model))
        except _NoFitError as error:
            failed[curve.name] = str(error)
        step(n)
    return found, failed


class _NoFitError(Exception):
    """A light curve that SALT does not fit."""


def _fit(curve: LabelledCurve, model: Any) -> SaltFit:
    import sncosmo
    from astropy.table import Table

    z = curve.about.get("host_redshift", math.nan)
    if not 0 < z < 2:
        raise _NoFitError("no redshift")
    rest = EFFECTIVE_WAVELENGTH[curve.band] / (1.0 + z)
    used = np.isfinite(curve.flux) & (rest > 300.0) & (rest < 800.0)
    if used.sum() < _MIN_POINTS or not (curve.flux[used] > 5 * curve.flux_err[used]).any():
        raise _NoFitError("too few points")
    bands = [_band(k) for k in range(len(WIDTH))]
    points = Table({
        "time": curve.mjd[used], "band": np.array([bands[k] for k in curve.band[used]], object),
        "flux": curve.flux[used], "fluxerr": curve.flux_err[used], "zp": np.full(used.sum(), ZERO_POINT),
        "zpsys": np.full(used.sum(), "ab"),
    })  # fmt: skip
    model.set(z=z)
    names = ["t0", "x0", "x1", "c"]
    try:
        result, _ = sncosmo.fit_lc(points, model, names, bounds={"x1": (-5, 5), "c": (-1, 1)}, warn=False)
    except (sncosmo.fitting.DataQualityError, RuntimeError, ValueError) as error:
        raise _NoFitError(str(error)[:80]) from error
    if not result.success or result.covariance is None:
        raise _NoFitError("the fit does not converge")
    return _described(curve, z, dict(zip(result.param_names, result.parameters, strict=True)), result)


def _described(curve: LabelledCurve, z: float, of: dict[str, float], result: Any) -> SaltFit:
    """Tripp's formula, and the error of its sum from the covariance of the fit."""
    slope = np.array([0.0, -2.5 / math.log(10) / of["x0"], ALPHA, -BETA])
    mu = -2.5 * math.log10(of["x0"]) + _PEAK_B + ALPHA * of["x1"] - BETA * of["c"] - ABSOLUTE_MAG
    error = math.sqrt(float(slope @ result.covariance @ slope) + _SCATTER**2)
    return SaltFit(curve.name, curve.label, z, mu, error, of["t0"], of["x1"], of["c"], float(result.chisq),
                   int(result.ndof))  # fmt: skip


def _band(k: int) -> Any:
    """The simulator's band: a top hat, with edges of 2 nm."""
    import sncosmo

    middle, half = 10.0 * EFFECTIVE_WAVELENGTH[k], 5.0 * WIDTH[k]  # angstrom
    wave = np.array([middle - half - 10, middle - half + 10, middle + half - 10, middle + half + 10])
    return sncosmo.Bandpass(wave, np.array([0.0, 1.0, 1.0, 0.0]), name=f"tophat_{k}")
