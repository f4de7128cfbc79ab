"""Tables are fetched over real sockets from services that speak the documented protocols, whole or not at all."""

from __future__ import annotations

import hashlib
import io
import logging
import zipfile
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from redpoll.catalogs.errors import CatalogError, RecipeError
from redpoll.catalogs.fetch import ConeArea, Positions, fetch_table
from redpoll.catalogs.recipe import parse_recipe
from redpoll.errors import UsageError
from redpoll.testing.catalogue_server import CatalogueServer, catalogue_server
from redpoll.testing.http import CannedResponse, file_response, http_server

RNG = np.random.default_rng(1)
N = 400
RA, DEC = RNG.uniform(0, 360, N), np.degrees(np.arcsin(RNG.uniform(-1, 1, N)))
RECIPE = """
title = "Synthetic"
[position]
ra = "RA"
dec = "DEC"
[columns.fake_type]
source = "VType"
dtype = "string"
doc = "Type."
[columns.fake_z]
source = "z"
dtype = "float32"
doc = "Redshift."
[fetch]
"""
COLUMNS = 'columns = { RA = "ra", DEC = "dec", VType = "Type" }\n'


def catalogue(**more) -> CatalogueServer:
    columns = {
        "ra": [f"{x:.6f}" for x in RA],
        "dec": [f"{x:.6f}" for x in DEC],
        "Type": [None if i % 7 == 0 else f"T<{i}>" for i in range(N)],
        "z": [None if i % 5 == 0 else f"{i / 1000}" for i in range(N)],
    }
    return CatalogueServer(columns, **more)


def recipe(fetch: str, **names: str):
    return parse_recipe(RECIPE + fetch.format(**names), "fake")


def vizier(server, more: str = ""):
    text = 'kind = "vizier"\nsource = "B/fake/fake"\nurl = "{url}/viz-bin/votable"\n' + COLUMNS + more
    return recipe(text.replace("{ ", "{{ ").replace(" }", " }}"), url=server.url)


def tap(server, more: str = ""):
    text = 'kind = "tap"\ntable = "B/fake/fake"\nurl = "{url}/tap"\n' + COLUMNS + more
    return recipe(text.replace("{ ", "{{ ").replace(" }", " }}"), url=server.url)


def xmatch(server, more: str = ""):
    text = 'kind = "xmatch"\ncatalogue = "B/fake/fake"\nurl = "{url}/xmatch/api/v1/sync"\n' + COLUMNS + more
    return recipe(text.replace("{ ", "{{ ").replace(" }", " }}"), url=server.url)


def fetch(made, folder: Path, **more):
    return fetch_table(made, folder, sleep=lambda seconds: None, **more)


def rows(path: Path) -> list[tuple]:
    table = pq.read_table(path)
    assert table.column_names == ["RA", "DEC", "VType", "z"]
    return sorted(zip(*(column.to_pylist() for column in table.columns), strict=True))


def everything() -> list[tuple]:
    fake = catalogue().columns
    numbers = (None if z is None else float(z) for z in fake["z"])
    return sorted(zip(map(float, fake["ra"]), map(float, fake["dec"]), fake["Type"], numbers, strict=True))


@pytest.mark.parametrize("ask", [vizier, tap])
@pytest.mark.parametrize("strips", ["", "strips = 7\n"])
def test_a_table_comes_whole(tmp_path, ask, strips):
    column = 'strip_column = "dec"\n' if strips and ask is vizier else ""
    with catalogue_server(catalogue()) as server:
        path = fetch(ask(server, strips + column), tmp_path)
    assert rows(path) == everything()
    assert [p.name for p in tmp_path.iterdir()] == ["fake.parquet"]


def test_a_job_of_a_tap_service_runs_to_its_end_and_is_deleted(tmp_path):
    fake = catalogue()
    with catalogue_server(fake) as server:
        path = fetch(tap(server, 'mode = "async"\n'), tmp_path)
    assert rows(path) == everything()
    assert not fake.jobs


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_a_query_that_is_refused_says_why(tmp_path, mode):
    with catalogue_server(catalogue()) as server, pytest.raises(CatalogError, match="not understood: z LIKE"):
        fetch(tap(server, f'mode = "{mode}"\ncondition = "z LIKE 3"\n'), tmp_path)


@pytest.mark.parametrize("ask", [vizier, tap])
def test_strips_that_are_cut_short_are_halved_until_all_rows_are_there(tmp_path, ask):
    column = 'strip_column = "dec"\n' if ask is vizier else ""
    with catalogue_server(catalogue(max_rows=60)) as server:
        path = fetch(ask(server, "strips = 2\npage_rows = 60\n" + column), tmp_path)
        n_requests = len(server.requests)
    assert rows(path) == everything()
    assert n_requests > 10


@pytest.mark.parametrize("ask", [vizier, tap])
def test_a_table_that_is_cut_short_is_an_error_and_leaves_nothing(tmp_path, ask):
    with (
        catalogue_server(catalogue(max_rows=60)) as server,
        pytest.raises(CatalogError, match="truncated at 60 rows"),
    ):
        fetch(ask(server, "page_rows = 60\n"), tmp_path)
    assert not list(tmp_path.rglob("*.parquet"))


def test_a_limit_of_the_service_below_the_one_asked_for_is_seen(tmp_path):
    with (
        catalogue_server(catalogue(max_rows=60)) as server,
        pytest.raises(CatalogError, match="truncated at 60 rows"),
    ):
        fetch(tap(server), tmp_path)


def test_a_place_too_crowded_for_any_strip_is_an_error(tmp_path):
    fake = CatalogueServer({"ra": ["1.0"] * 9, "dec": ["2.0"] * 9, "Type": ["x"] * 9, "z": ["0"] * 9}, max_rows=5)
    with catalogue_server(fake) as server, pytest.raises(CatalogError, match="too crowded"):
        fetch(tap(server, "strips = 2\n"), tmp_path)


@pytest.mark.parametrize("ask", [vizier, tap])
def test_a_cone_brings_what_lies_in_it(tmp_path, ask):
    with catalogue_server(catalogue()) as server:
        path = fetch(ask(server), tmp_path, where=ConeArea(10.0, 0.0, 40.0))
    found = rows(path)
    assert 10 < len(found) < 150
    assert all(abs(dec) <= 40 for _, dec, *_ in found)


def test_an_empty_cone_is_an_empty_table_but_an_empty_catalogue_an_error(tmp_path):
    nothing = CatalogueServer({"ra": [], "dec": [], "Type": [], "z": []})
    with catalogue_server(nothing) as server:
        assert rows(fetch(vizier(server), tmp_path, where=ConeArea(10.0, 0.0, 1.0))) == []
        with pytest.raises(CatalogError, match="no rows"):
            fetch(vizier(server), tmp_path)


def test_an_unknown_table_is_an_error(tmp_path):
    with catalogue_server(catalogue(name="B/other")) as server:
        with pytest.raises(CatalogError, match="no catalogue of this name"):
            fetch(vizier(server), tmp_path)
        with pytest.raises(CatalogError, match="not understood"):
            fetch(tap(server), tmp_path)


def test_positions_bring_their_matches_some_at_a_time(tmp_path):
    ours = Positions(RA[:150] + 1e-4, DEC[:150])
    with catalogue_server(catalogue()) as server:
        path = fetch(xmatch(server, "page_rows = 40\nradius_arcsec = 2.0\n"), tmp_path, where=ours)
        assert len(server.requests) == 4
    assert set(rows(path)) == {row for row in everything() if any(abs(row[0] - ra) < 1e-6 for ra in RA[:150])}


def test_matches_need_positions_and_nothing_else_does(tmp_path):
    with catalogue_server(catalogue()) as server:
        with pytest.raises(UsageError, match="matches of positions"):
            fetch(xmatch(server), tmp_path)
        with pytest.raises(UsageError, match="not of a cone"):
            fetch(xmatch(server), tmp_path, where=ConeArea(1.0, 1.0, 1.0))
        with pytest.raises(UsageError, match="whole or in a cone"):
            fetch(tap(server), tmp_path, where=Positions(RA, DEC))


def test_a_cut_fetch_goes_on_where_it_was(tmp_path):
    fake = catalogue(faults=[None, None, None, *[CannedResponse(503)] * 5])
    with catalogue_server(fake) as server:
        with pytest.raises(CatalogError, match="The received part is kept"):
            fetch(tap(server, "strips = 6\n"), tmp_path)
        before = len(server.requests)
        path = fetch(tap(server, "strips = 6\n"), tmp_path)
        assert len(server.requests) - before == 3
    assert rows(path) == everything()


def test_what_was_split_is_not_asked_for_again(tmp_path):
    fake = catalogue(max_rows=150, faults=[None, None, *[CannedResponse(503)] * 5])
    with catalogue_server(fake) as server:
        with pytest.raises(CatalogError):
            fetch(tap(server, "strips = 2\n"), tmp_path)
        before = len(server.requests)
        fetch(tap(server, "strips = 2\n"), tmp_path)
    asked = [r.body.decode() for r in server.requests[before:]]
    assert not any("dec+%3E%3D+-90.0+AND+dec+%3C+0.0" in body for body in asked)


def test_parts_of_another_question_are_thrown_away(tmp_path):
    fake = catalogue(faults=[None, None, *[CannedResponse(503)] * 5])
    with catalogue_server(fake) as server:
        with pytest.raises(CatalogError):
            fetch(tap(server, "strips = 6\n"), tmp_path)
        path = fetch(tap(server, 'strips = 6\ncondition = "z IS NOT NULL"\n'), tmp_path)
    assert rows(path) == [row for row in everything() if row[3] is not None]


def test_a_table_that_is_there_is_fetched_again_only_for_another_question(tmp_path):
    with catalogue_server(catalogue()) as server:
        fetch(tap(server), tmp_path)
        fetch(tap(server), tmp_path)
        assert len(server.requests) == 1
        fetch(tap(server, 'condition = "z IS NOT NULL"\n'), tmp_path)
        assert len(server.requests) == 2


def test_an_overloaded_service_is_asked_again(tmp_path, caplog):
    cut = CannedResponse(200, b"<VOTABLE><RESOURCE><TABLE>" + b" " * 500, cut_after=100)
    with (
        catalogue_server(catalogue(faults=[CannedResponse(503), CannedResponse(429), cut])) as server,
        caplog.at_level(logging.WARNING),
    ):
        assert rows(fetch(tap(server), tmp_path)) == everything()
    assert caplog.text.count("asking again") == 3


def test_no_server_is_an_error_that_says_what_to_do(tmp_path):
    made = recipe('kind = "tap"\nurl = "http://127.0.0.1:9/tap"\ntable = "x"\n')
    with pytest.raises(CatalogError, match=r"127\.0\.0\.1 is up"):
        fetch(made, tmp_path)


BROKEN = {
    "an HTML page": (b"<html><body>Service <b>down</b></body></html>", "not a VOTable.*Service down"),
    "plain words": (b"Sorry, no.", "not a VOTable.*Sorry, no"),
    "nothing": (b"", "the response ends after"),
    "a table that breaks off": (
        b"<VOTABLE><RESOURCE><TABLE><FIELD name='ra'/><DATA><TABLEDATA><TR><TD>1</TD></TR>",
        "the response ends after 1 rows",
    ),
    "cells in binary": (
        b"<VOTABLE><RESOURCE><TABLE><FIELD name='ra'/><DATA><BINARY2><STREAM/></BINARY2></DATA></TABLE>"
        b"</RESOURCE></VOTABLE>",
        "BINARY2; set a format",
    ),
    "two tables": (b"<VOTABLE><RESOURCE><TABLE/><TABLE/></RESOURCE></VOTABLE>", "several tables"),
    "a row too short": (
        b"<VOTABLE><RESOURCE><TABLE><FIELD name='ra'/><FIELD name='dec'/><DATA><TABLEDATA><TR><TD>1</TD></TR>"
        b"</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>",
        "row 0 has 1 of 2 cells",
    ),
    "an entity bomb": (
        b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><VOTABLE>&b;</VOTABLE>',
        "declares an XML entity",
    ),
    "an endless cell": (
        b"<VOTABLE><RESOURCE><TABLE><FIELD name='ra'/><DATA><TABLEDATA><TR><TD>" + b"1" * 200_000,
        "a cell of more than",
    ),
    "words for numbers": (
        b"<VOTABLE><RESOURCE><TABLE><FIELD name='ra'/><FIELD name='dec'/><FIELD name='Type'/><FIELD name='z'/><DATA>"
        b"<TABLEDATA><TR><TD>1</TD><TD>one</TD><TD/><TD/></TR></TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>",
        "'DEC' should hold numbers",
    ),
    "other columns": (
        b"<VOTABLE><RESOURCE><TABLE><FIELD name='ra'/><DATA><TABLEDATA><TR><TD>1</TD></TR></TABLEDATA></DATA>"
        b"</TABLE></RESOURCE></VOTABLE>",
        "no column 'dec'",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_an_answer_that_is_no_table_is_an_error_and_leaves_nothing(tmp_path, name):
    body, words = BROKEN[name]
    with (
        catalogue_server(catalogue(faults=[CannedResponse(200, body)] * 5)) as server,
        pytest.raises(CatalogError, match=f"(?s){words}"),
    ):
        fetch(tap(server), tmp_path)
    assert not list(tmp_path.rglob("*.parquet"))


def test_more_bytes_than_allowed_are_refused(tmp_path):
    with catalogue_server(catalogue()) as server, pytest.raises(CatalogError, match="more than 10000 bytes"):
        fetch(tap(server), tmp_path, max_bytes=10_000)


def test_a_service_cannot_send_a_job_to_another_host(tmp_path):
    away = CannedResponse(303, b"", {"Location": "http://elsewhere.example/tap/async/1"})
    with catalogue_server(catalogue(faults=[away])) as server, pytest.raises(CatalogError, match="another host"):
        fetch(tap(server, 'mode = "async"\n'), tmp_path)


def test_progress_tells_the_bytes_so_far(tmp_path):
    reported = []
    with catalogue_server(catalogue()) as server:
        fetch(tap(server, "strips = 4\n"), tmp_path, progress=lambda done, total: reported.append(done))
    assert reported == sorted(reported)
    assert reported[-1] > 10_000


CSV = b"RA,DEC,VType,z\n1.0,2.0,x,0.1\n"


def url(server, more: str = "", name: str = "table.csv"):
    return parse_recipe(f'{RECIPE}kind = "url"\nurl = "{server.url}/{name}"\n{more}', "fake")


def test_a_file_is_fetched_checked_and_resumed(tmp_path):
    data = CSV * 20_000
    digest = hashlib.sha256(data).hexdigest()
    cuts = [300_000, None]
    with http_server(lambda request: file_response(request, data, cut_after=cuts.pop(0))) as server:
        path = fetch(url(server, f'sha256 = "{digest}"\n'), tmp_path)
        assert server.requests[1].headers["range"] == "bytes=300000-"
    assert path.read_bytes() == data
    assert path == tmp_path / "table.csv"


@pytest.mark.parametrize(
    ("body", "more", "words"),
    [
        (b"<!DOCTYPE html><p>moved", "", "a web page, not a table"),
        (b"", "", "empty, not a table"),
        (CSV, f'sha256 = "{"0" * 64}"\n', "its SHA-256 is"),
        (CSV, "max_bytes = 10\n", "more than 10 bytes"),
        (CSV, 'member = "a.csv"\n', "not a zip archive"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_refused(tmp_path, body, more, words):
    with http_server(lambda request: CannedResponse(200, body)) as server, pytest.raises(CatalogError, match=words):
        fetch(url(server, more), tmp_path)
    assert not (tmp_path / "table.csv").exists()


def test_a_missing_file_is_an_error(tmp_path):
    with http_server(lambda request: CannedResponse(404)) as server, pytest.raises(CatalogError, match="not found"):
        fetch(url(server), tmp_path)


def archive(member: str, data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(member, data)
    return out.getvalue()


def test_a_key_is_sent_and_the_archive_unpacked_without_its_first_line(tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_KEY", "secret & so")
    monkeypatch.setenv("FAKE_AGENT", 'tns_marker{"tns_id": 1}')
    more = (
        'member = "t.csv"\nskip_lines = 1\nform_from_env = { api_key = "FAKE_KEY" }\n'
        'headers_from_env = { User-Agent = "FAKE_AGENT" }\n'
    )
    with http_server(lambda request: CannedResponse(200, archive("t.csv", b'"2026-01-01"\n' + CSV))) as server:
        path = fetch(url(server, more, "t.csv.zip"), tmp_path)
        (asked,) = server.requests
    assert path.read_bytes() == CSV
    assert asked.body == b"api_key=secret+%26+so"
    assert asked.headers["user-agent"] == 'tns_marker{"tns_id": 1}'


def test_a_key_that_is_not_set_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.delenv("FAKE_KEY", raising=False)
    with (
        http_server(lambda request: CannedResponse(200, CSV)) as server,
        pytest.raises(UsageError, match="environment variable FAKE_KEY"),
    ):
        fetch(url(server, 'form_from_env = { api_key = "FAKE_KEY" }\n'), tmp_path)
    assert not server.requests


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path):
    bomb = archive("t.csv", b"0" * 3_000_000)
    with (
        http_server(lambda request: CannedResponse(200, bomb)) as server,
        pytest.raises(CatalogError, match="unpacks to 3000000 bytes"),
    ):
        fetch(url(server, 'member = "t.csv"\nmax_bytes = 100000\n'), tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no \\[fetch\\]"),
        ('kind = "ftp"', "kind: expected one of vizier, tap, xmatch, url"),
        ('kind = "vizier"', "needs 'source'"),
        ('kind = "vizier"\nsource = "x"\nstrips = 3', "needs strip_column"),
        ('kind = "vizier"\nsource = "x"\nsuorce = 3', "unknown key 'suorce'"),
        ('kind = "vizier"\nsource = "x"\npage_rows = 0.5', "whole number"),
        ('kind = "vizier"\nsource = "x"\ncolumns = { nope = "x" }', "reads no column 'nope'"),
        ('kind = "tap"\nurl = "http://x/tap"\ntable = "x"\ncolumns = { z = "z; DROP TABLE" }', "is not a column name"),
        ('kind = "tap"\nurl = "file:///etc/passwd"\ntable = "x"', "not of the form"),
        ('kind = "xmatch"\ncatalogue = "simbad"\nradius_arcsec = 600', "at most 180"),
        ('kind = "url"\nurl = "http://x/"', "is not a file name"),
        ('kind = "url"\nurl = "http://x/y"\nfile = "../y"', "is not a file name"),
        ('kind = "url"\nurl = "http://me:secret@x/y"', "url holds a password"),
    ],
)
def test_a_recipe_that_cannot_be_followed_is_refused(tmp_path, text, words):
    with pytest.raises(RecipeError, match=words):
        fetch(recipe(text.replace("{", "{{").replace("}", "}}")), tmp_path)


@pytest.mark.parametrize("ra, dec, radius", [(float("nan"), 0.0, 1.0), (0.0, 91.0, 1.0), (0.0, 0.0, 0.0)])
def test_a_cone_that_is_none_is_refused(ra, dec, radius):
    with pytest.raises(UsageError, match="no cone"):
        ConeArea(ra, dec, radius)


def test_positions_that_are_none_are_refused():
    with pytest.raises(UsageError, match="positions must be"):
        Positions(np.array([1.0, np.nan]), np.array([0.0, 0.0]))
