"""What a sink may encode: plain data that a spool can hold."""

from __future__ import annotations

import pytest

from redpoll.errors import PluginError
from redpoll.plugin.ports import checked_message

GOOD = {"key": "ztf:1:bright", "topic": "bright", "payload": b""}


@pytest.mark.parametrize(
    "message",
    [
        None, "text", [], {}, {"key": "k", "topic": "t"}, GOOD | {"more": 1}, GOOD | {"key": 1}, GOOD | {"key": ""},
        GOOD | {"key": "\ud800"}, GOOD | {"topic": b"t"}, GOOD | {"topic": ""}, GOOD | {"payload": "text"},
        GOOD | {"payload": None}, GOOD | {"payload": bytearray(b"x")},
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_no_message_is_refused(message):
    with pytest.raises(PluginError, match="message"):
        checked_message(message)


def test_a_message_becomes_a_plain_dict():
    from types import MappingProxyType

    found = checked_message(MappingProxyType(GOOD))
    assert found == GOOD and type(found) is dict
