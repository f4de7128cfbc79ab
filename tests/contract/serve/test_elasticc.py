"""ELAsTiCC packets in container files go through a run to the store, and the API and the portal have them."""

from __future__ import annotations

from pathlib import Path

import fastavro
import pytest
from served import Get, client

from redpoll.config import Config, parse_config
from redpoll.ingest.files import open_sources
from redpoll.pipeline.run import run_night
from redpoll.plugin.discovery import installed_filters, installed_modules
from redpoll.schema.packet_schemas import packet_schema

OBJECT = 140_237_188
ALERTS = "/api/v2/alerts"


def packet(number: int) -> dict[str, object]:
    """An alert with two detections and a forced point."""
    names = [f["name"] for f in next(f for f in SCHEMA["fields"] if f["name"] == "diaObject")["type"][1]["fields"]]
    about = dict.fromkeys(names) | {"diaObjectId": OBJECT, "ra": -0.1, "decl": -20.0, "z_final": 0.3}
    forced = {"diaForcedSourceId": 1, "ccdVisitId": 1, "diaObjectId": OBJECT, "midPointTai": 60901.0 + number,
              "filterName": "r", "psFlux": 10.0, "psFluxErr": 5.0, "totFlux": 0.0, "totFluxErr": 1.0}  # fmt: skip
    return {"alertId": number, "diaSource": source(number, 60929.2 + number / 100), "diaObject": about,
            "prvDiaSources": [source(1000 + number, 60920.2)], "prvDiaForcedSources": [forced]}  # fmt: skip


def source(number: int, mjd: float) -> dict[str, object]:
    """A detection of 22.1 mag in Y."""
    return {"diaSourceId": number, "ccdVisitId": 1, "diaObjectId": OBJECT, "midPointTai": mjd, "filterName": "Y",
            "ra": -0.1, "decl": -20.0, "psFlux": 5000.0, "psFluxErr": 200.0, "snr": 25.0}  # fmt: skip


SCHEMA = packet_schema("elasticc", "0.9")


def write(path: Path, *numbers: int) -> None:
    """A container file of packets."""
    with path.open("wb") as file:
        fastavro.writer(file, fastavro.parse_schema(SCHEMA), [packet(n) for n in numbers])


def fast() -> Config:
    """Without the modules, which need to be compiled."""
    modules, filters = ([node.name for node in nodes] for nodes in (installed_modules(), installed_filters()))
    return parse_config(f"[run]\nworkers = 0\n[modules]\noff = {modules}\n[filters]\noff = {filters}")


@pytest.fixture(scope="module")
def get(tmp_path_factory: pytest.TempPathFactory) -> Get:
    """A store of a folder with files of one packet each, a file of several, a damaged file and a duplicate."""
    folder = tmp_path_factory.mktemp("elasticc")
    night = folder / "night"
    night.mkdir()
    write(night / "1.avro", 1)
    write(night / "2.avro", 2)
    write(night / "many.avro", 3, 4, 5, 2)
    (night / "cut.avro").write_bytes((night / "1.avro").read_bytes()[:-20])
    report = run_night(open_sources([night]), folder / "store", fast())
    assert (report.received, report.stored, report.duplicate, report.rejected) == (7, 5, 1, 1)
    return client(folder / "store")


def test_the_api_selects_them_by_survey(get: Get) -> None:
    rows = get(f"{ALERTS}?survey=elasticc").json()["alerts"]
    assert sorted(int(row["alert_id"]) for row in rows) == [1, 2, 3, 4, 5]
    assert {row["survey"] for row in rows} == {"elasticc"}
    assert get(f"{ALERTS}?survey=rubin").json()["alerts"] == []


def test_the_portal_shows_the_object_by_either_identifier(get: Get) -> None:
    assert get(f"/objects/{OBJECT}").status_code == 200
