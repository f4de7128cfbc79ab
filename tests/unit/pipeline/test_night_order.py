"""Which blocks wait for those before them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redpoll.ingest.nights import PacketNight
from redpoll.pipeline.night_order import BlockNights, NightOrder


def block(*nights, survey="ztf", schema="s"):
    found = BlockNights()
    for night in nights:
        found.add(None if night is None else PacketNight(survey, night, schema))
    return found


def block_of_objects(*names, nights=(1, 2)):
    found = BlockNights()
    for n, name in enumerate(names):
        found.add(None if name == "refused" else PacketNight("ztf", nights[n % len(nights)], "s", name))
    return found


def waits(*blocks):
    order = NightOrder()
    return [order.waits(one) for one in blocks]


@pytest.mark.parametrize(
    ("nights", "expected"),
    [
        ([[1], [1, 1], [1]], [False, False, False]),
        ([[1], [2], [2], [1]], [False, True, False, True]),
        ([[1], [1, 2], [2], [2]], [False, True, True, False]),
        ([[1], [None], [1]], [False, False, False]),
        ([[1], [0], [1], [1]], [False, True, True, False]),
    ],
    ids=["one night", "nights rise and fall", "a block of two nights", "refused packets", "an unknown night"],
)
def test_a_block_waits_unless_all_at_work_are_of_its_night(nights, expected):
    assert waits(*(block(*some) for some in nights)) == expected


def test_surveys_do_not_wait_for_each_other():
    assert waits(block(1), block(2, survey="rubin"), block(1), block(3, survey="rubin")) == [False, False, False, True]


def test_a_block_of_several_nights_has_one_schema():
    other_night, other_schema = PacketNight("ztf", 2, "s"), PacketNight("ztf", 1, "t")
    assert block(1).may_add(other_night) and block(1).may_add(other_schema) and block(1).may_add(None)
    assert not block(1, 2).may_add(other_schema)
    both = block(1)
    both.add(other_schema)
    assert not both.may_add(other_night)
    assert both.may_add(PacketNight("rubin", 2, "u"))


@given(names=st.lists(st.sampled_from(["a", "b", "c", "d", "\ud800", "refused"]), max_size=30), n=st.integers(1, 5))
def test_groups_hold_every_packet_once_in_order_and_each_object_always_in_the_same(names, n):
    groups = block_of_objects(*names).groups(n)
    assert sorted(i for group in groups.values() for i in group) == [*range(len(names))]
    assert all(group == sorted(group) for group in groups.values())
    assert set(groups) <= set(range(n))
    homes = {(names[i], group) for group, numbers in groups.items() for i in numbers}
    assert len(homes) == len(set(names))
    assert all({group} == set(block_of_objects(name).groups(n)) for name, group in homes)


def test_many_objects_are_spread_evenly():
    assert min(map(len, block_of_objects(*map(str, range(1000))).groups(4).values())) > 200


def test_packets_of_which_one_is_of_an_unknown_object_stay_together():
    assert block_of_objects("a", None, "b").groups(2) == {0: [0, 1, 2]}


def test_blocks_cut_by_objects_do_not_wait_as_a_whole():
    mixed, unknown = block_of_objects("a", "b"), block_of_objects("a", None)
    assert waits(block(1), mixed, mixed, block(1), block(1)) == [False, True, False, True, False]
    assert waits(mixed, unknown, unknown, mixed, mixed) == [True, True, True, True, False]
