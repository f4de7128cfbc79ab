"""The exam lets good plugins pass and catches planted bugs."""

from __future__ import annotations

import time

import numpy as np
import pytest

from redpoll import Column, alert_filter, science_module
from redpoll.errors import UnknownColumn
from redpoll.plugin.columns import Columns
from redpoll.plugin.expression_filter import expression_filter
from redpoll.testing.batches import sample_batch as made
from redpoll.testing.conformance import ConformanceError, conformance

declare = science_module(version="1", outputs={"out": Column("float32")})
per_object = science_module(version="1", per="object", outputs={"out": Column("float32")})
calls: list[int] = []


@declare
def good(mag, n_detections, is_positive):
    return np.where(is_positive, mag * n_detections, np.nan)


@per_object
def good_object(mjd, band, mag, sso_name):
    return None if sso_name else mag[band == band[-1]].mean() + mjd[-1]


@science_module(version="1", outputs={"n_bytes": Column("int32")})
def good_cutouts(cutout_science):
    return [None if cutout is None else len(cutout) for cutout in cutout_science]


@alert_filter()
def good_filter(mag, band, *, limit=20.0):
    return (mag < limit) & (band == "r")


@science_module(version="1", outputs={"out": Column("float32")}, model="any")
def good_model(ra, dec, model):
    return model.predict_proba(np.column_stack([ra, dec]))[:, 1]


@declare
def batch_mean(mag):
    return mag - np.nanmean(mag)


@declare
def rank(ra):
    return ra.argsort().argsort()


@declare
def running_number(ra):
    return np.arange(len(ra))


@declare
def previous_alert(ra):
    return np.concatenate([ra[:1], ra[:-1]])


@declare
def in_place(ra):
    ra += 1
    return ra


@declare
def forced_in_place(light_curve):
    curve = light_curve.mjd
    curve.flags.writeable = True
    curve[0] += 1
    return np.diff(light_curve.offsets)


@declare
def counting(ra):
    calls.append(1)
    return ra + len(calls)


@declare
def remembering(ra):
    calls.append(len(ra))
    return ra + (min(calls) < len(ra))


@declare
def global_chance(ra):
    np.random.uniform()
    return ra


@declare
def unseeded_chance(ra):
    return ra + np.random.default_rng().uniform()


@declare
def clock(ra):
    return ra * 0 + time.perf_counter_ns() % 1_000_003


@declare
def text(ra):
    return np.full(len(ra), "high")


@science_module(version="1", outputs={"out": Column("int32")})
def fractions(ra):
    return ra / 7


@alert_filter()
def numbers(ra):
    return ra


@declare
def needs_an_alert(ra):
    return ra * (ra[0] > -1)


@science_module(version="1", outputs={"out": Column("int32")})
def needs_integers(n_detections):
    return n_detections & 1


@per_object
def needs_a_score(real_bogus):
    return real_bogus * 2 if real_bogus is not None else real_bogus + 1


GOOD = [
    good,
    good_object,
    good_cutouts,
    good_filter,
    good_model,
    expression_filter("line", "mag < 20 or band in ('r')"),
]


@pytest.fixture(autouse=True)
def forget() -> None:
    calls.clear()


@pytest.mark.parametrize("node", GOOD, ids=str)
@pytest.mark.parametrize("n", [0, 1, 2, 64])
def test_good_plugins_pass(node, n) -> None:
    conformance(node, made(n))


@pytest.mark.parametrize(
    ("node", "rule", "how"),
    [
        (batch_mean, "batch split", "cut into"),
        (rank, "batch split", "cut into"),
        (running_number, "batch split", "cut into"),
        (previous_alert, "batch split", "cut into"),
        (in_place, "dtype", "writes to its inputs"),
        (counting, "purity", "differently the second time"),
        (remembering, "purity", "batches it has seen before"),
        (global_chance, "purity", "global random generator"),
        (unseeded_chance, "purity", "differently the second time"),
        (clock, "purity", "differently the second time"),
        (text, "dtype", "declared float, got string"),
        (fractions, "dtype", "declared int32"),
        (numbers, "dtype", "declared bool, got double"),
        (needs_an_alert, "empty batch", "IndexError"),
    ],
    ids=lambda value: str(value),
)
def test_planted_bug_is_caught_and_named(sample_batch, node, rule, how) -> None:
    with pytest.raises(ConformanceError, match=f"{node.name}@1 breaks the rule of {rule}: .*{how}"):
        conformance(node, sample_batch)


def test_order_alone_is_caught(sample_batch) -> None:
    """A bug that no cut shows: only the first alert of the sample is odd, and it is first in its part too."""
    first = sample_batch["ra"][0].as_py()

    @declare
    def first_is_special(ra):
        marks = np.zeros(len(ra))
        if len(ra) and ra[0] == first:
            marks[0] = 1
        return marks

    with pytest.raises(ConformanceError, match="rule of order"):
        conformance(first_is_special, sample_batch)


def test_null_that_the_sample_lacks_is_tried_too(sample_batch) -> None:
    whole = sample_batch.select(["n_detections"]).filter(sample_batch["n_detections"].is_valid())
    with pytest.raises(ConformanceError, match=r"rule of null input: .*TypeError"):
        conformance(needs_integers, whole)


def test_forced_write_is_caught(sample_batch) -> None:
    with pytest.raises(ConformanceError, match=r"cannot set WRITEABLE"):
        conformance(forced_in_place, sample_batch)


def test_one_failing_alert_is_not_isolated_in_the_exam(sample_batch) -> None:
    with pytest.raises(ConformanceError, match="TypeError"):
        conformance(needs_a_score, sample_batch)


def test_settings_are_used(sample_batch) -> None:
    conformance(good_filter, sample_batch, settings={"limit": 15.0})


def test_column_that_nobody_makes_is_named(sample_batch) -> None:
    @declare
    def reads_unknown(no_such_column):
        return no_such_column

    with pytest.raises(UnknownColumn, match="no_such_column"):
        conformance(reads_unknown, sample_batch)


def test_columns_of_installed_modules_are_made_for_the_exam(sample_batch) -> None:
    plugin = pytest.importorskip("redpoll_test_plugin", reason="packages/test-plugin is not installed")
    assert "test_plugin_snr" not in sample_batch.schema.names
    conformance(plugin.test_plugin_brightening, sample_batch)


def test_sample_batch_is_repeatable_and_seeded() -> None:
    assert made(20, seed=3).equals(made(20, seed=3))
    assert not made(20, seed=3).equals(made(20, seed=4))
    assert set(made(5, survey="rubin")["survey"].to_pylist()) == {"rubin"}


def test_sample_batch_agrees_with_its_light_curves() -> None:
    batch = made(200)
    batch.validate(full=True)
    curves = Columns(batch).numpy("light_curve")
    last = curves.offsets[1:] - 1
    known = batch["flux"].is_valid().to_numpy(zero_copy_only=False)
    np.testing.assert_array_equal(batch["mjd"].to_numpy(), curves.mjd[last])
    np.testing.assert_array_equal(batch["flux"].to_numpy(zero_copy_only=False)[known], curves.flux[last][known])
    assert all((np.diff(curves[i].mjd) >= 0).all() for i in range(len(curves)))
