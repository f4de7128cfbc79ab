from __future__ import annotations

from random import Random

import numpy as np
from exposure_oracle import kept
from hypothesis import given
from hypothesis import strategies as st

from redpoll.schema.light_curve import LightCurves
from redpoll.store.light_curves import Packet, merge, to_table

NAMES = ("mjd", "band", "flux", "flux_err", "kind")
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
        flux = (1 + 1000 * number + np.arange(len(ordered))).astype(np.float32)
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
    """The rule of `merge`, one point at a time; points of one time by band."""
    points = [
        (float(m), int(b), float(f), float(e), int(k), packet.mjd)
        for packet in packets
        for m, b, f, e, k in zip(*(getattr(packet.curve, n) for n in NAMES), strict=True)
    ]
    points.sort(key=lambda p: (p[0], p[1]))
    return [(points[i][0], points[i][1], points[i][2], points[i][4]) for i in kept(points)]


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
