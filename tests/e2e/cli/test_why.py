"""``redpoll why``: stored, rejected, dead and unknown identifiers, and hostile ones."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from redpoll.cli.main import redpoll
from redpoll.cli.run import show
from redpoll.config import load_config
from redpoll.errors import RedpollError
from redpoll.ingest.files import open_sources
from redpoll.pipeline.report import RunReport
from redpoll.pipeline.run import run_night
from redpoll.store import Selection, open_store

CONFIG = '[filters.expressions]\nfaint_and_bright = "mag > 0 and mag < 1"\n'


@pytest.fixture(scope="module")
def made(ztf_night, tmp_path_factory):
    """A store of one night and of a packet that ends too early, and its configuration."""
    folder = tmp_path_factory.mktemp("why")
    (folder / "config.toml").write_text(CONFIG)
    (folder / "short.avro").write_bytes(b"\x00 no packet of ZTF99damaged")
    config = load_config(folder / "config.toml")
    run_night(open_sources([str(ztf_night), str(folder / "short.avro")]), folder / "store", config, command="run x")
    return folder


def why(folder, *words):
    """Exit code, standard output and standard error."""
    words = ["why", "--store", str(folder / "store"), "--config", str(folder / "config.toml"), *words]
    done = CliRunner().invoke(redpoll, words)
    assert done.exception is None or isinstance(done.exception, SystemExit | RedpollError), done.exception
    return done.exit_code, done.stdout, done.stderr


def stored_alert(folder):
    with open_store(folder / "store") as store:
        return store.alerts.scan(["alert_id", "object_id"], Selection(), limit=1).to_table().to_pylist()[0]


def rejected_id(folder):
    with sqlite3.connect(folder / "store" / "index.sqlite") as index:
        return index.execute("SELECT alert_id, value FROM rejected").fetchone()


@pytest.mark.parametrize("kind", ["alert_id", "object_id"])
def test_a_stored_alert_has_its_run_and_its_filters(made, kind):
    alert = stored_alert(made)
    code, out, _ = why(made, str(alert[kind]), "--json")
    found = json.loads(out)["stored"][0]
    assert (code, found["alert_id"], found["run"], found["command"]) == (0, str(alert["alert_id"]), 1, "run x")
    near = {answer["topic"]: answer for answer in found["filters"]}["faint_and_bright"]
    assert (near["outcome"], near["n_failed"]) == ("nearly passed", 1)
    assert [c["text"] for c in near["conditions"] if not c["holds"]] == ["mag < 1"]
    assert "mag < 1 fails: mag is" in " ".join(why(made, str(alert[kind]))[1].replace("│", " ").split())


def test_a_stored_alert_has_the_position_of_its_packet(made):
    alert_id = str(stored_alert(made)["alert_id"])
    found = json.loads(why(made, alert_id, "--json")[1])["stored"][0]
    assert (Path(found["source"]).is_file(), alert_id in found["position"]) == (True, True)
    assert alert_id in "".join(why(made, alert_id)[1].split()).split("stored", 1)[1]


def test_a_rejected_alert_has_its_cut_value_and_position(made):
    alert_id, value = rejected_id(made)
    code, out, _ = why(made, str(alert_id), "--json")
    (row,) = json.loads(out)["rejected"]
    assert (code, row["reason"], row["value"], row["n"]) == (0, "cut: real_bogus < 0.55", value, 1)
    assert str(alert_id) in row["position"]
    assert value in why(made, str(alert_id))[1]
    assert why(made, str(alert_id), "--survey", "rubin")[0] == 1


def test_all_rejected_alerts_are_listed_newest_first(made):
    with sqlite3.connect(made / "store" / "index.sqlite") as index:
        expected = [str(i) for (i,) in index.execute("SELECT alert_id FROM rejected ORDER BY mjd DESC, alert_id DESC")]
    code, out, _ = why(made, "--rejected", "--json", "--limit", "1000")
    rows = json.loads(out)["rejected"]
    assert (code, [row["alert_id"] for row in rows]) == (0, expected) and len(expected) > 1
    assert rows[0]["command"] == "run x" and rows[0]["reason"]
    assert len(json.loads(why(made, "--rejected", "--json", "--limit", "1")[1])["rejected"]) == 1
    assert expected[0] in why(made, "--rejected")[1]
    assert json.loads(why(made, "--rejected", "--json", "--survey", "rubin")[1])["rejected"] == []
    assert why(made, "--rejected", "--survey", "rubin")[0] == 0


@pytest.mark.parametrize("words", [[], ["ZTF1", "--rejected"]])
def test_either_an_identifier_or_all_rejected_alerts_are_asked_for(made, words):
    code, _, err = why(made, *words)
    assert code == 2 and "either an ID or --rejected" in err


def test_a_dead_letter_that_holds_the_identifier_is_found(made):
    code, out, _ = why(made, "ZTF99damaged", "--json")
    assert (code, len(json.loads(out)["dead_letters"])) == (0, 1)
    assert "dead letter 1" in why(made, "ZTF99damaged")[1]


@pytest.mark.parametrize(("reason", "is_shown"), [("cut: band not in g", True), ("already stored", False)])
def test_the_end_of_a_run_points_to_it_when_a_cut_rejected_alerts(capsys, reason, is_shown):
    show(RunReport(reasons=Counter({reason: 1})))
    assert ("redpoll why --rejected" in capsys.readouterr().err) == is_shown


def test_an_interrupted_run_with_a_parked_sink_reports_the_messages_that_wait(capsys):
    report = RunReport(status="interrupted", signal=2, parked={"slack": 7}, left_spools=["store/spool/old-1"])
    show(report)
    shown = capsys.readouterr().err
    assert ("sink slack is parked: 7 messages wait" in shown, report.exit_code) == (True, 130)
    assert "store/spool/old-1 has messages of a sink that is not configured" in shown


def test_an_unknown_identifier_is_exit_code_1_with_near_ones(made):
    object_id = stored_alert(made)["object_id"]
    code, out, err = why(made, object_id + "x")
    assert (code, out) == (1, "")
    assert object_id in err
    assert len(err.strip().splitlines()) == 1
    assert object_id in json.loads(why(made, object_id.lower(), "--json")[1])["near"]


@pytest.mark.parametrize(
    "text",
    ["x" * 300, "9" * 300, "9" * 19, "1_213", "....0", "٣٣٣", "' OR 1=1 --", "%", "*", "", " ", "\x1b[2J", "[bold]x[/]",
     "\udcff\udcfe", "../../etc/passwd", "a\nb", "0", "no\u202eway", "__import__('os')"],
)  # fmt: skip
@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_hostile_identifiers_are_unknown(made, text, as_json):
    code, out, err = why(made, *as_json, "--", text)
    assert code == 1
    assert "has no alert" in err
    assert "\x1b" not in err
    assert len(err.strip().splitlines()) == 1
    assert not as_json or json.loads(out)["stored"] == []
