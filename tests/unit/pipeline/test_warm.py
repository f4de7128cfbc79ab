"""Compiling ahead of the first night."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from redpoll.config import Config
from redpoll.pipeline import warm
from redpoll.pipeline.assemble import build_graph


def test_shares_name_modules_that_are_there_each_once():
    names = {node.name for node in build_graph(Config()).nodes}
    shared = [name for share in warm.SHARES for name in share]
    assert len(shared) == len(set(shared)) and set(shared) <= names


@pytest.mark.parametrize("share", warm.SHARES, ids=["first", "second"])
def test_a_share_runs_its_own_modules_and_no_other_s(share, monkeypatch):
    ran = []
    attempt = warm.Guard.attempt
    monkeypatch.setattr(warm.Guard, "attempt", lambda self, *a, **k: ran.append(self) or attempt(self, *a, **k))
    warm.compile_share(Config(), share, nullcontext())
    names = {guard.node.name for guard in ran}
    assert share <= names and not names & (frozenset().union(*warm.SHARES) - share)
    assert [guard.error for guard in ran if guard.error] == []
