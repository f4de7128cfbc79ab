"""Our packet schemas against those inside real packets, and against the survey's own package."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import fastavro
import pytest

from redpoll.errors import SchemaError
from redpoll.schema.bands import SURVEYS
from redpoll.schema.packet_schemas import confluent_schema, known_versions, packet_schema

DATA = Path(os.environ.get("REDPOLL_DATA", Path(__file__).parents[4] / "shared" / "data"))
EVERY = [(survey, version) for survey in SURVEYS for version in known_versions(survey)]


def structure(kind, namespace="", known=None):
    """Names, types, order and nullability of a schema, without docs, defaults and the order of a union."""
    known = {} if known is None else known
    if isinstance(kind, list):
        return ("nullable", *(structure(k, namespace, known) for k in kind if k != "null"))
    if isinstance(kind, str):
        full = kind if "." in kind else f"{namespace}.{kind}"
        return ("record", full) if full in known else kind
    if kind["type"] == "array":
        return ("array", structure(kind["items"], namespace, known))
    if kind["type"] != "record":
        return kind.get("logicalType", kind["type"])
    name = kind["name"] if "." in kind["name"] else f"{kind.get('namespace', namespace)}.{kind['name']}"
    known[name] = True
    inner = name.rsplit(".", 1)[0]
    return ("record", name, tuple((f["name"], structure(f["type"], inner, known)) for f in kind["fields"]))


def all_fields(kind):
    """Every field of a schema, at any depth."""
    if isinstance(kind, list):
        return [field for k in kind for field in all_fields(k)]
    if not isinstance(kind, dict):
        return []
    if kind["type"] == "array":
        return all_fields(kind["items"])
    return [f for field in kind.get("fields", []) for f in (field, *all_fields(field["type"]))]


def real_ztf_schemas():
    """Distinct writer schemas inside the survey's packets, by the version they state."""
    schemas = {}
    for archive in ("ztf_originals.tar.gz", "ztf_sequences.tar.gz"):
        with tarfile.open(DATA / "ztf" / archive) as tar:
            for member in tar:
                reader = fastavro.reader(tar.extractfile(member))
                version = next(reader).get("schemavsn")
                schemas.setdefault((version, reader.metadata["avro.schema"]), reader.writer_schema)
    return [(version, schema) for (version, _), schema in schemas.items()]


needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"no data folder at {DATA}; set REDPOLL_DATA")


@pytest.mark.parametrize(("survey", "version"), EVERY)
def test_schema_is_valid_avro(survey, version):
    fastavro.parse_schema(packet_schema(survey, version))


@pytest.mark.parametrize(("survey", "version"), EVERY)
def test_default_is_of_the_first_type_of_its_union(survey, version):
    unions = [field for field in all_fields(packet_schema(survey, version)) if isinstance(field["type"], list)]
    assert all(field["default"] == (None if field["type"][0] == "null" else 0) for field in unions)
    assert len(unions) > 50


def test_schemas_are_not_shared_between_callers():
    packet_schema("ztf", "3.3")["fields"].clear()
    assert packet_schema("ztf", "3.3")["fields"]


def test_registry_id_names_the_version():
    assert confluent_schema(900) == packet_schema("rubin", "9.0")
    assert confluent_schema(1101) == packet_schema("rubin", "11.1")


@pytest.mark.parametrize("schema_id", [0, -1, 901, 100_000, 2**31 - 1])
def test_unknown_registry_id_has_no_schema(schema_id):
    assert confluent_schema(schema_id) is None


@pytest.mark.parametrize(("survey", "version"), [("ztf", "9.9"), ("rubin", "3.3"), ("des", "1.0"), ("ztf", "../x")])
def test_unknown_schema_is_refused_with_the_known_ones(survey, version):
    with pytest.raises(SchemaError, match="known:"):
        packet_schema(survey, version)


@needs_data
@pytest.mark.parametrize("version", ["3.3", "4.02"])
def test_ztf_schema_equals_those_inside_real_packets(version):
    real = [schema for stated, schema in real_ztf_schemas() if stated == version]
    assert real
    assert {structure(schema) for schema in real} == {structure(packet_schema("ztf", version))}


@pytest.mark.parametrize("version", known_versions("rubin"))
def test_rubin_schema_equals_the_survey_package(version):
    package = pytest.importorskip("lsst.alert.packet", reason="lsst-alert-packet is not installed")
    major, minor = version.split(".")
    folder = Path(package.__file__).parent / "schema" / major / minor
    official = package.Schema.from_file(str(folder / f"lsst.v{major}_{minor}.alert.avsc")).definition
    assert structure(packet_schema("rubin", version)) == structure(official)


@needs_data
def test_real_rubin_packet_decodes_to_its_last_byte():
    raw = (DATA / "rubin" / "rubin_v9_confluent_framed.avro").read_bytes()
    schema = confluent_schema(int.from_bytes(raw[1:5], "big"))
    datum = io.BytesIO(raw[5:])
    record = fastavro.schemaless_reader(datum, schema)
    assert datum.tell() == len(raw) - 5
    assert record["diaSource"]["midpointMjdTai"] == pytest.approx(60961.233092, abs=1e-6)
