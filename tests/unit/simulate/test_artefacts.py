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
    assert of["seeratio"] == pytest.approx(np.minimum(1.2 * 2.0 / of["fwhm"], 2.0))
    width = [np.median(of["fwhm"][kind == each]) for each in (COSMIC_RAY, STAR_RESIDUAL, GHOST)]
    assert width == sorted(width)
    assert np.median(of["sumrat"][kind == DIPOLE]) < 0.8 < np.median(of["sumrat"][kind == STAR_RESIDUAL])


def test_nearly_half_of_the_artefacts_at_stars_are_sharper_than_any_star():
    rng, n = np.random.default_rng(3), 4000
    shape = artefact_shape(np.full(n, STAR_RESIDUAL, float), rng.standard_normal((n, 16)), np.full(n, 2.0), np.ones(n))
    assert np.mean(shape["seeratio"] == 2.0) == pytest.approx(0.25, abs=0.05)
    assert np.percentile(shape["fwhm"], [25, 75]) == pytest.approx([1.3, 2.6], abs=0.2)


def test_a_spoiled_part_of_the_detector_is_shallow_for_the_artefact_and_its_flux_alone(ztf):
    for row in ztf.truth:
        packet, lost = ztf.packets[row["alert_id"]], row["depth_lost"]
        if row["class"] != "bogus" or not lost:
            continue
        limits = [p["diffmaglim"] for p in packet["prv_candidates"] or [] if p["candid"] is None]
        assert packet["candidate"]["diffmaglim"] < 19.0
        assert not limits or np.median(limits) > packet["candidate"]["diffmaglim"]


def test_artefacts_in_spoiled_parts_are_brighter_by_the_depth_lost():
    n = 2000
    parameters = Bogus().draw(np.random.default_rng(1), n, Window(60000, 60001, 20.5, 12.8))
    epochs = Epochs(
        np.arange(n + 1), np.arange(n), np.full(n, 60000.2), np.ones(n, int), np.full(n, 300.0), np.ones(n, bool)
    )
    one = np.abs(Bogus().flux(parameters, epochs, np.random.default_rng(2)))
    other = np.abs(Bogus().flux(parameters | {"depth_lost": np.zeros(n)}, epochs, np.random.default_rng(2)))
    assert 2.5 * np.log10(one / other) == pytest.approx(parameters["depth_lost"])
    spoiled = parameters["depth_lost"] > 0
    assert spoiled.mean() == pytest.approx(0.45, abs=0.04)
    assert parameters["depth_lost"][spoiled].min() > 2.2
