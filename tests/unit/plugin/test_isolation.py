"""A failing module or filter does not stop the batch."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from redpoll import Column, alert_filter, science_module
from redpoll.plugin.graph import Graph
from redpoll.plugin.isolation import error_text

OUT = Column("float32")


@science_module(version="1", outputs={"broken_out": OUT})
def broken(mag):
    """Always fails."""
    raise ZeroDivisionError("no luck")


@science_module(version="1", outputs={"after_out": OUT})
def after(broken_out, ra):
    """Reads what failed."""
    return np.where(np.isnan(broken_out), ra, 0)


@science_module(version="1", outputs={"flag": Column("bool")})
def broken_flag(mag):
    """Fails to say yes or no."""
    raise ValueError("unsure")


@science_module(version="1", outputs={"after_flag_out": OUT})
def after_flag(flag):
    """Reads a flag."""
    return flag.astype(float)


@science_module(version="1", per="object", outputs={"picky_out": OUT})
def picky(alert_id, ra):
    """Fails for even ids."""
    if alert_id % 2 == 0:
        raise KeyError(alert_id)
    return ra


@alert_filter()
def broken_filter(mag):
    """Always fails."""
    raise RuntimeError("no opinion")


@alert_filter(per="object")
def picky_filter(alert_id):
    """Fails for even ids."""
    return 1 / (alert_id % 2) == 1


@alert_filter()
def all_pass(ra):
    """Everything."""
    return ra >= 0


def test_failure_makes_nulls_and_dependants_run_on(sample_batch) -> None:
    found = Graph.build([broken, after], [all_pass]).run(sample_batch)
    n = sample_batch.num_rows
    assert found.failures == {"broken": f"ZeroDivisionError: no luck ({n} of {n} alerts)"}
    assert found.batch["broken_out"].null_count == n
    np.testing.assert_allclose(found.batch["after_out"].to_numpy(), sample_batch["ra"].to_numpy(), rtol=1e-6)
    assert found.batch["pass_all_pass"].to_pylist() == [True] * n


def test_reader_of_a_failed_flag_fails_too_because_unknown_is_neither(sample_batch) -> None:
    found = Graph.build([broken_flag, after_flag], []).run(sample_batch)
    assert "'flag' is a boolean with" in found.failures["after_flag"]
    assert found.batch["after_flag_out"].null_count == sample_batch.num_rows


def test_failing_filter_passes_nothing(sample_batch) -> None:
    found = Graph.build([], [broken_filter]).run(sample_batch)
    assert list(found.failures) == ["broken_filter"]
    assert found.batch["pass_broken_filter"].to_pylist() == [False] * sample_batch.num_rows


def test_output_that_does_not_fit_is_a_failure(sample_batch) -> None:
    @science_module(version="1", outputs={"short_out": OUT})
    def short(ra):
        """One value too few."""
        return ra[1:]

    found = Graph.build([short], []).run(sample_batch)
    assert "needs one value per alert" in found.failures["short"]


def test_writing_to_an_input_is_a_failure_and_spoils_nothing(sample_batch) -> None:
    @science_module(version="1", outputs={"writer_out": OUT})
    def writer(ra):
        """Writes to its input."""
        ra[:] = 0
        return ra

    found = Graph.build([writer], []).run(sample_batch)
    assert "read-only" in found.failures["writer"]
    assert found.batch["ra"].equals(sample_batch["ra"])


def test_per_object_one_alert_fails_alone(sample_batch) -> None:
    found = Graph.build([picky], [picky_filter]).run(sample_batch)
    even = (sample_batch["alert_id"].to_numpy() % 2 == 0).tolist()
    assert [value is None for value in found.batch["picky_out"].to_pylist()] == even
    assert [not value for value in found.batch["pass_picky_filter"].to_pylist()] == even
    assert f"({sum(even)} of 64 alerts)" in found.failures["picky"]
    assert found.lost["picky"].tolist() == found.lost["picky_filter"].tolist() == even


def test_a_module_that_fails_as_a_whole_loses_every_alert(sample_batch) -> None:
    found = Graph.build([broken, after], [all_pass]).run(sample_batch)
    assert {name: lost.all() for name, lost in found.lost.items()} == {"broken": True}


def test_a_part_of_a_graph_reads_the_rest_from_the_batch(sample_batch) -> None:
    graph = Graph.build([picky], [picky_filter, all_pass])
    whole = graph.run(sample_batch).batch
    part = graph.only({"all_pass"}).run(whole.drop_columns(["pass_all_pass"])).batch
    assert graph.only({"all_pass"}).nodes == (all_pass,)
    assert part["pass_all_pass"].equals(whole["pass_all_pass"]) and part["picky_out"].equals(whole["picky_out"])


def test_stopping_is_not_a_failure(sample_batch) -> None:
    @alert_filter()
    def stopped(ra):
        """Ctrl-C while it runs."""
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Graph.build([], [stopped]).run(sample_batch)


@pytest.mark.parametrize("error", [SystemExit(0), SystemExit("bye"), GeneratorExit()])
def test_a_plugin_cannot_end_the_process(sample_batch, error) -> None:
    @alert_filter()
    def leaving(ra):
        """Ends the process."""
        raise error

    found = Graph.build([], [leaving]).run(sample_batch)
    assert "would end the process" in found.failures["leaving"]
    assert found.batch["pass_leaving"].to_pylist() == [False] * sample_batch.num_rows


class Unprintable(Exception):
    """Its message cannot be made."""

    def __str__(self) -> str:
        raise RuntimeError("no message")


@pytest.mark.parametrize("error", [Unprintable(), ValueError("x" * 10_000_000), ValueError("a\x1b[2J\ud800")])
def test_the_text_of_any_exception_is_short_and_printable(error) -> None:
    text = error_text(error)
    assert text.startswith(type(error).__name__)
    assert len(text) < 1_100
    assert text.isprintable()


def test_what_a_plugin_prints_does_not_reach_the_data_on_stdout(sample_batch, capsys) -> None:
    @alert_filter()
    def chatty(ra):
        """Prints."""
        print("found something")  # noqa: T201
        return ra > 0

    Graph.build([], [chatty]).run(sample_batch)
    assert capsys.readouterr() == ("", "found something\n")


def test_failures_are_logged_once_a_minute_for_each_plugin(sample_batch, caplog) -> None:
    now = [0.0]
    graph = Graph.build([broken], [broken_filter], clock=lambda: now[0])
    with caplog.at_level(logging.ERROR, "redpoll.plugin"):
        for second in (0, 1, 59, 60, 61):
            now[0] = second
            assert len(graph.run(sample_batch).failures) == 2
    records = [r for r in caplog.records if r.plugin == "broken"]
    assert [r.unreported for r in records] == [0, 2]
    assert len(caplog.records) == 4
    assert "ZeroDivisionError: no luck" in records[0].message
    assert "in broken" in records[0].message
