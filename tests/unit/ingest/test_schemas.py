"""Schemas by id, from folders, from Redpoll itself and from a chain of places."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import fastavro
import pytest

from redpoll.errors import SchemaError, SourceError
from redpoll.ingest.named_types import self_contained
from redpoll.ingest.schema_folder import SchemaFolder
from redpoll.ingest.schemas import BuiltIn, SchemaChain, SchemaLocations
from redpoll.ingest.unknown_schema import UnknownSchema

INNER = {"type": "record", "name": "x.v9_0.inner", "fields": [{"name": "a", "type": "int"}]}
OUTER = {
    "type": "record",
    "name": "alert",
    "namespace": "x.v9_0",
    "fields": [
        {"name": "first", "type": "x.v9_0.inner"},
        {"name": "again", "type": ["null", "inner"], "default": None},
        {"name": "many", "type": {"type": "array", "items": "inner"}},
    ],
}


class Fixed:
    """A lookup of one schema, which counts how often it is asked."""

    def __init__(self, answer: str | Exception) -> None:
        self.answer, self.asked = answer, 0

    def schema(self, schema_id: int) -> str:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_types_of_other_files_are_put_in_where_first_used():
    text = self_contained(json.dumps(OUTER), {"x.v9_0.inner": json.dumps(INNER)}.get, "alert")
    fields = {field["name"]: field["type"] for field in json.loads(text)["fields"]}
    assert fields == {"first": INNER, "again": ["null", "inner"], "many": {"type": "array", "items": "inner"}}
    assert fastavro.parse_schema(json.loads(text))


def test_types_that_refer_to_one_another_are_put_together():
    files = {
        "x.a": '{"type": "record", "name": "x.a", "fields": [{"name": "b", "type": "b"}]}',
        "x.b": '{"type": "record", "name": "x.b", "fields": [{"name": "a", "type": ["null", "x.a"]}, {"name": "m", '
        '"type": {"type": "map", "values": "x.b"}}]}',
    }
    assert fastavro.parse_schema(json.loads(self_contained('["null", "x.a"]', files.get, "a")))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<html>", "not JSON"),
        ("3", "no Avro schema"),
        ("[" * 100_000, "not JSON"),
        ('"missing.name"', "neither in it nor in another file"),
        ('{"type": "array"}', "no Avro type"),
        ('{"name": "x"}', "no Avro type"),
        ('{"type": "record", "name": "r", "fields": [5]}', "no Avro type"),
        ('{"type": "record", "name": "r", "fields": 5}', "no list of fields"),
        ("[" * 70 + '"int"' + "]" * 70, "nested deeper"),
    ],
)
def test_what_is_no_schema_is_told(text, reason):
    with pytest.raises(SchemaError, match=f"the file: .*{reason}"):
        self_contained(text, lambda name: None, "the file")


def test_a_folder_has_schemas_by_id_and_by_version(put, tmp_path):
    put("123.avsc", b'"int"')
    put(
        "9/0/lsst.v9_0.alert.avsc",
        json.dumps({**OUTER, "namespace": "lsst.v9_0"}).replace("x.v9_0", "lsst.v9_0").encode(),
    )
    put("9/0/lsst.v9_0.inner.avsc", json.dumps(INNER).replace("x.v9_0", "lsst.v9_0").encode())
    put("7/1/lsst.v7_1.alert.avsc", b'"long"')
    put("readme.avsc", b"no id")
    folder = SchemaFolder(tmp_path)
    assert folder.ids == [123, 701, 900]
    assert folder.schema(701) == '"long"'
    assert fastavro.parse_schema(json.loads(folder.schema(900)))


def test_a_schema_does_not_reach_out_of_its_folder(put, tmp_path):
    put("secret.avsc", b'"int"')
    put("in/5.avsc", b'"../secret"')
    with pytest.raises(SchemaError, match="neither in it nor in another file"):
        SchemaFolder(tmp_path / "in").schema(5)


def test_a_schema_that_is_no_text_is_told(put, tmp_path):
    put("5.avsc", b"\xff\xfe")
    with pytest.raises(SchemaError, match=r"5\.avsc: cannot be read"):
        SchemaFolder(tmp_path).schema(5)


def test_an_id_without_file_and_a_missing_folder_are_told(tmp_path):
    with pytest.raises(UnknownSchema, match="no schema with id 5 in"):
        SchemaFolder(tmp_path).schema(5)
    with pytest.raises(SourceError, match="no such folder"):
        SchemaFolder(tmp_path / "none")


def test_built_in_schemas_know_rubin():
    assert json.loads(BuiltIn().schema(900))["name"] == "lsst.v9_0.alert"
    with pytest.raises(UnknownSchema):
        BuiltIn().schema(123_456)


def test_a_chain_asks_in_turn_and_each_id_once():
    unknown, known = Fixed(UnknownSchema(5, "there")), Fixed('"int"')
    chain = SchemaChain(unknown, known)
    assert [chain.schema(5), chain.schema(5)] == ['"int"', '"int"']
    assert (unknown.asked, known.asked) == (1, 1)


def test_a_chain_that_nobody_knows_names_all_it_asked():
    with pytest.raises(UnknownSchema, match="no schema with id 5 in here, there; name a folder or a registry"):
        SchemaChain(Fixed(UnknownSchema(5, "here")), Fixed(UnknownSchema(5, "there"))).schema(5)


def test_a_silent_place_is_not_taken_for_an_unknown_id():
    with pytest.raises(SourceError, match="silent"):
        SchemaChain(Fixed(SourceError("silent")), Fixed(UnknownSchema(5, "there"))).schema(5)


def test_places_travel_to_a_worker_and_their_folders_come_first(put, tmp_path):
    put("900.avsc", b'"int"')
    places = copy.deepcopy(SchemaLocations(folders=(str(tmp_path),)))
    assert places.lookup().schema(900) == '"int"'
    assert json.loads(places.lookup().schema(1000))["name"] == "lsst.v10_0.alert"


def test_places_do_not_show_a_password():
    assert "secret" not in repr(SchemaLocations(registry="https://me:secret@host"))


def test_unknown_schema_travels_between_processes():
    error = copy.copy(UnknownSchema(5, "here", "there"))
    assert (error.schema_id, str(error)) == (5, str(UnknownSchema(5, "here", "there")))


def test_rubin_files_are_put_together_as_fastavro_does():
    packet = pytest.importorskip("lsst.alert.packet", reason="Rubin's schema files are a test oracle only")
    root = Path(packet.__path__[0]) / "schema"
    folder = SchemaFolder(root)
    for schema_id in (701, 800, 900, 1000, 1100, 1101):
        if schema_id not in folder.ids:
            continue
        version = f"{schema_id // 100}_{schema_id % 100}"
        oracle = fastavro.schema.load_schema(next(root.rglob(f"lsst.v{version}.alert.avsc")))
        ours = fastavro.parse_schema(json.loads(folder.schema(schema_id)))
        assert fastavro.schema.to_parsing_canonical_form(ours) == fastavro.schema.to_parsing_canonical_form(oracle)
