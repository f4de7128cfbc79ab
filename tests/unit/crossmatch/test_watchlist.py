"""Watchlists: forms of the list, which entry counts, and lists that cannot be."""

from __future__ import annotations

import gzip

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.table import Table
from sky_files import batch, table_bytes, whole_sky

from redpoll.astro.sky import separation_arcsec
from redpoll.catalogs.errors import CatalogError
from redpoll.crossmatch import watchlist
from redpoll.crossmatch.errors import SkyFileError
from redpoll.crossmatch.watchlist import DEFAULT_RADIUS, Entries, Watchlist, open_watchlist, read_entries

ROWS = {"ra": [10.5, 250.25], "dec": [-5.25, 40.0], "radius_arcsec": [2.0, 10.0], "name": ["M 1", "X"]}
CSV = "ra,dec,radius_arcsec,name\n10.5,-5.25,2.0,M 1\n250.25,40.0,10.0,X\n"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "list"


def names(*values):
    return pa.array(list(values), pa.string())


def entries(ra, dec, radius, name=None):
    ra, dec = np.atleast_1d(np.asarray(ra, float)), np.atleast_1d(np.asarray(dec, float))
    return Entries(ra, dec, np.broadcast_to(float(radius), ra.shape), pa.array(name or [None] * len(ra), pa.string()))


def parquet(path):
    pq.write_table(pa.table(ROWS), path)


def votable(path):
    Table(ROWS).write(path, format="votable")


def fits(path):
    path.write_bytes(table_bytes({k: np.array(v) for k, v in ROWS.items() if k != "name"}))


def text(content):
    return lambda path: path.write_text(content)


FORMS = {
    "csv": text(CSV),
    "gzip": lambda path: path.write_bytes(gzip.compress(CSV.encode())),
    "blanks": text("# mine\n" + CSV.replace(",", "  ")),
    "sexagesimal": text("RA,Dec,radius_arcsec,name\n00:42:00,-05:15:00,2,M 1\n16 41 00.0,+40 00 00,10,X\n"),
    "other names": text("_RAJ2000;DEJ2000;Radius;Name\n10.5;-5.25;2;M 1\n250.25;40;10;X\n".replace("_RA", "RA")),
    "parquet": parquet,
    "votable": votable,
    "fits": fits,
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_the_same_list(path, form):
    FORMS[form](path)
    found = read_entries(path)
    assert found.ra.round(9).tolist() == ROWS["ra"]
    assert found.dec.round(9).tolist() == ROWS["dec"]
    assert found.radius.tolist() == ROWS["radius_arcsec"]
    assert found.names.to_pylist() == ([None, None] if form == "fits" else ROWS["name"])


def test_radius_and_name_may_be_missing(path):
    path.write_text("ra,dec\n1,2\n")
    found = read_entries(path)
    assert (found.radius.tolist(), found.names.to_pylist()) == ([DEFAULT_RADIUS], [None])


def test_single_radii_and_names_may_be_missing(path):
    path.write_text("ra,dec,radius_arcsec,name\n1,2,,a\n3,4,5,\n")
    found = read_entries(path)
    assert (found.radius.tolist(), found.names.to_pylist()) == ([DEFAULT_RADIUS, 5.0], ["a", None])


def test_an_alert_gets_the_nearest_entry_that_reaches_it():
    mine = Watchlist(
        "mine", Entries(np.array([10.0, 10.0005]), np.zeros(2), np.array([60.0, 1.0]), names("wide", "narrow"))
    )
    found = mine.match(batch([10.0004, 10.0015, 10.1], [0.0, 0.0, 0.0]))
    assert found["mine_source"].to_pylist() == ["narrow", "wide", None]
    assert found["in_mine"].to_pylist() == [True, True, False]
    assert found["mine_arcsec"].to_numpy(zero_copy_only=False).round(2).tolist()[:2] == pytest.approx(
        [0.36, 5.4], abs=0.01
    )


def test_an_entry_without_name_matches_all_the_same():
    found = Watchlist("mine", entries(10, 0, 5)).match(batch([10.0], [0.0]))
    assert (found["in_mine"].to_pylist(), found["mine_source"].to_pylist()) == ([True], [None])


def test_lists_reach_over_the_poles_and_zero_right_ascension():
    mine = Watchlist("mine", entries([359.9999, 120], [0.0, 90.0], 2, ["zero", "pole"]))
    found = mine.match(batch([0.0001, 300.0, 0.0001], [0.0, 89.9999, 0.1]))
    assert found["mine_source"].to_pylist() == ["zero", "pole", None]


def test_matches_are_those_of_the_slow_way():
    rng = np.random.default_rng(4)
    ra, dec = whole_sky(300, 5)
    radius = rng.uniform(1, 3600, 300)
    mine = Watchlist("mine", Entries(ra, dec, radius, pa.array([str(i) for i in range(300)])))
    alerts = batch(ra.repeat(5) + rng.normal(0, 0.3, 1500), np.clip(dec.repeat(5) + rng.normal(0, 0.3, 1500), -90, 90))
    apart = separation_arcsec(alerts["ra"].to_numpy()[:, None], alerts["dec"].to_numpy()[:, None], ra, dec)
    apart[apart > radius] = np.inf
    best = [str(i) if np.isfinite(row[i]) else None for row in apart for i in [row.argmin()]]
    assert mine.match(alerts)["mine_source"].to_pylist() == best
    assert None in best and len(set(best)) > 100


def test_answers_have_the_types_that_are_declared():
    mine = Watchlist("mine", entries(10, 0, 5, ["a"]))
    for alerts in (batch([10.0, 50.0], [0.0, 0.0]), batch([], [])):
        found = mine.match(alerts)
        assert {k: v.type for k, v in found.items()} == {k: c.arrow_type for k, c in mine.columns.items()}
        assert found["in_mine"].null_count == 0


def test_the_version_changes_with_the_file(path):
    path.write_text("ra,dec\n1,2\n")
    before = open_watchlist("mine", path).version
    path.write_text("ra,dec\n1,3\n")
    assert open_watchlist("mine", path).version != before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name,mag\nx,1\n", "needs a header with the columns ra and dec; it has name, mag"),
        ("ra,dec\n", "holds no entries"),
        ("", "list"),
        ("ra,dec\n1,95\n", "entry 1 has no position: 1 95"),
        ("ra,dec\n1,2\n400,2\n", "entry 2 has no position"),
        ("ra,dec\n1,\n", "entry 1 has no position"),
        ("ra,dec\nnan,2\n", "entry 1 has no position"),
        ("ra,dec\nhere,there\n", "numbers"),
        ("ra,dec\n25:00:00,10:00:00\n", "entry 1 has no position"),
        ("ra,dec\n__import__('os'),2\n", "numbers"),
        ("ra,dec,radius_arcsec\n1,2,0\n", "entry 1 has a radius of 0 arcsec"),
        ("ra,dec,radius_arcsec\n1,2,-3\n", "entry 1 has a radius of -3"),
        ("ra,dec,radius_arcsec\n1,2,7200\n", "Use a region"),
        ("ra,dec,radius_arcsec\n1,2,inf\n", "radius of inf"),
        ("ra,dec,radius_arcsec\n1,2,wide\n", "numbers"),
        ("ra dec name\n1 2 a\n1 2\n", "1 lines have more or fewer values"),
        ("ra dec\n1 2 3\n", "numbers"),
        ("ra,dec\n1,2\n1,2,3,4\n", "1 lines have more or fewer values"),
    ],
)
def test_a_list_that_cannot_be_is_refused_with_the_place(path, content, message):
    path.write_text(content)
    with pytest.raises((SkyFileError, CatalogError), match=message) as caught:
        read_entries(path)
    assert str(path) in str(caught.value)


def test_too_long_a_list_is_sent_to_the_catalogues(path, monkeypatch):
    monkeypatch.setattr(watchlist, "MAX_ENTRIES", 1)
    for form in ("csv", "parquet"):
        FORMS[form](path)
        with pytest.raises(SkyFileError, match="redpoll catalog add"):
            read_entries(path)
