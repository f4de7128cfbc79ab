"""Stored histories: an alert sees what packets of earlier nights brought, however blocks are cut."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redpoll.errors import StoreError
from redpoll.history.stage import NEWS, HistoryStage
from redpoll.schema.alert import alert_schema
from redpoll.schema.bands import DETECTION
from redpoll.schema.light_curve import LightCurves
from redpoll.schema.merging import one_per_exposure
from redpoll.store import histories
from redpoll.store.history_blobs import check, pack, unpack
from redpoll.store.history_bounds import NEWEST, PAST, bounded, compacted, sorted_by_time, thinned
from redpoll.store.schemas import run_script

NAMES = ("mjd", "band", "flux", "flux_err", "kind")
DAY = 60_000  # 2023-02-25
COLUMNS = ("light_curve", "history_days", "n_points", NEWS)


class Index:
    """An index with histories, the objects of alerts, and what the writer does at a commit."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        for script in ("index.sql", "histories.sql"):
            run_script(self.connection, Path(histories.__file__).with_name(script))
        self.connection.execute("INSERT INTO surveys VALUES (1, 'ztf')")
        self.stage = HistoryStage(histories.Histories(lambda sql, p: self.connection.execute(sql, p).fetchall()))

    def key(self, name: str) -> int:
        sql = "SELECT _id FROM objects WHERE object_id = ?"
        found = self.connection.execute(sql, (name,)).fetchone()
        if found:
            return int(found[0])
        facts = ("_survey", "ra", "dec", "hpx29", "first_mjd", "last_mjd", "_last_alert", "n_alerts")
        insert = f"INSERT INTO objects (object_id, {', '.join(facts)}) VALUES (?, 1, 0, 0, 0, 0, 0, 0, 0)"
        return int(self.connection.execute(insert, (name,)).lastrowid or 0)

    def commit(self, joined: pa.RecordBatch) -> None:
        keys = [self.key(name) for name in joined["object_id"].to_pylist()]
        self.connection.execute("BEGIN")
        histories.add(self.connection, keys, joined["alert_id"].to_pylist(), joined[NEWS].to_pylist())
        self.connection.execute("COMMIT")


Alert = tuple[int, str, float, list[tuple[float, int, float, float, int]]]


def batch_of(alerts: Sequence[Alert]) -> pa.RecordBatch:
    """Alerts (number, object, mjd, earlier points) as a batch."""
    curves = [[*sorted(points), (mjd, 1, 900.0, 1.0, DETECTION)] for _, _, mjd, points in alerts]
    points = [point for curve in curves for point in curve]
    offsets = np.concatenate([[0], np.cumsum([len(c) for c in curves], dtype=np.int64)])
    columns = [np.array([p[i] for p in points], t) for i, t in enumerate(("f8", "i1", "f4", "f4", "i1"))]
    packets = LightCurves(offsets, *columns)
    packets = one_per_exposure(packets, triggering=packets.triggering)
    mjd = np.array([a[2] for a in alerts], float)
    values = {
        "survey": pa.array(["ztf"] * len(alerts)).dictionary_encode().cast(alert_schema().field("survey").type),
        "alert_id": pa.array([a[0] for a in alerts], pa.int64()),
        "object_id": pa.array([a[1] for a in alerts], pa.string()),
        "night": pa.array([20230225 + int(m - DAY) for m in mjd], pa.int32()),
        "mjd": pa.array(mjd), "light_curve": packets.to_arrow(),
    }  # fmt: skip
    arrays = [values.get(f.name, pa.nulls(len(alerts), f.type)) for f in alert_schema()]
    return pa.RecordBatch.from_arrays(arrays, schema=alert_schema())


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


def night_by_night(index: Index, alerts: Sequence[Alert], cut) -> list[pa.RecordBatch]:
    """Each night's alerts in blocks: all joined before the first is committed, or one after the other."""
    done = []
    for night in sorted({int(a[2]) for a in alerts}):
        blocks = cut([a for a in alerts if int(a[2]) == night])
        for block in blocks:
            done.append(index.stage.join(batch_of(block)))
            index.commit(done[-1])
    return done


@settings(max_examples=60)
@given(streams(), st.integers(1, 4))
def test_block_boundaries_do_not_matter(alerts, size):
    whole = answers(night_by_night(Index(), alerts, lambda night: [night]))
    cut = lambda night: [night[i : i + size] for i in range(0, len(night), size)]  # noqa: E731
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
    index.connection.execute("DELETE FROM history_news")
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
        histories.add(index.connection, [1], [n], pack(some, np.full(len(points), mjd)))
    sizes = "SELECT (SELECT sum(length(data)) FROM histories), (SELECT sum(length(data)) FROM history_news)"
    packed, news = index.connection.execute(sizes).fetchone()
    assert packed < 2_000 * 30 and (news or 0) < 12 * 100 * 18
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
    rows = np.arange(len(drawn))
    for blob in blobs:
        check(blob, "x")
    found, knew = unpack(blobs, rows, rows, np.full(len(drawn), np.inf))
    assert all(getattr(found, n).tobytes() == getattr(curves, n).tobytes() for n in (*NAMES, "offsets"))
    assert np.array_equal(knew, known)


def test_the_bytes_of_version_1_stay_readable():
    blob = bytes.fromhex(
        "365f4f02" "01" "00" "0100" "01000000" "00000000204ced40" "01000000" "00000000004ced40" "0000c842" "0000803f"
        "12"
    )  # fmt: skip
    check(blob, "x")
    curves, known = unpack([blob], np.array([0]), np.array([0]), np.array([np.inf]))
    assert (curves.mjd[0], curves.band[0], curves.flux[0], curves.kind[0], known[0]) == (60000, 1, 100, 0, 60001)


@pytest.mark.parametrize("at", range(0, 41, 3))
@pytest.mark.parametrize("bit", [1, 128])
def test_a_flipped_bit_is_noticed(at, bit):
    index = Index()
    index.commit(index.stage.join(batch_of([(1, "a", DAY + 0.5, [])])))
    ((data,),) = index.connection.execute("SELECT data FROM history_news").fetchall()
    damaged = data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]
    index.connection.execute("UPDATE history_news SET data = ?", (damaged,))
    with pytest.raises(StoreError, match=r"ztf a.*damaged.*rebuild"):
        index.stage.join(batch_of([(2, "a", DAY + 1.5, [])]))


@pytest.mark.parametrize("blob", [b"\0", b"\1" * 12, b"\0" * 40])
def test_bytes_that_are_no_history_are_refused(blob):
    with pytest.raises(StoreError, match="damaged"):
        check(blob, "x")


def test_a_failed_commit_leaves_no_history():
    index = Index()
    joined = index.stage.join(batch_of([(1, "a", DAY + 0.5, [])]))
    index.connection.execute("BEGIN")
    histories.add(index.connection, [1], [1], joined[NEWS].to_pylist())
    index.connection.execute("ROLLBACK")
    assert index.connection.execute("SELECT count(*) FROM history_news").fetchone() == (0,)


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
    reader = histories.Histories(lambda sql, p: index.connection.execute(sql, p).fetchall())
    found = reader.read("ztf", ["x", "a", "a", ""], np.array([np.inf, np.inf, DAY, np.inf]))
    assert np.diff(found.offsets).tolist() == [0, 1, 0, 0]
    assert np.diff(reader.read("rubin", ["a"]).offsets).tolist() == [0]


def test_an_empty_batch_stays_empty():
    joined = Index().stage.join(batch_of([(1, "a", DAY + 0.5, [])]).slice(0, 0))
    assert joined.num_rows == 0 and NEWS in joined.schema.names
