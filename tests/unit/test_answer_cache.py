"""Answers kept by the content of what they were computed from."""

from __future__ import annotations

import numpy as np
import pytest

from redpoll.answer_cache import cached_answers, content_keys, using
from redpoll.astro.curve_fitting import paczynski_fit, rainbow_fit
from redpoll.astro.damped_random_walk import damped_random_walk_fit
from redpoll.astro.periods import multiband_periods
from redpoll.testing.fakes import FakeAnswerCache

OFFSETS = np.array([0, 3, 3, 5])
POINTS = [np.array([1.0, 2.0, 3.0, 4.0, 5.0]), np.array([5, 4, 3, 2, 1])]


def _sums(curves):
    return np.array([[POINTS[0][OFFSETS[i] : OFFSETS[i + 1]].sum()] for i in curves])


def test_only_what_is_not_known_is_computed():
    asked, cache = [], FakeAnswerCache()

    def compute(curves):
        asked.append(curves.tolist())
        return _sums(curves)

    with using(cache):
        for _ in range(2):
            assert cached_answers("sum", OFFSETS, POINTS, 1, compute).tolist() == [[6.0], [0.0], [9.0]]
        del cache.answers[content_keys("sum", OFFSETS, POINTS)[1].item()]
        assert cached_answers("sum", OFFSETS, POINTS, 1, compute).tolist() == [[6.0], [0.0], [9.0]]
    assert asked == [[0, 1, 2], [1]]


def test_without_a_cache_everything_is_computed():
    asked = []
    for _ in range(2):
        cached_answers("sum", OFFSETS, POINTS, 1, lambda curves: asked.append(curves.tolist()) or _sums(curves))
    with using(FakeAnswerCache()), using(None):
        cached_answers("sum", OFFSETS, POINTS, 1, lambda curves: asked.append(curves.tolist()) or _sums(curves))
    assert asked == [[0, 1, 2]] * 3


def test_an_answer_of_another_length_is_not_used():
    cache = FakeAnswerCache()
    cache.put(dict.fromkeys(content_keys("sum", OFFSETS, POINTS).tolist(), b"1234"))
    with using(cache):
        assert cached_answers("sum", OFFSETS, POINTS, 1, _sums).tolist() == [[6.0], [0.0], [9.0]]


def test_a_curve_of_another_batch_is_known():
    cache = FakeAnswerCache()
    with using(cache):
        cached_answers("sum", OFFSETS, POINTS, 1, _sums)
        found = cached_answers("sum", np.array([0, 2]), [x[3:] for x in POINTS], 1, lambda curves: 1 / 0)
    assert found.tolist() == [[9.0]]


def _changed(k, i, value):
    points = [x.copy() for x in POINTS]
    points[k][i] = value
    return points


@pytest.mark.parametrize("options, offsets, points", [
    ("max", OFFSETS, POINTS), ("sum", OFFSETS, [POINTS[0]]), ("sum", OFFSETS, POINTS[::-1]),
    ("sum", OFFSETS, _changed(0, 4, np.nextafter(5.0, 6.0))), ("sum", OFFSETS, _changed(1, 3, 3)),
    ("sum", OFFSETS, _changed(0, 3, 5.0)), ("sum", np.array([0, 2, 2, 5]), POINTS),
    ("sum", OFFSETS, [x[[0, 1, 2, 4, 3]] for x in POINTS]),
])  # fmt: skip
def test_another_key_for_other_options_points_or_order(options, offsets, points):
    assert content_keys(options, offsets, points)[2] != content_keys("sum", OFFSETS, POINTS)[2]


def test_keys_of_many_curves_differ():
    values = np.random.default_rng(1).integers(0, 3, 400_000).astype(np.float64)
    keys = content_keys("sum", np.arange(0, 400_001, 20), [values])
    assert len(np.unique(keys)) == len(np.unique(values.reshape(-1, 20), axis=0)) > 19_000


def test_a_key_is_the_hash_of_its_words():
    """The 64-bit steps of MurmurHash3, in Python's integers."""
    mask = 2**64 - 1

    def mixed(key, word):
        word = word * 0x87C37B91114253D5 & mask
        word = (word << 31 | word >> 33) * 0x4CF5AD432745937F & mask
        key ^= word
        return ((key << 27 | key >> 37) * 5 + 0x52DCE729) & mask

    keys = content_keys("sum", OFFSETS, POINTS).view(np.uint64).tolist()
    words = [POINTS[0].view(np.uint64).tolist(), POINTS[1].tolist()]
    empty = keys[1]  # the options alone: every other key begins with them, but for the number of points
    assert empty == content_keys("sum", np.array([0, 0]), [x[:0] for x in POINTS]).view(np.uint64)[0]
    one = content_keys("sum", np.array([0, 0]), []).view(np.uint64)[0]
    assert one == empty and len(set(keys)) == 3
    start = content_keys("sum", np.array([0, 2]), []).view(np.uint64)[0].item()
    for array in words:
        for word in array[3:]:
            start = mixed(start, word)
    assert start == keys[2]


def _stars():
    rng = np.random.default_rng(2)
    t = 60000 + np.sort(rng.uniform(0, 80, (6, 60)), axis=1)
    flux = 1000 * np.sin(2 * np.pi * t / 0.57) + rng.normal(0, 50, t.shape)
    sizes = np.array([60, 30, 0, 1, 60, 45])
    kept = np.arange(60) < sizes[:, None]
    band = np.tile([1, 2, 3], (6, 20))
    return t[kept], flux[kept], np.full(kept.sum(), 50.0), band[kept], np.concatenate([[0], np.cumsum(sizes)])


FITS = {
    "periods": lambda t, y, e, b, o, **k: multiband_periods(t, y, e, b, o, shortest=0.3, **k),
    "walk": lambda t, y, e, b, o, **k: damped_random_walk_fit(t, y, e, o, **k),
    "shape": lambda t, y, e, b, o, **k: rainbow_fit(t, b, y, e, o, bolometric="bazin", temperature="sigmoid", **k),
    "lens": lambda t, y, e, b, o, **k: paczynski_fit(t, b, y, e, o, **k),
}


def _columns(found):
    return found._asdict() if hasattr(found, "_asdict") else vars(found)


@pytest.mark.parametrize("known", [[], [0], [1, 3, 4], [0, 1, 2, 3, 4, 5]])
@pytest.mark.parametrize("name", FITS)
def test_the_answers_of_each_fit_are_those_without_a_cache(name, known):
    t, y, err, band, offsets = _stars()
    alone, cache = _columns(FITS[name](t, y, err, band, offsets)), FakeAnswerCache()
    with using(cache):
        for i in known:
            part = slice(offsets[i], offsets[i + 1])
            FITS[name](t[part], y[part], err[part], band[part], [0, offsets[i + 1] - offsets[i]], use_cache=True)
        before = len(cache.answers)
        found = _columns(FITS[name](t, y, err, band, offsets, use_cache=True))
    assert len(cache.answers) - before == 6 - len(known)
    for column, values in alone.items():
        np.testing.assert_array_equal(found[column], values, err_msg=column)
        assert found[column].dtype == values.dtype


@pytest.mark.parametrize("name, options", [
    ("periods", [{"shortest": 0.3}, {"shortest": 0.31}, {"n_bands": 4}, {"min_cycles": 0.7}, {"oversampling": 2.0}]),
    ("shape", [{}, {"bolometric": "bazin"}, {"temperature": "sigmoid"}, {"baseline": "free"}, {"survey": "ztf"}]),
])  # fmt: skip
def test_other_options_are_other_answers(name, options):
    t, y, err, band, offsets = _stars()
    cache = FakeAnswerCache()
    for n, some in enumerate(options, 1):
        with using(cache):
            if name == "periods":
                multiband_periods(t, y, err, band, offsets, use_cache=True, **some)
            else:
                rainbow_fit(t, band, y, err, offsets, use_cache=True, **some)
        assert len(cache.answers) >= 5 * n


def test_a_fit_that_is_not_asked_to_leaves_the_cache_alone():
    t, y, err, band, offsets = _stars()
    cache = FakeAnswerCache()
    with using(cache):
        for fit in FITS.values():
            fit(t, y, err, band, offsets)
    assert not cache.answers


@pytest.mark.parametrize("name", FITS)
def test_answers_of_a_fit_that_are_known_are_not_computed_again(name):
    t, y, err, band, offsets = _stars()
    cache, computed = FakeAnswerCache(), []
    with using(cache):
        FITS[name](t, y, err, band, offsets, use_cache=True)
        cache.put = lambda answers: computed.extend(answers)
        FITS[name](t, y, err, band, offsets, use_cache=True)
    assert not computed
