"""A simulated night read as a source."""

from __future__ import annotations

import pytest

from redpoll.errors import SourceError
from redpoll.ingest.files import open_source
from redpoll.plugin.polling import all_packets
from redpoll.plugin.ports import Source
from redpoll.simulate import simulate_night


@pytest.mark.parametrize("survey", ["ztf", "rubin"])
def test_its_packets_are_those_that_the_simulator_writes(survey, tmp_path):
    source = open_source(f"simulate://{survey}?alerts=7&seed=3")
    assert isinstance(source, Source)
    simulate_night(tmp_path, survey=survey, n_alerts=7, seed=3, layout="files")
    written = {path.stem: path.read_bytes() for path in tmp_path.rglob("*.avro")}
    packets = list(all_packets(source))
    assert {str(p.position).removeprefix("alert "): p.data for p in packets} == written
    assert packets == list(all_packets(open_source(source.name)))


def test_fractions_of_classes_are_those_asked_for():
    recipe = open_source("simulate://ztf?alerts=7&seed=3&fractions=sn_ia:1,agn:3").recipe
    assert recipe.fractions == {"sn_ia": 0.25, "agn": 0.75}


@pytest.mark.parametrize(
    "uri, complaint",
    [
        ("simulate://atlas", "use ztf or rubin"),
        ("simulate://ztf?alert=3", "unknown alert; known: alerts"),
        ("simulate://ztf?alerts=many", "alerts: expected a whole number, got 'many'"),
        ("simulate://ztf?alerts=-1", "expected a whole number"),
        ("simulate://ztf?alerts=99999999", "use 1 to 1000000"),
        ("simulate://ztf?alerts=3&seed=__import__('os')", "seed: expected a whole number"),
        ("simulate://ztf?alerts=3&schema_version=1", "no ztf packet schema 1"),
        ("simulate://ztf?alerts=3&night=tonight", "write it as YYYYMMDD"),
        ("simulate://ztf?alerts=3&fractions=sn_ia", "write them as CLASS:NUMBER"),
        ("simulate://ztf?alerts=3&fractions=", "write them as CLASS:NUMBER"),
        ("simulate://ztf?alerts=3&fractions=sn_ia:nan", "a fraction is negative or infinite"),
        ("simulate://ztf?alerts=3&fractions=sn_ia:-1", "a fraction is negative or infinite"),
        ("simulate://ztf?alerts=3&fractions=sn_ia:0", "no class has a fraction above 0"),
        ("simulate://ztf?alerts=3&fractions=snia:1", "no class 'snia'; use"),
        ("simulate://ztf?alerts=3&fractions=sn_ia:1,sn_ia:2", "a class occurs twice"),
    ],
)
def test_what_cannot_be_simulated_is_reported(uri, complaint):
    with pytest.raises(SourceError, match=complaint.replace("(", "[(]")):
        open_source(uri)
