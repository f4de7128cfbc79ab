"""Result of a block from a worker, as Arrow IPC bytes and plain data that any process or machine can read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Literal, TypedDict

from redpoll.plugin.ports import Message

Outcome = Literal["stored", "duplicate", "rejected"]
Count = tuple[str | None, int | None, Outcome, str]
"""Survey, night, outcome and reason of a packet."""
SINK_FAILURE = "sink "
"""How the name of a sink that could not encode a batch begins among the failures."""
_NUMBERS = re.compile(r"(\d+\*\*\d+)|\d+")
"""Numbers; a power is a limit that is the same for all packets, and a group."""
_MAX_CATEGORY = 80


class LedgerCount(TypedDict):
    """``n`` packets of one survey and night that met one outcome for one reason."""

    survey: str | None
    night: int | None
    outcome: Outcome
    reason: str
    n: int


class WrittenSegment(TypedDict):
    """A segment of the archive by its name, and its alerts' indexed columns as an Arrow IPC stream."""

    name: str
    alerts: bytes


class SegmentResult(WrittenSegment):
    """A written segment, and for each of its alerts the index of its packet in the block."""

    packets: list[int]


class CutResult(TypedDict):
    """An alert that a cut rejected: the index of its packet, the reason and the value that failed."""

    packet: int
    survey: str
    alert_id: int
    object_id: str
    night: int
    mjd: float
    reason: str
    value: str | None


class BlockResult(TypedDict):
    """Result of a block: segments, messages by sink, dead letters by packet index, counts that cover every packet.

    ``cut`` has the alerts that cuts rejected.
    ``unusable_models`` has the reason for each champion (``model@version``) that the worker could not open,
    ``without_model`` the modules (name -> model) whose columns are null because no such model is served.
    """

    segments: list[SegmentResult]
    messages: dict[str, list[Message]]
    dead_letters: dict[int, str]
    counts: list[LedgerCount]
    cut: list[CutResult]
    failures: dict[str, int]
    unknown_words: dict[str, int]
    seconds: dict[str, float]
    unusable_models: dict[str, str]
    without_model: dict[str, str]


def block_result(
    *,
    segments: list[SegmentResult] | None = None,
    messages: Mapping[str, list[Message]] | None = None,
    dead_letters: Mapping[int, str] | None = None,
    counts: Iterable[Count] = (),
    cut: list[CutResult] | None = None,
    failures: Mapping[str, int] | None = None,
    unknown_words: Mapping[str, int] | None = None,
    seconds: Mapping[str, float] | None = None,
    unusable_models: Mapping[str, str] | None = None,
    without_model: Mapping[str, str] | None = None,
) -> BlockResult:
    """A result in which equal counts are summed; omitted fields are empty."""
    entries: list[LedgerCount] = [
        {"survey": survey, "night": night, "outcome": outcome, "reason": reason, "n": n}
        for (survey, night, outcome, reason), n in Counter(counts).items()
    ]
    return {
        "segments": segments or [],
        "messages": dict(messages or {}),
        "dead_letters": dict(dead_letters or {}),
        "counts": entries,
        "cut": cut or [],
        "failures": dict(failures or {}),
        "unknown_words": dict(unknown_words or {}),
        "seconds": dict(seconds or {}),
        "unusable_models": dict(unusable_models or {}),
        "without_model": dict(without_model or {}),
    }


def category(reason: str) -> str:
    """A dead letter's reason without its particulars, so that the ledger can count it.

    >>> category("truncated (byte 118 of the datum)")
    'unreadable: truncated'
    """
    head = re.split(r" \(byte|: | in ", reason)[0]
    return ("unreadable: " if head != reason else "") + _shortened(_NUMBERS.sub(lambda n: n[1] or "N", head))


def _shortened(text: str) -> str:
    """The text, or as many whole words of it as fit.

    >>> _shortened("send integers " * 6)[-17:]
    'integers send ...'
    """
    return text if len(text) <= _MAX_CATEGORY else text[: _MAX_CATEGORY - 4].rsplit(" ", 1)[0] + " ..."
