"""Regions: every form of a MOC, shapes in text, and what a stranger might send instead."""

from __future__ import annotations

import gzip
import json
import tracemalloc

import numpy as np
import pytest
from mocpy import MOC
from sky_files import batch, table_bytes, uniq, whole_sky, with_card, zipped_zeros

from redpoll.astro.sky import N_CELLS, hpx29, separation_arcsec
from redpoll.crossmatch import moc
from redpoll.crossmatch.cells import area_deg2, from_uniq, merged
from redpoll.crossmatch.errors import SkyFileError
from redpoll.crossmatch.moc import parse_moc, read_region
from redpoll.crossmatch.regions import Region, open_region
from redpoll.crossmatch.stcs import parse_stcs
from redpoll.errors import PluginError

CELLS = {"1": [0, 2, 3], "4": [300, 301, 302, 303, 2000], "29": [0, N_CELLS - 1]}
TEXT = "1/0 2-3 4/300-303,2000 29/0 3458764513820540927"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "region"


def ranges_of(cells):
    found = [from_uniq(uniq(int(order), numbers)) for order, numbers in cells.items()]
    starts, orders = (np.concatenate(x) for x in zip(*found, strict=True))
    return merged(starts, starts + 4 ** (29 - orders.astype(np.int64)))


def nuniq(numbers, **header):
    return table_bytes({"UNIQ": np.asarray(numbers)}, {"ORDERING": "NUNIQ", "COORDSYS": "C", **header})


def forms():
    ranges = ranges_of(CELLS)
    numbers = np.concatenate([uniq(int(order), cells) for order, cells in CELLS.items()])
    yield "fits", nuniq(numbers)
    yield "fits ranges", table_bytes({"RANGE": ranges.ravel()}, {"ORDERING": "RANGE", "MOCDIM": "SPACE"})
    yield "json", json.dumps(CELLS).encode()
    yield "text", TEXT.encode()
    yield "text of MOC 2", ("s" + TEXT.replace(" ", "\n")).encode()
    yield "gzip", gzip.compress(json.dumps(CELLS).encode())


@pytest.mark.parametrize("data", [pytest.param(data, id=name) for name, data in forms()])
def test_every_form_is_the_same_region(path, data):
    path.write_bytes(data)
    assert np.array_equal(read_region(path), ranges_of(CELLS))


@pytest.mark.parametrize("form", ["fits", "json", "ascii"])
def test_what_another_library_writes_is_read(path, form):
    made = MOC.from_string("3/5-9 700 8/1000-1100 12/200000000")
    made.save(path, format=form)
    assert np.array_equal(read_region(path), made.to_depth29_ranges.astype(np.int64))


def test_alerts_in_a_region_are_those_that_another_library_finds():
    made = MOC.from_string("3/5-9 700 6/1000-1100")
    ra, dec = whole_sky(20_000)
    found = Region("field", made.to_depth29_ranges.astype(np.int64)).match(batch(ra, dec))["in_field"]
    expected = made.contains_lonlat(ra * made_degrees(), dec * made_degrees())
    assert found.to_pylist() == expected.tolist()
    assert expected.any()


def made_degrees():
    from astropy import units

    return units.deg


def test_a_region_is_closed_at_its_start_and_open_at_its_end():
    region = Region("one", np.array([[10, 20], [30, 40]]))
    assert region.contains(np.array([9, 10, 19, 20, 29, 30, 39, 40])).tolist() == [0, 1, 1, 0, 0, 1, 1, 0]


def test_an_empty_region_holds_nothing_and_a_whole_sky_all(path):
    cells = np.array([0, N_CELLS // 2, N_CELLS - 1])
    assert not Region("none", parse_moc("4/")).contains(cells).any()
    assert Region("all", parse_moc("0/0-11")).contains(cells).all()
    assert Region("none", parse_moc("4/")).match(batch([], []))["in_none"].to_pylist() == []


def test_overlapping_cells_count_once():
    assert area_deg2(parse_moc("0/0 1/0-3 5/7 5/7")) == pytest.approx(area_deg2(parse_moc("0/0")))


def test_the_version_changes_with_the_file(path):
    path.write_text("3/5")
    before = open_region("field", path).version
    path.write_text("3/6")
    assert open_region("field", path).version != before


def test_a_name_that_is_no_column_is_refused():
    with pytest.raises(PluginError, match="cannot be a region's name"):
        Region("My Field", np.array([[0, 1]]))


def test_a_circle_is_as_large_and_round_as_it_says():
    ra, dec = whole_sky(200_000)
    inside = Region("circle", parse_stcs("Circle ICRS 359.5 40 3.0")).contains(hpx29(ra, dec))
    apart = separation_arcsec(359.5, 40.0, ra, dec) / 3600
    assert inside[apart < 2.95].all() and not inside[apart > 3.05].any()


@pytest.mark.parametrize("ra, dec, radius", [(0, 90, 2), (12, -90, 0.01), (180, 0, 120), (10, 10, 180)])
def test_circles_have_the_area_of_a_cap(ra, dec, radius):
    cap = 2 * np.pi * (1 - np.cos(np.radians(radius))) * (180 / np.pi) ** 2
    assert area_deg2(parse_stcs(f"circle {ra} {dec} {radius}")) == pytest.approx(cap, rel=0.01)


def test_a_polygon_holds_what_its_sides_enclose():
    region = Region("field", parse_stcs("Polygon ICRS 350 -10 10 -10 10 10 350 10"))
    inside = region.contains(hpx29([0, 355, 9.8, 0, 180, 12, 0], [0, 9, -9.8, 11, 0, 0, -11]))
    assert inside.tolist() == [1, 1, 1, 0, 0, 0, 0]


def test_a_polygon_may_be_dented():
    region = Region("field", parse_stcs("Polygon 0 0 10 0 10 10 5 2 0 10"))
    assert region.contains(hpx29([5, 1, 9, 5], [1, 5, 5, 6])).tolist() == [1, 1, 1, 0]


def test_a_polygon_around_the_pole_holds_it():
    region = Region("cap", parse_stcs("Polygon 0 80 90 80 180 80 270 80"))
    assert region.contains(hpx29([33, 45, 45], [90, 84, 60])).tolist() == [1, 1, 0]


def test_a_union_holds_each_of_its_shapes():
    region = Region("two", parse_stcs("Union ICRS (Circle 10 0 1 Polygon 40 -1 42 -1 41 2)"))
    assert region.contains(hpx29([10, 41, 25], [0.5, 0, 0])).tolist() == [1, 1, 0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("3/800", "not a range of cells"),
        ("30/1", "order 30 is not one of 0 to 29"),
        ("3/-5", "neither an order nor a cell"),
        ("3/9-5", "not a range of cells"),
        ("17,20", "stands before any order"),
        ("3/1,2,a", "neither an order nor a cell"),
        ("3/12a", "neither an order nor a cell"),
        ("3/99999999999999999999999", "neither an order nor a cell"),
        ("0/999999999999999999", "beyond the last of its order"),
        ('{"3": [768]}', "beyond the last of the order"),
        ('{"3": [-1]}', "beyond the last of the order, or is negative"),
        ('{"30": [1]}', "order 30"),
        ('{"3": [1.5]}', "not a list of integers"),
        ('{"3": 7}', "not a list of integers"),
        ('{"x": [7]}', "'x' is not an order"),
        ('{"3": [1,', "region"),
        ('{"a":' * 5000, "region"),
        ("", "is not a region"),
        ("hello", "is not a region"),
        ("__import__('os').system('true')", "is not a region"),
        ("Circle ICRS 10 20", "a circle has ra, dec and a radius"),
        ("Circle ICRS 10 95 1", "a circle has ra, dec and a radius"),
        ("Circle ICRS nan 5 1", "a circle has ra, dec and a radius"),
        ("Circle ICRS 10 20 ten", "'ten' is not valid"),
        ("Circle GALACTIC 10 20 1", "only ICRS"),
        ("Polygon ICRS 10 20 11 21", "3 to 1000 pairs"),
        ("Polygon ICRS 0 0 120 0 240 0", "cut it into a union"),
        ("Union ICRS ()", "the union is empty"),
        ("Union " + "Circle 1 2 3 " * 101, "more than 100 shapes"),
    ],
)
def test_a_text_that_is_no_region_is_refused_with_the_reason(path, text, message):
    path.write_text(text)
    with pytest.raises(SkyFileError, match=message) as caught:
        read_region(path)
    assert str(path) in str(caught.value)


GOOD = nuniq(uniq(3, [5, 6]))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (GOOD[:-2900], "ends in row|cut short"),
        (GOOD[:3000], "no END"),
        (with_card(GOOD, "NAXIS2", "1000000000"), "has 8,000,000,000 more bytes by its header"),
        (with_card(GOOD, "NAXIS2", "4000"), "ends in row 360 of the 4,000"),
        (with_card(GOOD, "NAXIS2", "-4"), "NAXIS2 = -4"),
        (with_card(GOOD, "NAXIS1", "16"), "16 bytes per row, the columns .* 8"),
        (with_card(GOOD, "TFIELDS", "1000000"), "TFORM2"),
        (with_card(GOOD, "TFORM1", "'1D'"), "does not hold integers"),
        (with_card(GOOD, "TFORM1", "'8A'"), "is not numeric"),
        (with_card(GOOD, "TFORM1", "'?'"), "TFORM1 = '\\?'"),
        (with_card(GOOD, "XTENSION", "'IMAGE   '"), "no binary table"),
        (nuniq([3]), "UNIQ 3 is not a cell"),
        (nuniq([-7]), "UNIQ -7 is not a cell"),
        (nuniq([4**31]), "is not a cell of an order from 0 to 29"),
        (nuniq([17], COORDSYS="G"), "COORDSYS is 'G'"),
        (nuniq([17], MOCDIM="TIME"), "MOCDIM is 'TIME'"),
        (nuniq([17], ORDERING="NESTED"), "ORDERING is 'NESTED'"),
        (nuniq([17], TZERO1=5), "scaled"),
        (table_bytes({"RANGE": np.array([1, 2, 3])}, {"ORDERING": "RANGE"}), "odd number"),
        (table_bytes({"RANGE": np.array([5, 2])}, {"ORDERING": "RANGE"}), "5 to 2 is not a range"),
        (table_bytes({"RANGE": np.array([5, N_CELLS + 1])}, {"ORDERING": "RANGE"}), "is not a range"),
        (b"\xff\xfe\x00", "neither FITS nor text"),
        (gzip.compress(GOOD)[:200], "cut short or damaged"),
    ],
)
def test_a_fits_file_that_is_no_region_is_refused_with_the_reason(path, data, message):
    path.write_bytes(data)
    with pytest.raises(SkyFileError, match=message):
        read_region(path)


def test_a_file_that_is_not_there_is_named(path):
    with pytest.raises(SkyFileError, match="No such file"):
        read_region(path)


def test_too_many_cells_are_refused(path, monkeypatch):
    monkeypatch.setattr(moc, "MAX_CELLS", 3)
    for data in (b"5/1,3,5,7", b'{"5": [1, 3, 5, 7]}', nuniq(uniq(5, np.arange(8)))):
        path.write_bytes(data)
        with pytest.raises(SkyFileError, match="more than 3 cells"):
            read_region(path)


def test_a_gzip_bomb_is_refused_within_its_bound(tmp_path):
    bomb = zipped_zeros(tmp_path / "bomb.gz", 400)
    tracemalloc.start()
    with pytest.raises(SkyFileError):
        read_region(bomb)
    assert tracemalloc.get_traced_memory()[1] < 200 << 20
    tracemalloc.stop()


def test_a_real_region_is_read_as_another_library_does(data_dir):
    real = data_dir / "skymaps" / "MS181101ab.90.moc.fits"
    assert np.array_equal(read_region(real), MOC.load(str(real), "fits").to_depth29_ranges.astype(np.int64))
