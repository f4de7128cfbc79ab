"""What a run's report says of failures, on a terminal."""

from __future__ import annotations

from collections import Counter

from redpoll.cli.run import show
from redpoll.pipeline.report import RunReport


def test_a_sink_that_failed_lost_messages_and_a_module_has_null_columns(capsys):
    show(RunReport(failures=Counter({"sink my\x1b[2J": 2, "agn": 1})))
    lines = capsys.readouterr().err.splitlines()
    assert "sink my\\x1b[2J failed in 2 batches; some alerts were not sent (see the log above)" in lines
    assert "agn failed in 1 batches; its columns are null there (see the log above)" in lines
