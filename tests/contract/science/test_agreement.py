"""What the page on agreement claims holds, and its table counts what it says it counts."""

from __future__ import annotations

import math
import sys
from importlib import import_module
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


@pytest.fixture(scope="module")
def fink():
    """The files of the comparison, each by its name."""
    sys.path.insert(0, str(BENCHMARKS))
    yield lambda name: import_module(f"fink.{name}")
    sys.path.remove(str(BENCHMARKS))


def test_numbers_of_one_side_alone_are_counted_apart(fink):
    found = fink("comparison").compare(
        "x", [1.0, 2.0, math.nan, 4.0], [1.0, 2.5, 3.0, math.nan], scale=1, tolerance=0.1, means="0.1"
    )
    assert (found.n, found.equal, found.largest, found.only_ours, found.only_theirs) == (2, 1, 0.5, 1, 1)


def test_words_of_one_side_alone_are_counted_apart(fink):
    found = fink("comparison").same("x", ["a", "b", None, "d"], ["a", "c", "c", None])
    assert (found.n, found.equal, found.only_ours, found.only_theirs) == (2, 1, 1, 1)


def test_nothing_to_compare_is_reported_and_not_called_equal(fink):
    assert "-" in fink("comparison").same("x", [None], [None]).line()


def test_flags_and_labels_of_known_asteroids_are_those_fink_published(fink, data_dir):
    flags, labels = fink("labels").flag_of_asteroids(), fink("labels").label_of_asteroids()
    assert (flags.n, flags.equal) == (9519, 9519)
    assert (labels.n, labels.equal) == (9519, 9518)  # the other is an older rule of Fink's


def test_the_module_answers_what_fink_published_where_both_take_the_same_points(fink, data_dir):
    chosen, _ = fink("features").features_of_module()
    assert chosen.n > 3000 and chosen.equal == chosen.n
    assert (chosen.only_ours, chosen.only_theirs) == (0, 0)


def test_apparent_magnitudes_are_those_of_the_definition(fink, data_dir):
    packets = list(fink("packets").avro_packets(data_dir / "ztf" / "ztf_sequences.tar.gz"))
    for row in fink("apparent").apparent(packets):
        assert row.n > 200 and row.equal == row.n and row.largest < 1e-5
        assert row.only_ours == 0


def test_rates_are_those_of_the_definition_without_its_shift(fink, data_dir):
    packets = list(fink("packets").avro_packets(data_dir / "ztf" / "ztf_sequences.tar.gz"))
    by_name = {row.quantity: row for row in fink("rates").rates(packets)}
    for name in ("mag_rate", "mag_rate_err", "mag_rate_lower", "mag_rate_upper"):
        row = by_name[f"{name}, as documented"]
        assert row.n > 50 and row.equal > 0.9 * row.n and row.largest < 0.3
