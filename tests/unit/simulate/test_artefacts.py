"""Artefacts: in shallow exposures, badly fitted in ZTF, with ratios that agree with their widths."""

from __future__ import annotations

import numpy as np
import pytest

from redpoll.simulate.classes.bogus import COSMIC_RAY, DIPOLE, GHOST, STAR_RESIDUAL, Bogus
from redpoll.simulate.classes.contract import Epochs, Window
from redpoll.simulate.ztf_artefacts import artefact_shape


def flux_at(noise, n=4000):
    """Flux of `n` artefacts of one night with exposures of this noise, (n, exposures)."""
    k = len(noise)
    epochs = Epochs(
        np.arange(n + 1) * k, np.repeat(np.arange(n), k), np.tile(60000 + np.arange(k) / 24, n),
        np.ones(n * k, int), np.tile(noise, n), np.ones(n * k, bool),
    )  # fmt: skip
    parameters = Bogus().draw(np.random.default_rng(1), n, Window(60000, 60001, 20.5, 12.8))
    parameters["recurrence"] = np.zeros(n)
    return Bogus().flux(parameters, epochs, np.random.default_rng(2)).reshape(n, k)


def test_an_artefact_shows_once_and_more_often_in_shallow_exposures():
    shows = flux_at([100.0, 300.0]) != 0
    assert (shows.sum(axis=1) == 1).all()
    assert shows[:, 1].mean() == pytest.approx(0.9, abs=0.02)  # weights 1 and 9


def test_artefacts_have_larger_errors_in_ztf_than_their_images_imply(ztf):
    rows = [r for r in ztf.truth if r["class"] == "bogus"]
    error = np.array([r["flux_err"] / abs(r["flux"]) for r in rows])
    assert 0.06 < np.median(error) < 0.17 and (error > 0.03).all() and (error < 0.2).all()


def test_ratios_of_shape_agree_with_the_width():
    rng, n = np.random.default_rng(1), 2000
    kind = rng.choice(5, n).astype(float)
    seeing, elongation = np.full(n, 2.0), np.full(n, 1.2)
    of = artefact_shape(kind, rng.standard_normal((n, 16)), seeing, elongation)
    assert of["aimagerat"] == pytest.approx(of["aimage"] / of["fwhm"])
    assert of["seeratio"] == pytest.approx(np.minimum(2.0 / of["fwhm"], 2.0))
    width = [np.median(of["fwhm"][kind == each]) for each in (COSMIC_RAY, STAR_RESIDUAL, GHOST)]
    assert width == sorted(width)
    assert np.median(of["sumrat"][kind == DIPOLE]) < 0.8 < np.median(of["sumrat"][kind == STAR_RESIDUAL])
