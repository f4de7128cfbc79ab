"""Stored histories: an alert sees what packets of earlier nights brought, however blocks are cut."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from history_index import DAY, Alert, Index, batch_of, night_by_night
from hypothesis import given, settings
from hypothesis import strategies as st

from redpoll.errors import StoreError
from redpoll.history.stage import NEWS
from redpoll.schema.light_curve import LightCurves
from redpoll.schema.merging import one_per_exposure
from redpoll.store import histories
from redpoll.store.history_blobs import Blobs, check, pack, unpack
from redpoll.store.history_bounds import NEWEST, PAST, bounded, compacted, sorted_by_time, thinned
from redpoll.store.history_reading import merged
from redpoll.store.objects import KEY_BITS, MAX_ALERTS_PER_OBJECT

NAMES = ("mjd", "band", "flux", "flux_err", "kind")
COLUMNS = ("light_curve", "history_days", "n_points", NEWS)


@st.composite
def streams(draw) -> list[Alert]:
    """Alerts of two objects over three nights, whose packets hold different parts of what the survey measured."""
    alerts: list[Alert] = []
    for number in range(draw(st.integers(1, 9))):
        night = draw(st.integers(0, 2))
        mjd = DAY + night + 0.3 + number * 1e-3
        steps = draw(st.lists(st.integers(0, 8), max_size=5, unique=True))
        kinds, fluxes = st.integers(0, 3), st.sampled_from([3.0, 5.0])
        points = [(DAY - 10.0 + s + night, 1, draw(fluxes), 1.0, draw(kinds)) for s in steps]
        alerts.append((number, draw(st.sampled_from("ab")), mjd, [p for p in points if p[0] < mjd - 0.2]))
    return sorted(alerts, key=lambda a: a[2])


def answers(joined: Sequence[pa.RecordBatch]) -> dict[int, str]:
    rows = [row for batch in joined for row in batch.select(["alert_id", *COLUMNS]).to_pylist()]
    return {row["alert_id"]: repr(row) for row in rows}


@settings(max_examples=60)
@given(streams(), st.integers(1, 4))
def test_block_boundaries_do_not_matter(alerts, size):
    whole = answers(night_by_night(Index(), alerts, lambda night: [night]))

    def cut(night):
        return [night[i : i + size] for i in range(0, len(night), size)]

    assert answers(night_by_night(Index(), alerts, cut)) == whole


@settings(max_examples=60)
@given(streams(), st.randoms())
def test_the_order_within_a_night_does_not_matter(alerts, random):
    whole = answers(night_by_night(Index(), alerts, lambda night: [night]))
    shuffled = answers(night_by_night(Index(), alerts, lambda n: [[a] for a in random.sample(n, len(n))]))
    assert shuffled == whole


@settings(max_examples=60)
@given(streams(), st.randoms(), st.integers(0, 9))
def test_workers_that_join_before_others_commit_give_the_same(alerts, random, ahead):
    whole = answers(night_by_night(Index(), alerts, lambda night: [night]))
    index, done = Index(), []
    for night in sorted({int(a[2]) for a in alerts}):
        waiting = []
        for alert in (a for a in alerts if int(a[2]) == night):
            waiting.append(index.stage.join(batch_of([alert])))
            while len(waiting) > ahead or (waiting and random.random() < 0.4):
                done.append(waiting.pop(random.randrange(len(waiting))))
                index.commit(done[-1])
        for batch in random.sample(waiting, len(waiting)):
            done.append(batch)
            index.commit(batch)
    assert answers(done) == whole


@settings(max_examples=60)
@given(streams(), st.integers(0, 8), st.randoms())
def test_a_replay_after_a_crash_gives_the_same(alerts, crash, random):
    whole = answers(night_by_night(Index(), alerts, lambda night: [night]))
    index, done = Index(), []
    nights = sorted({int(a[2]) for a in alerts})
    reached = nights[min(crash, len(nights) - 1)]
    for night in nights:
        here = [a for a in alerts if int(a[2]) == night]
        committed = random.sample(here, random.randrange(len(here) + 1)) if night == reached else []
        for alert in committed:  # these came through before the crash, the replay leaves them out as stored
            done.append(index.stage.join(batch_of([alert])))
            index.commit(done[-1])
        index.stage.join(batch_of(here))  # joined, then lost
        if rest := [a for a in here if a not in committed]:
            done.append(index.stage.join(batch_of(rest)))
            index.commit(done[-1])
    assert answers(done) == whole


@settings(max_examples=60)
@given(streams(), st.randoms())
def test_alerts_out_of_order_see_only_what_lies_before_them(alerts, random):
    index = Index()
    for alert in random.sample(alerts, len(alerts)):
        joined = index.stage.join(batch_of([alert]))
        index.commit(joined)
        mjd = joined["light_curve"][0].values.field("mjd").to_numpy()
        assert mjd.max() == mjd[-1] == alert[2] and (np.diff(mjd) >= 0).all()
        brought = {p[0] for a in alerts if a[1] == alert[1] and int(a[2]) < int(alert[2]) for p in a[3]}
        brought |= {a[2] for a in alerts if a[1] == alert[1] and int(a[2]) < int(alert[2])}
        assert set(mjd) <= brought | {p[0] for p in alert[3]} | {alert[2]}


@settings(max_examples=60)
@given(streams())
def test_histories_made_anew_from_the_archive_give_the_same_answers(alerts):
    index = Index()
    done = night_by_night(index, alerts, lambda night: [night])
    later = batch_of([(99, name, DAY + 5.0, []) for name in "ab"])
    before = answers([index.stage.join(later)])
    index.connection.execute("DELETE FROM histories")
    archived = [b.select(["object_id", "alert_id", "night", "mjd", "packet_light_curve"]) for b in done]
    histories.add_archived(index.connection, "ztf", pa.Table.from_batches(archived))
    assert answers([index.stage.join(later)]) == before


def long_history(n: int, seed: int = 0) -> tuple[LightCurves, np.ndarray]:
    rng = np.random.default_rng(seed)
    mjd = DAY + np.sort(rng.uniform(0, 3000, n))
    band, kind = rng.integers(0, 3, n).astype(np.int8), rng.integers(0, 4, n).astype(np.int8)
    flux = rng.normal(100, 5, n).astype(np.float32)
    return LightCurves(np.array([0, n]), mjd, band, flux, np.ones(n, np.float32), kind), np.ceil(mjd)


def test_an_object_of_100_000_points_keeps_the_newest_and_a_thinned_past_in_every_band():
    curves, known = long_history(100_000)
    found = bounded(curves, known)
    assert len(found.mjd) <= NEWEST + PAST
    assert np.array_equal(found.mjd[-NEWEST:], one_per_exposure(curves).mjd[-NEWEST:])
    for band in range(3):
        assert np.diff(found.mjd[found.band == band]).max() < 30 and found.mjd[found.band == band][0] < DAY + 20


@pytest.mark.parametrize("cut", [2_100, 5_000, 19_000])
def test_thinning_as_points_come_equals_thinning_at_once(cut):
    curves, _ = long_history(20_000)
    once, level = thinned(curves, np.zeros(1, np.int64))
    early = np.arange(20_000) < cut
    keep, levels = thinned(curves.kept(early), np.zeros(1, np.int64))
    some = np.concatenate([np.flatnonzero(early)[keep], np.flatnonzero(~early)])
    again, levels = thinned(curves.kept(np.isin(np.arange(20_000), some)), levels)
    assert np.array_equal(some[again], np.flatnonzero(once)) and np.array_equal(levels, level)


def test_many_alerts_of_one_object_cost_no_more_than_the_bound():
    index = Index()
    curves, _ = long_history(6_000)
    for n, points in enumerate(np.array_split(np.arange(6_000), 60)):
        mjd = curves.mjd[points[-1]] + 0.5
        some = curves.kept(np.isin(np.arange(6_000), points))
        histories.add(index.connection, [(1 << KEY_BITS) + n], pack(some, np.full(len(points), mjd)))
    is_packed = f"_id & {MAX_ALERTS_PER_OBJECT} = {MAX_ALERTS_PER_OBJECT}"
    sizes = f"SELECT {is_packed}, count(*), sum(length(data)) FROM histories GROUP BY 1"
    rows = {bool(is_packed): rest for is_packed, *rest in index.connection.execute(sizes)}
    assert rows[True][0] == 1 and rows[True][1] < 2_000 * 30
    assert False not in rows or (rows[False][0] < 12 and rows[False][1] < 12 * 100 * 20)
    assert len(histories.read_keys(index.connection, [1], np.array([np.inf])).mjd) <= NEWEST + PAST


VALUES = st.floats(width=32)
BLOBS = st.lists(
    st.tuples(st.floats(1, 1e6), st.integers(-1, 5), VALUES, VALUES, st.integers(-1, 3), st.integers(0, 3)), max_size=9
)


@given(st.lists(BLOBS, max_size=4))
def test_what_is_packed_is_unpacked_bit_for_bit(drawn):
    points = [(i, *p) for i, c in enumerate(drawn) for p in sorted(c, key=lambda p: (p[5], p[0]))]
    columns = [np.array([p[i] for p in points], t) for i, t in enumerate(("i8", "f8", "i1", "f4", "f4", "i1", "f8"))]
    offsets = np.concatenate([[0], np.cumsum([len(c) for c in drawn], dtype=np.int64)])
    curves, known = LightCurves(offsets, *columns[1:6]), columns[6]
    blobs = pack(curves, known)
    assert all(len(blob) % 8 == 0 for blob in blobs)
    found, knew = unpack(whole(blobs), np.arange(len(drawn) + 1))
    assert all(getattr(found, n).tobytes() == getattr(curves, n).tobytes() for n in (*NAMES, "offsets"))
    assert np.array_equal(knew, known)


def whole(blobs: list[bytes]) -> Blobs:
    return Blobs.of(blobs, str)


TIMES = st.sampled_from([DAY + step for step in (0.0, 4e-6, 8e-6, 1.3e-5, 0.5, 0.5 + 5e-6, 1.0, 2.0)])
FEW = st.sampled_from([0.0, 3.0, 5.0, np.nan, np.inf])
STORED = st.lists(
    st.lists(st.tuples(TIMES, st.integers(-1, 2), FEW, FEW, st.integers(-1, 3), st.sampled_from([1.0, 2.0, 3.0]))),
    max_size=5,
)


@settings(max_examples=300)
@given(STORED, st.lists(st.tuples(st.integers(0, 5), st.sampled_from([0.0, 1.5, 2.5, DAY + 0.5, np.inf])), max_size=6))
def test_reading_in_one_pass_gives_what_unpacking_sorting_and_merging_give(drawn, wanted):
    blobs = [blob for c in drawn for blob in pack(*one_curve(c))]
    rows = [(n % (len(drawn) + 1), end) for n, end in wanted]  # the last object is not known
    bounds = np.minimum(np.arange(len(drawn) + 2), len(drawn))
    row_of, before = np.array([n for n, _ in rows], np.int64), np.array([end for _, end in rows], float)
    found = merged(whole(blobs), bounds, row_of, before)
    for (n, end), curve in zip(rows, found, strict=True):
        points = [p for p in (drawn[n] if n < len(drawn) else []) if p[0] < end and p[5] < end]
        slow = bounded(*sorted_by_time(*one_curve(points)))
        assert all(getattr(curve, name).tobytes() == getattr(slow, name).tobytes() for name in NAMES)


def one_curve(points) -> tuple[LightCurves, np.ndarray]:
    points = sorted(points, key=lambda p: (p[5], p[0]))
    columns = [np.array([p[i] for p in points], t) for i, t in enumerate(("f8", "i1", "f4", "f4", "i1", "f8"))]
    return LightCurves(np.array([0, len(points)]), *columns[:5]), columns[5]


def test_the_bytes_of_a_history_stay_as_they_are():
    curves = LightCurves(np.array([0, 1]), np.array([60000.0]), np.array([1], np.int8), np.array([100], np.float32),
                         np.array([1], np.float32), np.array([0], np.int8))  # fmt: skip
    (blob,) = pack(curves, np.array([60001.0]), [1])
    assert blob == bytes.fromhex(
        "02" "01" "0100" "01000000" "00000000204ced40" "00000000004ced40" "0000c842" "0000803f" "01000000"
        "12" "00000000000000" "172c1a2e"
    )  # fmt: skip


@pytest.mark.parametrize("at", range(0, 48, 3))
@pytest.mark.parametrize("bit", [1, 128])
def test_a_flipped_bit_is_noticed(at, bit):
    index = Index()
    index.commit(index.stage.join(batch_of([(1, "a", DAY + 0.5, [])])))
    ((data,),) = index.connection.execute("SELECT data FROM histories").fetchall()
    damaged = data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]
    index.connection.execute("UPDATE histories SET data = ?", (damaged,))
    with pytest.raises(StoreError, match=r"ztf a.*damaged.*rebuild"):
        index.stage.join(batch_of([(2, "a", DAY + 1.5, [])]))


def sealed(begin: bytes) -> bytes:
    """Bytes with the CRC-32 that makes them look whole."""
    return begin + zlib.crc32(begin).to_bytes(4, "little")


@pytest.mark.parametrize(
    "blob",
    [
        b"", b"\0", b"\1" * 12, b"\0" * 40, sealed(b""), sealed(b"\2\0\0\0"), sealed(b"\1" + bytes(11)),
        sealed(b"\2\0\0\0" + b"\xff" * 4 + bytes(4)),  # more points than bytes
        sealed(b"\2\0\xff\xff" + bytes(8)),  # more packets than bytes
        sealed(b"\2\0\1\0\1\0\0\0" + bytes(24) + b"\xff" * 4 + bytes(8)),  # a packet with more points than there are
        sealed(b"\2\0\1\0\1\0\0\0" + bytes(36)),  # a packet without the point
    ],
)  # fmt: skip
def test_bytes_that_are_no_history_are_refused(blob):
    with pytest.raises(StoreError, match="x is damaged"):
        check(blob, "x")


@settings(max_examples=200)
@given(st.binary(max_size=100), st.integers(0, 3), st.integers(0, 3))
def test_hostile_bytes_with_a_right_checksum_are_refused_or_read_within_bounds(data, n_packets, n):
    begin = bytes([2, 0, n_packets, 0, n, 0, 0, 0]) + data
    blob = sealed(begin + bytes(-(len(begin) + 4) % 8))
    try:
        found = merged(whole([blob]), np.array([0, 1]), np.array([0]), np.array([np.inf]))
    except StoreError:
        return
    assert len(found.mjd) <= n and set(found.band.tolist()) <= set(range(-1, 6))
    assert set(found.kind.tolist()) <= set(range(-1, 4))


def test_a_failed_commit_leaves_no_history():
    index = Index()
    joined = index.stage.join(batch_of([(1, "a", DAY + 0.5, [])]))
    index.connection.execute("BEGIN")
    histories.add(index.connection, [1 << KEY_BITS], joined[NEWS].to_pylist())
    index.connection.execute("ROLLBACK")
    assert index.connection.execute("SELECT count(*) FROM histories").fetchone() == (0,)


def test_a_value_that_was_corrected_later_is_seen_as_it_was_known():
    index = Index()
    for number, (night, flux) in enumerate([(0, 3.0), (1, 5.0)]):
        alert = (number, "a", DAY + night + 0.5, [(DAY - 9.0, 1, flux, 1.0, 1)])
        index.commit(index.stage.join(batch_of([alert])))
    keys, ends = [index.key("a")] * 3, DAY + np.array([0.1, 1.1, 2.1])
    found = histories.read_keys(index.connection, keys, ends)
    assert [c.flux[:1].tolist() for c in found] == [[], [3.0], [5.0]]


def test_packing_together_keeps_what_late_alerts_need():
    curves = LightCurves(
        np.array([0, 3]), np.array([DAY - 90.0, DAY - 9.0, DAY - 9.0]), np.array([1, 1, 1], np.int8),
        np.array([1, 3, 5], np.float32), np.ones(3, np.float32), np.ones(3, np.int8),
    )  # fmt: skip
    recent = compacted(*sorted_by_time(curves, DAY + np.array([0.0, 0.0, 20.0])), np.zeros(1, np.int64))
    old = compacted(*sorted_by_time(curves, DAY + np.array([50.0, 0.0, 2.0])), np.zeros(1, np.int64))
    assert (recent[0].flux.tolist(), old[0].flux.tolist()) == ([1, 3, 5], [1, 5])


def test_unknown_objects_and_repeated_ones_have_their_rows():
    index = Index()
    index.commit(index.stage.join(batch_of([(1, "a", DAY + 0.5, [])])))
    reader = histories.Histories(index.execute)
    found = reader.read("ztf", ["x", "a", "a", ""], np.array([np.inf, np.inf, DAY, np.inf]))
    assert np.diff(found.offsets).tolist() == [0, 1, 0, 0]
    assert np.diff(reader.read("rubin", ["a"]).offsets).tolist() == [0]


def test_an_empty_batch_stays_empty():
    joined = Index().stage.join(batch_of([(1, "a", DAY + 0.5, [])]).slice(0, 0))
    assert joined.num_rows == 0 and NEWS in joined.schema.names
