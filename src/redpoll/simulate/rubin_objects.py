"""The diaObject of a Rubin packet: statistics of the object's detections up to the alert."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll.schema.bands import BANDS

Array = NDArray[np.float64]


def object_summary(
    mjd: Array, band: NDArray[np.int64], flux: Array, flux_err: Array, science_flux: Array
) -> dict[str, float]:
    """Statistics of an object's detections, time-sorted, band by band; null where a band has too few.

    Fluxes in nJy; ``psfFluxMaxSlope`` is the steepest change between neighbours in a band, nJy a day.
    """
    summary: dict[str, float] = {
        "nDiaSources": len(mjd),
        "firstDiaSourceMjdTai": float(mjd[0]),
        "lastDiaSourceMjdTai": float(mjd[-1]),
    }
    for k, name in enumerate(BANDS):
        these = band == k
        summary[f"{name}_psfFluxNdata"] = int(these.sum())
        if these.any():
            summary |= _band_summary(name, mjd[these], flux[these], flux_err[these], science_flux[these])
    return summary


def _band_summary(name: str, mjd: Array, flux: Array, flux_err: Array, science_flux: Array) -> dict[str, float]:
    weight = flux_err**-2.0
    mean_err = float(weight.sum() ** -0.5)
    values = {
        "psfFluxMean": (flux * weight).sum() / weight.sum(),
        "psfFluxMeanErr": mean_err,
        "psfFluxMin": flux.min(),
        "psfFluxMax": flux.max(),
        "psfFluxErrMean": flux_err.mean(),
        "scienceFluxMean": (science_flux * weight).sum() / weight.sum(),
        "scienceFluxMeanErr": mean_err,
    }
    if len(flux) > 1:
        values["psfFluxSigma"] = flux.std(ddof=1)
        values["psfFluxMaxSlope"] = np.abs(np.diff(flux) / np.diff(mjd)).max()
    return {f"{name}_{key}": float(value) for key, value in values.items()}
