"""What a run's report says of failures, on a terminal."""

from __future__ import annotations

from collections import Counter

import pytest

from redpoll.cli.run import show
from redpoll.pipeline.report import RunReport


def test_a_sink_that_failed_lost_messages_and_a_module_has_null_columns(capsys):
    show(RunReport(failures=Counter({"sink my\x1b[2J": 2, "agn": 1})))
    lines = capsys.readouterr().err.splitlines()
    assert "sink my\\x1b[2J failed in 2 batches; some alerts were not sent (see the log above)" in lines
    assert "agn failed in 1 batches; its columns are null there (see the log above)" in lines


@pytest.mark.parametrize(
    ("report", "lines"),
    [
        (RunReport(received=2, stored=1, rejected=1, read=2), ["No filter passed an alert."]),
        (RunReport(received=2, rejected=2, read=2), []),
        (RunReport(status="interrupted", signal=2), []),
    ],
    ids=["some stored", "none stored", "interrupted before the first packet"],
)
def test_only_a_run_that_stored_alerts_says_that_no_filter_passed_one(report, lines, capsys):
    show(report)
    assert capsys.readouterr().err.splitlines() == lines
