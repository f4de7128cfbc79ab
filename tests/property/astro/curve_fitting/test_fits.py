"""Fits of a batch are those of its curves one by one, whatever the order of the points; nothing upsets them."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from redpoll.astro.curve_fitting import bazin_fit, linexp_fit, paczynski_fit, rainbow_fit, sigmoid_fit

FITS = (
    lambda t, b, y, e, o: sigmoid_fit(t, y, e, o),
    lambda t, b, y, e, o: bazin_fit(t, y, e, o),
    lambda t, b, y, e, o: linexp_fit(t, y, e, o),
    lambda t, b, y, e, o: paczynski_fit(t, b, y, e, o),
    lambda t, b, y, e, o: rainbow_fit(t, b, y, e, o, temperature="sigmoid"),
    lambda t, b, y, e, o: rainbow_fit(t, b, y, e, o, bolometric="bazin", baseline="free", survey="ztf"),
)
fits = st.sampled_from(FITS)
anything = st.floats(allow_nan=True, allow_infinity=True)


@st.composite
def batches(draw):
    """A few curves of up to 90 points: bumps of any height with noise, in bands of which some do not exist."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    sizes = draw(st.lists(st.integers(0, 90), min_size=1, max_size=4))
    n = sum(sizes)
    t = 60000 + rng.uniform(0, draw(st.sampled_from([1.0, 40.0, 900.0])), n)
    height = draw(st.sampled_from([0.0, -5.0, 5.0, 300.0]))
    flux = height * np.exp(-((t - t.mean()) ** 2) / 50 if n else t) + rng.normal(0, 1, n)
    return t, rng.integers(-1, 6, n), flux, rng.uniform(0.5, 2, n), np.concatenate([[0], np.cumsum(sizes)])


def _arrays(fit):
    return [getattr(fit, field.name) for field in fields(fit)]


def _assert_equal(a, b):
    for x, y in zip(a, b, strict=True):
        np.testing.assert_array_equal(x, y)


@settings(max_examples=25)
@given(fits, batches())
def test_a_batch_is_its_curves_one_by_one(fit, batch):
    *points, offsets = batch
    together = fit(*batch)
    for i in range(len(offsets) - 1):
        part = [x[offsets[i] : offsets[i + 1]] for x in points]
        alone = fit(*part, np.array([0, len(part[0])]))
        _assert_equal([x[i : i + 1] for x in _arrays(together)], _arrays(alone))


@settings(max_examples=25)
@given(fits, batches(), st.integers(0, 2**32))
def test_the_order_of_the_points_makes_no_difference(fit, batch, seed):
    *points, offsets = batch
    owner = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    order = np.lexsort([np.random.default_rng(seed).random(len(owner)), owner])
    _assert_equal(_arrays(fit(*points, offsets)), _arrays(fit(*(x[order] for x in points), offsets)))


@settings(max_examples=25)
@given(fits, batches(), st.sampled_from([2.0**-20, 2.0**30]))
def test_the_unit_of_the_flux_makes_no_difference(fit, batch, unit):
    t, band, flux, err, offsets = batch
    plain, scaled = fit(t, band, flux, err, offsets), fit(t, band, flux * unit, err * unit, offsets)
    _assert_equal([plain.t0, plain.chi2, plain.n_points], [scaled.t0, scaled.chi2, scaled.n_points])
    fluxes = [x for x in ("amplitude", "baseline", "source_flux", "amplitude_err", "baseline_err") if hasattr(plain, x)]
    _assert_equal([getattr(plain, x) * unit for x in fluxes], [getattr(scaled, x) for x in fluxes])


@settings(max_examples=60)
@given(fits, st.lists(st.tuples(anything, st.integers(-3, 9), anything, anything), max_size=30))
@example(FITS[0], [(0.0, 0, 0.0, 1.0), (0.0, 0, 0.0, 2.4e-62), (1.3e301, 0, 245.0, 1.0)])  # an error overflows
def test_no_numbers_upset_a_fit(fit, rows):
    columns = np.array(rows, float).reshape(-1, 4)
    found = fit(columns[:, 0], columns[:, 1].astype(int), columns[:, 2], columns[:, 3], np.array([0, len(rows)]))
    assert np.isnan(found.chi2[0]) or found.chi2[0] >= 0
