"""On real supernovae chi2 is no worse than that of scipy on 95 of 100; the rest is in benchmarks/curve_fitting.py."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import least_squares

from redpoll.astro.curve_fitting import bazin_fit, sigmoid_fit
from redpoll.astro.photometry import flux_err_from_mag_err, flux_from_mag


@pytest.fixture(scope="module")
def supernovae(data_dir):
    """Times, fluxes, errors and offsets of the r-band curves of the SNe Ia of at least 8 points: 100 of them."""
    table = pd.read_parquet(data_dir / "labelled/ztf_bts_snia_lightcurves.parquet")
    table = table[(table.band == "R") & (table.magerr > 0)].sort_values(["objectId", "time"])
    sizes = table.groupby("objectId").size()
    names = sizes[sizes >= 8].index[::5][:100]
    table = table[table.objectId.isin(names)]
    flux = flux_from_mag(table.mag)
    offsets = np.concatenate([[0], np.cumsum(table.groupby("objectId").size())])
    return table.time.to_numpy(), flux, flux_err_from_mag_err(table.magerr, flux), offsets


def _chi2_of_scipy(shape, start, t, flux, err):
    return 2 * least_squares(lambda p: (shape(t, p) - flux) / err, start, x_scale="jac", max_nfev=100).cost


def _fraction_no_worse(fit, shape, start_of, supernovae):
    t, flux, err, offsets = supernovae
    found, wins = fit(*supernovae), []
    for i in range(len(offsets) - 1):
        part = slice(offsets[i], offsets[i + 1])
        with np.errstate(all="ignore"):
            try:
                other = _chi2_of_scipy(shape, start_of(t[part], flux[part]), t[part], flux[part], err[part])
            except ValueError:  # scipy's start overflows
                other = np.inf
        wins.append(found.chi2[i] <= 1.001 * other + 0.001)
    return np.mean(wins)


def test_sigmoids_of_real_supernovae(supernovae):
    def shape(t, p):
        return p[0] / (1 + np.exp(-(t - p[2]) / p[1]))

    def start_of(t, flux):
        return (flux.max(), -np.ptp(t) / 8, t[np.argmin(np.abs(flux - flux.max() / 2))])

    assert _fraction_no_worse(sigmoid_fit, shape, start_of, supernovae) >= 0.95


def test_bazins_function_on_real_supernovae(supernovae):
    def shape(t, p):
        return abs(p[0]) * np.exp(-(t - p[1]) / abs(p[2])) / (1 + np.exp(-(t - p[1]) / abs(p[3]))) + p[4]

    def start_of(t, flux):
        return (2 * flux.max(), t[np.argmax(flux)], np.ptp(t) / 4, np.ptp(t) / 20, 0.0)

    assert _fraction_no_worse(bazin_fit, shape, start_of, supernovae) >= 0.95
