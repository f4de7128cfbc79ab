from __future__ import annotations

from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from redpoll.schema.bands import DETECTION, FORCED, LOW_QUALITY, UPPER_LIMIT
from redpoll.schema.light_curve import LightCurves
from redpoll.store.light_curves import Packet, merge, to_table

# times a few rounding steps apart, so that points meet; values are the packet's and the point's number
TICKS = st.integers(0, 12).map(lambda tick: 59000 + tick * 0.4e-5)
POINTS = st.lists(st.tuples(TICKS, st.integers(-1, 2), st.integers(-1, 3)), max_size=8)
PACKETS = st.lists(st.tuples(st.integers(0, 3), POINTS), max_size=6)


def packets_of(drawn: list[tuple[int, list[tuple[float, int, int]]]]) -> list[Packet]:
    """Packets with alert identifiers in order; the flux of a point tells where it comes from."""
    packets = []
    for number, (mjd, points) in enumerate(drawn):
        ordered = sorted(points, key=lambda p: p[0])
        columns = [np.array([p[i] for p in ordered]) for i in range(3)]
        flux = (1000 * number + np.arange(len(ordered))).astype(np.float32)
        curve = LightCurves(
            np.array([0, len(ordered)]),
            columns[0].astype(float),
            columns[1].astype(np.int8),
            flux,
            flux,
            columns[2].astype(np.int8),
        )
        packets.append(Packet(59000.0 + mjd, number, curve))
    return packets


def slow_merge(packets: list[Packet]) -> list[tuple[float, int, float, int]]:
    """The rule of `merge`, one point at a time."""
    rank = {DETECTION: 0, FORCED: 0, LOW_QUALITY: 1, UPPER_LIMIT: 2, -1: 4}
    best: dict[tuple[int, int, bool], tuple[int, tuple[float, int, float, int]]] = {}
    for packet in sorted(packets, key=lambda p: (p.mjd, p.alert_id)):
        curve = packet.curve
        for mjd, band, flux, kind in zip(curve.mjd, curve.band, curve.flux, curve.kind, strict=True):
            key = (int(np.rint(mjd * 100_000)), int(band), bool(kind == FORCED))
            if key not in best or rank[int(kind)] <= best[key][0]:
                best[key] = (rank[int(kind)], (float(mjd), int(band), float(flux), int(kind)))
    points = [(point, key[2]) for key, (_, point) in best.items()]
    return [point for point, _ in sorted(points, key=lambda p: (p[0][0], p[0][1], p[1]))]


@given(PACKETS)
def test_merging_equals_the_slow_rule(drawn: list[tuple[int, list[tuple[float, int, int]]]]) -> None:
    packets = packets_of(drawn)
    merged = merge(packets)
    points = zip(merged.mjd, merged.band, merged.flux, merged.kind, strict=True)
    assert [(float(m), int(b), float(f), int(k)) for m, b, f, k in points] == slow_merge(packets)


@given(PACKETS, st.randoms())
def test_the_order_in_which_packets_came_does_not_matter(
    drawn: list[tuple[int, list[tuple[float, int, int]]]], random: Random
) -> None:
    packets = packets_of(drawn)
    shuffled = random.sample(packets, len(packets))
    assert to_table(merge(packets)).equals(to_table(merge(shuffled)))


@given(PACKETS)
def test_merging_what_is_merged_changes_nothing(drawn: list[tuple[int, list[tuple[float, int, int]]]]) -> None:
    once = merge(packets_of(drawn))
    assert to_table(merge([Packet(0.0, 0, once)])).equals(to_table(once))
