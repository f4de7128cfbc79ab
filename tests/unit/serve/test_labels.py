"""Labels: every built-in column has one that a person can read."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redpoll import Column
from redpoll.catalogs.recipe import builtin_recipes
from redpoll.plugin.discovery import installed_filters, installed_modules
from redpoll.schema.alert import COLUMNS
from redpoll.serve.api.facts import OBJECT_COLUMNS
from redpoll.serve.labels import BAND_COLUMN, known_labels, label_of

MADE = [node.outputs for node in [*installed_modules(), *installed_filters()]]
MADE += [recipe.columns for recipe in builtin_recipes().values()]


@pytest.mark.parametrize("columns", [COLUMNS, *MADE], ids=lambda columns: next(iter(columns)))
def test_labels_are_words_and_distinct_within_their_group(columns: dict[str, Column]) -> None:
    labels = {name: label_of(name) for name in columns}
    assert {n: label for n, label in labels.items() if "_" in label.replace("d_DLR", "") or label == n} == {}
    assert all(label[0] == label[0].upper() or label.startswith("log") for label in labels.values())
    assert len(set(labels.values())) == len(labels)


def test_every_column_of_the_data_model_is_in_the_table() -> None:
    shown = set(COLUMNS) - {
        "light_curve",
        "packet_light_curve",
        "cutout_science",
        "cutout_template",
        "cutout_difference",
    }
    assert shown - set(known_labels()) == set()


def test_the_table_has_no_label_of_a_column_that_is_gone() -> None:
    names = {name for columns in [COLUMNS, OBJECT_COLUMNS, *MADE] for name in columns}
    stems = {match["stem"] for name in names if (match := BAND_COLUMN.fullmatch(name))}
    computed = {name for name in known_labels() if re.match(r"host_|ebv$", name)}
    assert set(known_labels()) - names - stems - computed == set()


def test_a_declared_label_wins_and_travels_with_the_column() -> None:
    assert label_of("peak_mag", "Brightest so far") == "Brightest so far"
    assert Column("float32", label="Brightest so far").field("x").metadata[b"label"] == b"Brightest so far"


@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=40))
def test_any_name_has_a_label(name: str) -> None:
    assert label_of(name)


@pytest.mark.parametrize("name", ["_", "__", "p_", "n_", "is_", "has_", "pass_", "_err", "_g", "anomaly_", "a_err_err"])
def test_names_made_of_prefixes_have_labels(name: str) -> None:
    assert label_of(name)
