"""Cutouts as they are drawn: what flashes for a moment is a dash in sharper seeing."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from redpoll.astro.cutouts import Cutouts, measure_cutouts
from redpoll.simulate.cutouts import Scene, draw_cutouts

SIZE = 63


def looks(**changed):
    """What the difference cutout of one bright source looks like."""
    values = {f.name: np.full(1, np.nan) for f in fields(Scene)} | {"passing_flux": np.full((1, 0), np.nan)}
    given = {"x": 0.0, "y": 0.0, "flux": 2e4, "science_fwhm": 2.5, "template_fwhm": 2.0, "science_noise": 5.0,
             "template_noise": 2.0, "background": 100.0}  # fmt: skip
    values |= {name: np.full(1, value) for name, value in (given | changed).items()}
    scene = Scene(**values | {"size": SIZE, "gain": 6.2, "edges": np.full((1, 4), 100.0)})
    cutout = draw_cutouts(np.random.default_rng(1), scene)[2]
    shape = np.array([[SIZE, SIZE]])
    return measure_cutouts(Cutouts(np.array([0, SIZE * SIZE]), shape, cutout.ravel()), np.array([4.0]))


def test_a_dash_is_elongated_and_a_point_is_round():
    assert looks().elongation[0] < 1.15
    assert looks(dash=5.0, dash_angle=0.7).elongation[0] > 1.4


def test_a_short_dash_is_sharper_than_a_star():
    assert looks(dash=0.1, dash_angle=0.0).fwhm[0] < 0.95 * looks().fwhm[0]


def test_a_dash_keeps_its_light():
    assert looks(dash=3.0, dash_angle=0.7, science_fwhm=2.0).snr[0] == pytest.approx(looks().snr[0], rel=0.15)
