from __future__ import annotations

import copy

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redpoll import Column, science_module
from redpoll.errors import PluginError
from redpoll.plugin.classes import assigned_classes
from redpoll.plugin.graph import Graph
from redpoll.schema.classifications import CLASSES_TYPE
from redpoll.schema.taxonomy import taxonomy


@science_module(version="1", outputs={"p_sn": Column("float32", assigns="sn"), "is_agn": Column("bool", assigns="agn")})
def oracle(mag):
    return {"p_sn": mag / 100, "is_agn": mag > 50}


@science_module(version="2", outputs={"p_other": Column("float64", assigns="sn")})
def rival(mag):
    return 1 - mag / 100


@science_module(version="1", outputs={"broken": Column("float32", assigns="tde")})
def failing(mag):
    raise ValueError("always")


BASE = {
    "mag": Column("float32"),
    "vsx_type": Column("string", assigns="@vsx"),
    "packet": Column(pa.struct({"a": pa.int64()})),
}


def batch(mag: list[float], types: list[str | None]) -> pa.RecordBatch:
    fields = [
        BASE["mag"].field("mag"),
        BASE["vsx_type"].field("vsx_type", by="vsx@2026"),
        BASE["packet"].field("packet"),
    ]
    arrays = [pa.array(mag, pa.float32()), pa.array(types, pa.string()), pa.array([{"a": 1}] * len(mag))]
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))


def graph(*modules, **options) -> Graph:
    return Graph.build(modules, [], columns=BASE, **options)


def assigned(result) -> list[list[tuple]]:
    rows = result.batch["classes"].to_pylist()
    return [
        [(t["name"], None if t["probability"] is None else round(t["probability"], 3), t["by"]) for t in row]
        for row in rows
    ]


def test_classes_of_all_sources_are_kept_sorted_by_name() -> None:
    result = graph(oracle, rival).run(batch([80.0, 30.0, 50.0], ["UGSU+E", None, "RRAB"]))
    assert assigned(result) == [
        [("agn", None, "oracle@1"), ("dwarf_nova", None, "vsx@2026"), ("eclipsing_binary", None, "vsx@2026"),
         ("sn", 0.8, "oracle@1")],
        [("sn", 0.7, "rival@2")],
        [("rr_lyrae_ab", None, "vsx@2026"), ("sn", 0.5, "oracle@1"), ("sn", 0.5, "rival@2")],
    ]  # fmt: skip


def test_a_string_with_the_name_of_a_class_says_yes_where_it_is_not_null() -> None:
    fields = [Column("string", assigns="blazar").field("name", by="hsp@1")]
    classes, _ = assigned_classes(pa.schema(fields), lambda _: pa.array(["3HSPJ0", None, ""]), 3)
    assert [[c["name"] for c in row] for row in classes.to_pylist()] == [["blazar"], [], ["blazar"]]


def test_the_column_stands_before_the_packet_and_names_the_taxonomy() -> None:
    result = graph(oracle).run(batch([1.0], [None])).batch
    assert result.schema.names[-2:] == ["classes", "packet"]
    field = result.schema.field("classes")
    assert (field.type, field.metadata[b"by"]) == (CLASSES_TYPE, f"taxonomy@{taxonomy().version}".encode())


def test_a_graph_that_assigns_no_class_adds_no_column() -> None:
    @science_module(version="1", outputs={"x": Column("float32")})
    def silent(mag):
        return mag

    plain = batch([1.0], [None]).drop_columns(["vsx_type"])
    assert "classes" not in graph(silent).run(plain).batch.schema.names


def test_the_minimum_probability_is_a_choice_that_travels_to_workers() -> None:
    bold = copy.copy(graph(min_probability=0.1))  # by the same __reduce__ as pickle
    assert bold.min_probability == 0.1
    assert assigned(graph(oracle, min_probability=0.2).run(batch([30.0], [None]))) == [[("sn", 0.3, "oracle@1")]]


def test_unknown_words_are_counted_and_never_guessed() -> None:
    result = graph().run(batch([0.0] * 5, ["NOPE", "NOPE", ":", None, "EA"]))
    assert assigned(result) == [[], [], [], [], [("eclipsing_ea", None, "vsx@2026")]]
    assert result.unknown_words == {"vsx 'NOPE'": 2}


def test_a_flood_of_unknown_words_stays_small() -> None:
    words = [f"{i}" * 1000 for i in range(1000)]
    unknown = graph().run(batch([0.0] * 1000, words)).unknown_words
    assert len(unknown) == 100
    assert max(map(len, unknown)) < 100


def test_a_failed_module_says_nothing() -> None:
    assert assigned(graph(failing, oracle).run(batch([60.0], [None]))) == [
        [("agn", None, "oracle@1"), ("sn", 0.6, "oracle@1")]
    ]


def test_an_empty_batch_has_the_column() -> None:
    assert graph(oracle).run(batch([], [])).batch["classes"].to_pylist() == []


def test_a_batch_tagged_before_is_tagged_anew() -> None:
    once = graph(oracle).run(batch([80.0], ["EA"])).batch
    again = graph(oracle).run(once).batch
    assert again.equals(once)


def test_what_is_no_probability_says_nothing_and_is_counted() -> None:
    column = Column("float32", assigns="sn").field("score", by="m@1")
    values = pa.array([np.inf, 1.5, np.nan, -1.0, 1.0], pa.float32())
    classes, unknown = assigned_classes(pa.schema([column]), {"score": values}.get, 5)
    assert [len(row) for row in classes.to_pylist()] == [0, 0, 0, 0, 1]
    assert list(unknown.values()) == [2]


def test_a_class_that_a_newer_taxonomy_lacks_is_counted_not_raised() -> None:
    column = Column("bool", assigns="gone").field("is_gone", by="m@1")
    classes, unknown = assigned_classes(pa.schema([column]), {"is_gone": pa.array([True])}.get, 1)
    assert classes.to_pylist() == [[]]
    assert unknown == {"class 'gone' of column 'is_gone'": 1}


def test_of_a_class_assigned_twice_the_more_probable_counts() -> None:
    fields = [Column("float32", assigns="sn").field(name, by="m@1") for name in ("a", "b")]
    classes, _ = assigned_classes(pa.schema(fields), {"a": pa.array([0.6]), "b": pa.array([0.9])}.get, 1)
    assert classes.to_pylist() == [[{"name": "sn", "probability": pytest.approx(0.9), "by": "m@1"}]]


@pytest.mark.parametrize(
    ("column", "wrong"),
    [
        (Column("float32", assigns="super_nova"), "near: .*supernova|near: .*nova"),
        (Column("float32", assigns="@simbat"), "known: .*simbad"),
        (Column("float32", assigns="@simbad"), "declare it as a string"),
        (Column("int32", assigns="sn"), "declare it as a float, a bool or a string"),
    ],
)
def test_a_column_cannot_say_what_does_not_fit(column: Column, wrong: str) -> None:
    @science_module(version="1", outputs={"score": column})
    def module(mag):
        return mag

    with pytest.raises(PluginError, match=wrong):
        graph(module)


def test_no_module_may_make_the_column_itself() -> None:
    @science_module(version="1", outputs={"classes": Column("float32")})
    def module(mag):
        return mag

    with pytest.raises(PluginError, match="rename the output"):
        graph(module)


WORDS = st.one_of(st.none(), st.sampled_from(["EA", "RRAB|RRC", "UG+E+EA", "nonsense", " "]), st.text(max_size=12))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.floats(0, 100), WORDS), max_size=12), st.data())
def test_classes_of_an_alert_do_not_depend_on_its_neighbours(rows: list[tuple], data: st.DataObject) -> None:
    whole = batch([r[0] for r in rows], [r[1] for r in rows])
    cut = data.draw(st.integers(0, len(rows)))
    run = graph(oracle, rival).run
    parts = assigned(run(whole.slice(0, cut))) + assigned(run(whole.slice(cut)))
    assert assigned(run(whole)) == parts == [_slowly(*row) for row in rows]


def _slowly(mag: float, word: str | None) -> list[tuple]:
    """The same, one alert at a time."""
    p = np.float32(mag) / np.float32(100), 1 - np.float32(mag) / np.float32(100)
    classes = [
        ("sn", round(float(np.float32(v)), 3), by) for v, by in zip(p, ("oracle@1", "rival@2"), strict=True) if v >= 0.5
    ]
    classes += [("agn", None, "oracle@1")] if np.float32(mag) > 50 else []
    classes += [(name, None, "vsx@2026") for name in taxonomy().all_of("vsx", word or "")]
    return sorted(classes, key=lambda t: (t[0], t[2]))
