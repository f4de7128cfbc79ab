"""A night's plan on the sky: within hours and limits, never two targets at once, the same from the same input."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redpoll.learn.followup.candidates import Candidates
from redpoll.learn.followup.exposure import signal_to_noise
from redpoll.learn.followup.plan import NOT_CHOSEN, NOT_VISIBLE, OBSERVED, TOO_FAINT, Plan, make_plan
from redpoll.learn.followup.plan_files import observing_blocks, plan_rows, plan_table, plot_airmass
from redpoll.learn.followup.sky_brightness import airmass_of
from redpoll.learn.followup.telescope import Telescope

NORTH = Telescope(latitude=28.3, longitude=-16.51, elevation=2390, aperture=1.0, hours=1.0)
SOUTH = Telescope(latitude=-30.24, longitude=-70.74, elevation=2713, aperture=4.0, hours=2.0, setup=10.0)
NIGHT = 20261201


def targets(n: int, seed: int = 1, faint: float = 21.0) -> Candidates:
    rng = np.random.default_rng(seed)
    dec = np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
    names = [f"object {i}" for i in range(n)]
    return Candidates(
        names, ["ztf"] * n, rng.uniform(0, 360, n), dec, rng.uniform(16, faint, n), rng.uniform(0.01, 1, n)
    )


def check(plan: Plan, candidates: Candidates, telescopes: Mapping[str, Telescope]) -> None:
    """Every rule of the plan, from what it says of each observation."""
    assert len({each.target for each in plan.observations}) == len(plan.observations)
    assert plan.outcome.count(OBSERVED) == len(plan.observations)
    assert plan.utility == pytest.approx(sum(candidates.utility[each.target] for each in plan.observations))
    for name, at in telescopes.items():
        mine = [each for each in plan.observations if each.telescope == name]
        assert sum(each.seconds for each in mine) <= at.hours * 3600
        for one, following in pairwise(mine):
            assert one.end <= following.start + 1e-9
        for each in mine:
            sky, track = plan.nights[name], plan.tracks[name]
            taken = (sky.mjd > each.start - 1e-6) & (sky.mjd < each.end - 1e-6)
            assert taken.any() and each.end <= sky.mjd[taken][-1] + sky.slot_minutes / 1440 + 1e-9
            assert (sky.sun_altitude[taken] < at.sun_altitude).all()
            assert (airmass_of(track.altitude[each.target, taken]) <= at.max_airmass).all()
            assert (track.moon_distance[each.target, taken] >= at.min_moon_distance).all()
            assert each.seconds >= at.setup * 60 + each.n_exposures * (each.exposure + at.readout) - 1e-6
            mag, airmass, sky_mag = (np.array([x]) for x in (candidates.mag[each.target], each.airmass, each.sky))
            reached = signal_to_noise(mag, airmass, sky_mag, np.array(each.exposure), np.array(each.n_exposures), at)
            assert reached >= at.signal_to_noise * 0.999


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 1000), hours=st.floats(0.1, 6.0), slot=st.sampled_from([10.0, 30.0]),
       airmass=st.floats(1.1, 3.0))  # fmt: skip
def test_a_plan_keeps_every_rule(seed: int, hours: float, slot: float, airmass: float) -> None:
    telescopes = {"north": replace(NORTH, hours=hours, max_airmass=airmass), "south": SOUTH}
    candidates = targets(12, seed)
    check(make_plan(candidates, telescopes, NIGHT, slot), candidates, telescopes)


def test_more_hours_and_more_telescopes_are_no_worse() -> None:
    candidates = targets(40)
    little = make_plan(candidates, {"north": replace(NORTH, hours=0.5)}, NIGHT)
    more = make_plan(candidates, {"north": NORTH}, NIGHT)
    both = make_plan(candidates, {"north": NORTH, "south": SOUTH}, NIGHT)
    assert little.utility < more.utility < both.utility
    assert little.is_proven and more.is_proven and both.is_proven


def test_each_candidate_has_a_reason() -> None:
    """Up all night; below the horizon; too faint; up as well, but worth less than the one target there is time for."""
    candidates = Candidates(["up", "down", "faint", "spare"], [""] * 4, np.array([70.0, 70, 70, 75]),
                            np.array([28.0, -85, 28, 30]), np.array([17.0, 17, 27, 17]),
                            np.array([1.0, 1, 1, 0.5]))  # fmt: skip
    plan = make_plan(candidates, {"north": replace(NORTH, hours=0.1)}, NIGHT)
    assert plan.outcome == [OBSERVED, NOT_VISIBLE, TOO_FAINT, NOT_CHOSEN]


def test_a_target_near_the_moon_waits() -> None:
    """On 2026-12-23 the full moon stands near (91.6, +27)."""
    near = Candidates(["near"], [""], np.array([91.6]), np.array([27.0]), np.array([17.0]), np.ones(1))
    assert make_plan(near, {"north": NORTH}, 20261223).outcome == [NOT_VISIBLE]
    assert make_plan(near, {"north": replace(NORTH, min_moon_distance=0.0)}, 20261223).outcome == [OBSERVED]
    assert make_plan(near, {"north": NORTH}, 20261209).outcome == [OBSERVED]


def test_no_darkness_and_no_candidates_are_an_empty_plan() -> None:
    polar = replace(NORTH, latitude=78.0)
    plan = make_plan(targets(3), {"polar": polar}, 20260621)
    assert plan.observations == [] and set(plan.outcome) == {NOT_VISIBLE}
    assert make_plan(targets(0), {"north": NORTH}, NIGHT).outcome == []


def test_table_and_blocks_say_the_same() -> None:
    candidates, telescopes = targets(20), {"north": NORTH, "south": SOUTH}
    plan = make_plan(candidates, telescopes, NIGHT)
    rows = plan_rows(plan, candidates)
    blocks = json.loads(observing_blocks(plan, candidates, NIGHT))
    assert [each["name"] for each in blocks["telescopes"]] == ["north", "south"]
    listed = [block["target"]["object_id"] for each in blocks["telescopes"] for block in each["blocks"]]
    assert listed == [row["object_id"] for row in rows] and len(listed) > 2
    assert all(each["hours_used"] <= each["hours"] for each in blocks["telescopes"])
    header, *lines = plan_table(plan, candidates).splitlines()
    assert header.endswith("label,confidence,note") and len(lines) == len(rows)
    assert all(row["start"].startswith(("2026-12-01T", "2026-12-02T")) for row in rows)
    again = make_plan(candidates, telescopes, NIGHT)
    assert plan_table(again, candidates) == plan_table(plan, candidates)


def test_the_plot_has_a_line_for_each_observation() -> None:
    pytest.importorskip("matplotlib")
    candidates = targets(20)
    plan = make_plan(candidates, {"north": NORTH, "polar": replace(NORTH, latitude=89.0, sun_altitude=0.0)}, 20260621)
    figure = plot_airmass(plan, candidates)
    assert len(figure.axes) == 2
    assert len(figure.axes[0].lines) == 2 * len(plan.observations) and len(figure.axes[1].lines) == 0
