"""The light curve of an object: what its history gives is what the points of all its packets give by the one rule."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest
from history_index import DAY, Alert, Index, batch_of, night_by_night
from hypothesis import example, given, settings
from hypothesis import strategies as st

from redpoll.schema.bands import DETECTION, UPPER_LIMIT
from redpoll.schema.light_curve import LightCurves
from redpoll.schema.merging import one_per_exposure
from redpoll.store import histories
from redpoll.store.history_bounds import NEWEST, PAST, sorted_by_time

NAMES = ("mjd", "band", "flux", "flux_err", "kind")
FLUXES = (3.0, 5.0, 0.0, float("nan"))
STEP = 0.3e-5
Point = tuple[float, int, float, float, int]


@st.composite
def packets(draw) -> list[Alert]:
    """Alerts of two objects, night after night; their packets hold parts of what the survey knows in that night.

    The value of an exposure may change from night to night, and back; within a night it has one for each kind. The time
    of a measurement changes with its value, by less than what makes another exposure. Some points are measured after
    the alert.
    """
    days = sorted(draw(st.lists(st.integers(0, 70), min_size=1, max_size=12, unique=True)))
    table = draw(st.lists(st.integers(0, len(FLUXES) - 1), min_size=1, max_size=12))
    seen = st.sets(st.tuples(st.integers(0, 7), st.integers(0, 3)), max_size=5)
    some = st.tuples(st.integers(0, len(days) - 1), st.sampled_from("ab"), seen, st.booleans(), st.booleans())
    before: dict[str, list[float]] = {"a": [], "b": []}
    alerts: list[Alert] = []
    for number, (night, name, exposures, with_later, with_earlier) in enumerate(
        sorted(draw(st.lists(some, min_size=1, max_size=40)), key=lambda drawn: drawn[0])
    ):
        day = DAY + days[night]
        values = {(e, kind): table[(5 * e + 3 * night + kind) % len(table)] for e, kind in [*exposures, (8, 1), (9, 0)]}
        points = [_point(DAY - 9.0 + e, e, kind, values[e, kind]) for e, kind in exposures]
        points += [_point(day + 0.4, 8, 1, values[8, 1])] if with_later else []
        for mjd in before[name][-3:] if with_earlier else []:
            is_same_night = mjd > day
            points.append((mjd, 1, 900.0, 1.0, DETECTION) if is_same_night else _point(mjd, 9, 0, values[9, 0]))
        mjd = day + 0.3 + number * 1e-3
        before[name].append(mjd)
        alerts.append((number, name, mjd, points))
    return alerts


def _point(mjd: float, exposure: int, kind: int, which: int) -> Point:
    flux = float("nan") if kind == UPPER_LIMIT else FLUXES[which]
    return mjd + which * STEP, 1 + exposure % 2, flux, 1.0 + which, kind


def of_packets(joined: list[pa.RecordBatch], name: str) -> LightCurves:
    """All points of all packets of an object by the one rule; a point is known since its packet."""
    table = pa.Table.from_batches([b.select(["object_id", "mjd", "packet_light_curve"]) for b in joined])
    table = table.filter(pa.compute.equal(table["object_id"], name))
    curves = LightCurves.from_arrow(table["packet_light_curve"].combine_chunks())
    known = np.repeat(table["mjd"].to_numpy(), np.diff(curves.offsets))
    whole = LightCurves(np.array([0, len(known)]), *(getattr(curves, column) for column in NAMES))
    return one_per_exposure(*sorted_by_time(whole, known))


def values(curves: LightCurves) -> list[bytes]:
    return [getattr(curves, column).tobytes() for column in NAMES]


RETURNING = [(n, "a", DAY + n + 0.3, [(DAY - 9.0, 1, 5.0 if n == 1 else 3.0, 1.0, 1)]) for n in range(4)]
LATER = [(0, "a", DAY + 0.3, [(DAY + 0.4, 1, 3.0, 1.0, 3), (DAY + 0.5, 1, 4.0, 1.0, 3)])]


@pytest.fixture(scope="module", params=[1, 3, 12])
def max_news(request) -> Iterator[None]:
    """How many rows of news are packed together: few, so that it happens often, and as many as a store does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(histories, "MAX_NEWS", request.param)
        yield


@pytest.mark.usefixtures("max_news")
@settings(max_examples=60)
@example(RETURNING, 1)
@example(LATER, 1)
@given(packets(), st.integers(1, 9))
def test_the_history_of_an_object_is_what_all_its_packets_give(alerts, size):
    index = Index()
    done = night_by_night(index, alerts, lambda night: [night[i : i + size] for i in range(0, len(night), size)])
    for name in {alert[1] for alert in alerts}:
        assert values(histories.read_name(index.execute, name)) == values(of_packets(done, name))


@pytest.mark.usefixtures("max_news")
@settings(max_examples=25)
@given(packets())
def test_a_history_made_anew_from_the_archive_is_what_all_packets_give(alerts):
    index = Index()
    done = night_by_night(index, alerts, lambda night: [night])
    index.connection.execute("DELETE FROM histories")
    archived = [b.select(["alert_id", "night", "mjd", "packet_light_curve"]) for b in done]
    histories.add_archived(index.connection, "ztf", pa.Table.from_batches(archived))
    for name in {alert[1] for alert in alerts}:
        assert values(histories.read_name(index.execute, name)) == values(of_packets(done, name))


def test_of_more_points_than_the_bound_the_newest_stay_and_the_past_is_thinned():
    alerts = [(n, "a", DAY + n + 0.3, [(DAY + n + 0.3 - k / 150, 1, 3.0, 1.0, 1) for k in range(1, 150)])
              for n in range(30)]  # fmt: skip
    index = Index()
    found = of_packets(night_by_night(index, alerts, lambda night: [night]), "a")
    curve = histories.read_name(index.execute, "a")
    assert len(found.mjd) == 4_500 and len(curve.mjd) <= NEWEST + PAST
    assert np.array_equal(curve.mjd[-NEWEST:], found.mjd[-NEWEST:])
    assert set(curve.mjd) < set(found.mjd) and curve.mjd[0] < DAY + 0.5


def test_an_object_is_found_by_its_name_in_whichever_survey_and_an_unknown_one_is_not():
    index = Index()
    index.commit(index.stage.join(batch_of([(1, "a", DAY + 0.5, [])])))
    assert histories.read_name(index.execute, "a").mjd.tolist() == [DAY + 0.5]
    assert histories.read_name(index.execute, "A") is None
    index.connection.execute("DELETE FROM histories")
    assert histories.read_name(index.execute, "a").mjd.tolist() == []
