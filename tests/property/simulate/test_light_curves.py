"""Whatever is drawn: light is finite, and nothing shines less than nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redpoll.astro.photometry import flux_from_mag
from redpoll.simulate.classes import CLASSES
from redpoll.simulate.classes.contract import Epochs, Window

ARTEFACTS = {"bogus"}


@st.composite
def ragged_epochs(draw, start):
    """Epochs of a few objects around the window, at least one of each inside it."""
    n = draw(st.integers(1, 6))
    counts = [draw(st.integers(1, 12)) for _ in range(n)]
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    times = [np.sort(np.append(rng.uniform(start - 1500, start + 1, k - 1), start + rng.random())) for k in counts]
    mjd = np.concatenate(times)
    return Epochs(
        offsets=np.concatenate([[0], np.cumsum(counts)]),
        index=np.repeat(np.arange(n), counts),
        mjd=mjd,
        band=rng.integers(0, 6, len(mjd)),
        noise=rng.uniform(50, 1000, len(mjd)),
        in_window=mjd >= start,
    )


@pytest.mark.parametrize("name", CLASSES)
@settings(max_examples=25)
@given(data=st.data(), seed=st.integers(0, 2**32), depth=st.floats(18.0, 25.0))
def test_light_is_finite_and_total_light_positive(name, data, seed, depth):
    model, rng = CLASSES[name], np.random.default_rng(seed)
    window = Window(60000.0, 60001.0, depth, 13.0)
    epochs = data.draw(ragged_epochs(window.start))
    parameters = model.draw(rng, len(epochs.offsets) - 1, window)
    flux = model.flux(parameters, epochs, rng)
    reference = model.reference_mag(parameters)
    assert flux.shape == epochs.mjd.shape
    assert np.isfinite(flux).all()
    assert all(np.isfinite(values).all() for values in parameters.values())
    if name not in ARTEFACTS:
        template = 0.0 if reference is None else flux_from_mag(reference[epochs.index, epochs.band])
        assert (flux + template >= -1e-6 * (1 + np.abs(flux))).all()


@pytest.mark.parametrize("name", sorted(set(CLASSES) - {"agn", "bogus", "young_star"}))
@settings(max_examples=10)
@given(seed=st.integers(0, 2**32), data=st.data())
def test_an_object_shines_the_same_alone_or_among_others(name, seed, data):
    model, window = CLASSES[name], Window(60000.0, 60001.0, 20.5, 13.0)
    epochs = data.draw(ragged_epochs(window.start))
    n = len(epochs.offsets) - 1
    parameters = model.draw(np.random.default_rng(seed), n, window)
    together = model.flux(dict(parameters), epochs, np.random.default_rng(0))
    part = slice(epochs.offsets[n - 1], epochs.offsets[n])
    alone = Epochs(
        offsets=np.array([0, part.stop - part.start]),
        index=np.zeros(part.stop - part.start, np.int64),
        mjd=epochs.mjd[part],
        band=epochs.band[part],
        noise=epochs.noise[part],
        in_window=epochs.in_window[part],
    )
    own = {key: values[n - 1 : n] for key, values in parameters.items() if len(values) == n}
    np.testing.assert_allclose(model.flux(own, alone, np.random.default_rng(0)), together[part], rtol=1e-9)
