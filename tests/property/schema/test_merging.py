"""One measurement per exposure and band, against the slow rule."""

from __future__ import annotations

import numpy as np
import pytest
from exposure_oracle import kept
from hypothesis import given
from hypothesis import strategies as st

from redpoll.schema.bands import DETECTION, FORCED, LOW_QUALITY, UPPER_LIMIT
from redpoll.schema.light_curve import LightCurves
from redpoll.schema.merging import best_of_each_exposure, joined, news, one_per_exposure

NAMES = ("mjd", "band", "flux", "flux_err", "kind")
VALUES = st.sampled_from([0.0, -3.0, 5.0, 7.0, np.nan, np.inf, -np.inf])
TIMES = st.integers(0, 12).map(lambda step: 59000 + step * 0.4e-5)  # some closer than an exposure, in chains
POINTS = st.lists(
    st.tuples(TIMES, st.integers(-1, 2), VALUES, VALUES, st.integers(-1, 3), st.integers(0, 2)), max_size=10
)
EXPOSURES = st.integers(0, 9).map(lambda n: 59000 + n * 2e-4)
CLEAN = st.lists(
    st.tuples(EXPOSURES, st.integers(1, 2), st.sampled_from([3.0, 5.0]), st.just(1.0), st.integers(0, 3), st.just(0)),
    max_size=12,
)


def curves_of(*curves, last=False):
    """Points as curves, sorted by time (the last stays last, if asked), and when each became known."""
    ordered = [
        [*sorted(c[:-1], key=lambda p: p[0]), *c[-1:]] if last else sorted(c, key=lambda p: p[0]) for c in curves
    ]
    points = [point for curve in ordered for point in curve]
    columns = [np.array([p[i] for p in points], t) for i, t in enumerate(["f8", "i1", "f4", "f4", "i1", "f8"])]
    offsets = np.concatenate([[0], np.cumsum([len(c) for c in ordered], dtype=np.int64)])
    return LightCurves(offsets, *columns[:5]), columns[5], ordered


def rows(curves):
    return [tuple(np.asarray(row).tolist()) for row in zip(*(getattr(curves, n) for n in NAMES), strict=True)]


def merged(points):
    """Curves of one exposure a point, as packets and stored histories are."""
    curves, known, _ = curves_of(points)
    return one_per_exposure(curves, known)


@given(st.lists(POINTS, max_size=4))
def test_the_kernel_equals_the_slow_rule(drawn):
    curves, known, ordered = curves_of(*drawn)
    found = [np.flatnonzero(k).tolist() for k in np.split(best_of_each_exposure(curves, known), curves.offsets[1:-1])]
    assert found[: len(drawn)] == [kept(points) for points in ordered]


@given(st.lists(POINTS.filter(len), min_size=1, max_size=4))
def test_the_triggering_detection_wins_its_exposure(drawn):
    curves, known, ordered = curves_of(*drawn, last=True)
    keep = best_of_each_exposure(curves, known, triggering=curves.triggering)
    found = [np.flatnonzero(k).tolist() for k in np.split(keep, curves.offsets[1:-1])]
    assert found == [kept(points, own=len(points) - 1) for points in ordered]


@given(POINTS, st.randoms())
def test_the_order_in_which_points_are_given_does_not_matter(drawn, random):
    shuffled = random.sample(drawn, len(drawn))
    assert repr(rows(merged(drawn))) == repr(rows(merged(shuffled)))


@given(CLEAN)
def test_merging_what_is_merged_changes_nothing(drawn):
    once = merged(drawn)
    assert best_of_each_exposure(once).all()


@given(st.lists(POINTS.filter(len), min_size=1, max_size=4))
def test_a_packet_that_is_merged_stays_as_it_is_without_a_history(drawn):
    curves, _, _ = curves_of(*drawn, last=True)
    packets = one_per_exposure(curves, triggering=curves.triggering)
    assert best_of_each_exposure(packets, triggering=packets.triggering).all()
    nothing = LightCurves(
        np.zeros(len(packets) + 1, np.int64), *(np.empty(0, t) for t in ("f8", "i1", "f4", "f4", "i1"))
    )
    assert repr(rows(joined(nothing, packets))) == repr(rows(packets))
    assert news(nothing, packets).all()


@given(CLEAN, CLEAN.filter(len))
def test_joining_equals_merging_all_points_at_once(old, new):
    end = (59001.0, 1, 9.0, 1.0, DETECTION, 0)
    stored, packet = merged(old), merged([*new, end])
    both = [(*p, 0) for p in rows(stored)] + [(*p, 1) for p in rows(packet)]
    assert rows(joined(stored, packet)) == rows(merged(both))


@given(CLEAN, CLEAN)
def test_storing_the_news_only_gives_what_storing_everything_gives(old, new):
    stored, packet = merged(old), merged(new)
    fresh = packet.kept(news(stored, packet))
    before = [(*p, 0) for p in rows(stored)]
    assert rows(merged(before + [(*p, 1) for p in rows(fresh)])) == rows(
        merged(before + [(*p, 1) for p in rows(packet)])
    )


def pair(kind, other, gap=0.4 / 86400):
    return [(59000.0, 1, 5.0, 1.0, kind, 0), (59000.0 + gap, 1, 6.0, 1.0, other, 0)]


@pytest.mark.parametrize(
    ("better", "worse"),
    [(DETECTION, FORCED), (FORCED, LOW_QUALITY), (LOW_QUALITY, UPPER_LIMIT), (DETECTION, UPPER_LIMIT)],
)
def test_kinds_outrank_each_other(better, worse):
    assert rows(merged(pair(better, worse))) == rows(merged(pair(better, worse)[:1]))
    assert rows(merged(pair(worse, better))) == rows(merged(pair(worse, better)[1:]))


@pytest.mark.parametrize("start", 59000 + np.linspace(0, 2e-5, 41))
def test_points_half_a_second_apart_are_one_exposure_wherever_they_lie(start):
    points = [(start + t - 59000.0, *rest) for t, *rest in pair(DETECTION, FORCED)]
    assert len(merged(points).mjd) == 1


def test_exposures_of_two_bands_and_those_a_second_apart_stay_two():
    assert len(merged(pair(DETECTION, DETECTION, gap=1.0 / 86400)).mjd) == 2
    first, second = pair(DETECTION, DETECTION)
    assert len(merged([first, (second[0], 2, *second[2:])]).mjd) == 2


def test_the_value_that_became_known_last_counts():
    old, new = (59000.0, 1, 9.0, 1.0, FORCED, 1), (59000.0, 1, 4.0, 1.0, FORCED, 2)
    assert merged([new, old]).flux.tolist() == [4.0]


@pytest.mark.parametrize(
    ("flux", "flux_err", "kind"),
    [(0.0, 1.0, FORCED), (np.nan, 1.0, FORCED), (np.nan, np.inf, UPPER_LIMIT), (np.nan, np.nan, UPPER_LIMIT),
     (np.nan, 0.0, UPPER_LIMIT), (np.inf, 1.0, DETECTION)],
)  # fmt: skip
def test_what_measures_nothing_is_left_out(flux, flux_err, kind):
    assert not len(merged([(59000.0, 1, flux, flux_err, kind, 0)]).mjd)
