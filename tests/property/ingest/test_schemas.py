"""Schemas that are taken apart into files are put together again, and hostile text is told."""

from __future__ import annotations

import json

import fastavro
from hypothesis import given
from hypothesis import strategies as st

from redpoll.errors import SchemaError
from redpoll.ingest.named_types import self_contained

NAMES = [f"ns.t{i}" for i in range(5)]
JSON = st.recursive(
    st.none() | st.integers() | st.sampled_from(["int", "record", "enum", "array", "x.y", "name", "a"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["type", "name", "fields", "items", "values", "namespace", "symbols"]), inner, max_size=5
        )
    ),
    max_leaves=20,
)


@st.composite
def files(draw) -> dict[str, str]:
    """Records in files of their own, each naming some of the others, plainly or in full."""
    found = {}
    for name in NAMES:
        others = draw(st.lists(st.sampled_from(NAMES), max_size=4))
        fields = [
            {"name": f"f{i}", "type": ["null", other if draw(st.booleans()) else other.removeprefix("ns.")]}
            for i, other in enumerate(others)
        ]
        found[name] = json.dumps({"type": "record", "name": name, "fields": fields})
    return found


@given(files())
def test_any_web_of_files_becomes_one_schema_that_stands_alone(found):
    schema = fastavro.parse_schema(json.loads(self_contained(json.dumps(NAMES[0]), found.get, "web")))
    assert schema["name"] == NAMES[0]


@given(JSON)
def test_hostile_schemas_are_told(schema):
    try:
        json.loads(self_contained(json.dumps(schema), lambda name: None, "hostile"))
    except SchemaError as error:
        assert str(error).startswith("hostile")


@given(st.text(max_size=50))
def test_hostile_text_is_told(text):
    try:
        json.loads(self_contained(text, lambda name: None, "hostile"))
    except SchemaError as error:
        assert str(error).startswith("hostile")
