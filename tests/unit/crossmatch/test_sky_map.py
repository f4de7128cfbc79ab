"""Sky maps: every form gives the same levels, real maps agree with astropy, and hostile ones are refused."""

from __future__ import annotations

import base64
import gzip
import json
import tracemalloc

import numpy as np
import pytest
from astropy.io import fits
from astropy.time import Time
from healpix_geo import nested
from sky_files import batch, flat, multi_order, table_bytes, uniq, whole_sky, with_card, zipped_zeros

from redpoll.astro.sky import hpx29
from redpoll.crossmatch.errors import SkyFileError
from redpoll.crossmatch.moc import read_region
from redpoll.crossmatch.regions import Region
from redpoll.crossmatch.sky_maps import flat as flat_maps
from redpoll.crossmatch.sky_maps.context import SkyMapContext, host_distances, open_sky_map
from redpoll.crossmatch.sky_maps.read import parse_sky_map, read_sky_map
from redpoll.crossmatch.sky_maps.sky_map import contour, make_sky_map

ORDER = 4
N_PIXELS = 12 * 4**ORDER


@pytest.fixture(scope="module")
def values():
    """A smooth map whose larger half repeats itself in blocks of sixteen pixels."""
    lon, lat = nested.healpix_to_lonlat(np.arange(N_PIXELS, dtype=np.uint64), ORDER)
    smooth = np.exp(-((lat / 30) ** 2) - (((lon - 150) % 360 - 180) / 60) ** 2)
    smooth *= np.random.default_rng(2).uniform(0.9, 1.1, N_PIXELS)  # no two alike
    smooth[: N_PIXELS // 2] = smooth[: N_PIXELS // 2].reshape(-1, 16).mean(1).repeat(16)
    return smooth


def slow_levels(density, area):
    """Sum over what is at least as dense, without sorting."""
    probability = density * area / (density * area).sum()
    return np.array([probability[density >= one].sum() for one in density])


def largest_repeated(values):
    """Equal pixels may be ranked one by one, or all together."""
    return 16 * values[: N_PIXELS // 2].max() / values.sum() + 2e-7


def as_multi_order(values):
    """The same map with the repeated half as cells two orders up."""
    half = N_PIXELS // 2
    numbers = np.concatenate([uniq(ORDER - 2, np.arange(half // 16)), uniq(ORDER, np.arange(half, N_PIXELS))])
    density = np.concatenate([values[:half:16], values[half:]])
    return {"UNIQ": numbers, "PROBDENSITY": density}


def forms(values):
    nuniq = {"ORDERING": "NUNIQ", "COORDSYS": "C"}
    listed = as_multi_order(values)
    return {
        "nested": flat(values),
        "ring": flat(values, ordering="RING"),
        "1024 in a row": flat(values, in_row=1024),
        "ring, 1024 in a row": flat(values, ordering="RING", in_row=1024),
        "gzip": gzip.compress(flat(values)),
        "single pixels": table_bytes({"PIXEL": np.arange(N_PIXELS), "PROBABILITY": values},
                                     {"ORDERING": "NESTED", "NSIDE": 16}),
        "multi-order": table_bytes(listed, nuniq),
        "shuffled": table_bytes({k: v[np.random.default_rng(1).permutation(len(v))] for k, v in listed.items()}, nuniq),
        "notice": notice(table_bytes(listed, nuniq)),
        "not normalised": flat(values * 1e6),
        "probability of multi-order cells": table_bytes(
            {"UNIQ": listed["UNIQ"], "PROB": listed["PROBDENSITY"] * 4.0 ** -np.repeat([2, 4], [96, 1536])}, nuniq),
    }  # fmt: skip


def notice(data, **facts):
    event = {"skymap": base64.b64encode(data).decode()}
    return json.dumps({"superevent_id": "MS1", "event": event, **facts}).encode()


@pytest.mark.parametrize(
    "form",
    ["nested", "ring", "1024 in a row", "ring, 1024 in a row", "gzip", "single pixels", "multi-order", "notice",
     "not normalised", "probability of multi-order cells"],
)  # fmt: skip
def test_every_form_gives_the_levels_of_the_slow_way(values, form):
    found = parse_sky_map(forms(values)[form], form)
    pixels = hpx29(*nested.healpix_to_lonlat(np.arange(N_PIXELS, dtype=np.uint64), ORDER))
    listed = as_multi_order(values)
    area = np.repeat([16.0, 1.0], [N_PIXELS // 32, N_PIXELS // 2])
    expected = np.concatenate([(x := slow_levels(listed["PROBDENSITY"], area))[:96].repeat(16), x[96:]])
    assert found.credible_levels(pixels) == pytest.approx(expected, abs=largest_repeated(values))
    assert found.probability.sum() == pytest.approx(1.0, abs=1e-12)


def test_the_order_of_rows_makes_no_difference(values):
    made = forms(values)
    one, other = (parse_sky_map(made[form], form) for form in ("multi-order", "shuffled"))
    assert np.array_equal(one.levels, other.levels)


def test_equal_pixels_become_one_cell():
    block = np.zeros(N_PIXELS)
    block[100] = 1.0
    assert len(parse_sky_map(flat(block), "map").starts) == 12 + 3 * ORDER


def test_equal_pixels_stay_apart_where_they_hold_much():
    """Else a region of 90 % of a disc could fall short by a large cell."""
    disc = np.zeros(N_PIXELS)
    disc[:256] = 1.0
    found = parse_sky_map(flat(disc), "map")
    assert found.probability.max() == pytest.approx(1 / 256)
    assert contour(found, 0.9)[1] == pytest.approx(0.9 * 41252.96 / 12, rel=0.01)


def test_a_multi_order_map_gives_the_same_levels_as_its_pixels():
    rng = np.random.default_rng(3)
    pixels = np.repeat(rng.uniform(1, 2, N_PIXELS // 4), 4)
    cells = hpx29(*nested.healpix_to_lonlat(np.arange(N_PIXELS, dtype=np.uint64), ORDER))
    whole = table_bytes({"UNIQ": uniq(ORDER - 1, np.arange(N_PIXELS // 4)), "PROBDENSITY": pixels[::4]})
    found = [parse_sky_map(data, "map").credible_levels(cells) for data in (whole, flat(pixels))]
    assert found[0] == pytest.approx(slow_levels(pixels[::4], np.ones(N_PIXELS // 4)).repeat(4), abs=2e-7)
    assert found[1] == pytest.approx(found[0], abs=2 * 4 / N_PIXELS)


def test_equal_cells_still_have_a_region_of_any_level():
    even = parse_sky_map(multi_order(np.ones(12)), "map")
    assert even.levels.tolist() == pytest.approx(np.arange(1, 13) / 12)
    assert contour(even, 0.5)[1] == pytest.approx(41252.96 / 2, rel=1e-6)


def test_places_without_probability_are_at_level_one():
    found = make_sky_map(np.array([0, 1 << 58]), np.array([0, 0], np.uint8), np.array([1.0, 0.0]))
    assert found.credible_levels(np.array([5, (1 << 58) + 5, 7 << 58])).tolist() == [1.0, 1.0, 1.0]
    assert found.find(np.array([5, (1 << 58) + 5, 7 << 58])).tolist() == [0, 1, -1]


def test_before_the_first_cell_there_is_none():
    assert make_sky_map(np.array([5 << 58]), np.array([0], np.uint8), np.ones(1)).find(np.array([0])).tolist() == [-1]


def test_a_contour_holds_what_its_level_says(values):
    found = parse_sky_map(flat(values), "map")
    ra, dec = whole_sky(5000)
    levels = found.credible_levels(hpx29(ra, dec))
    for level in (0.1, 0.5, 0.9, 1.0):
        inside = Region("contour", contour(found, level)[0]).contains(hpx29(ra, dec))
        near = np.abs(levels - level) < 1e-6
        assert np.array_equal(inside[~near], levels[~near] < level)


def test_a_contour_has_at_least_the_densest_cell():
    one = parse_sky_map(multi_order([100.0] + [1.0] * 11), "map")
    assert (contour(one, 0.01)[0] >> 58).tolist() == [[0, 1]]


@pytest.mark.parametrize("level", [0.0, -0.5, 1.01, np.nan])
def test_an_impossible_level_is_refused(level):
    with pytest.raises(ValueError, match="above 0 and at most 1"):
        contour(parse_sky_map(multi_order(), "map"), level)


def test_time_and_name_come_from_the_header():
    header = {"DATE-OBS": "2019-08-14T21:10:39.012255", "OBJECT": "G347305"}
    found = parse_sky_map(multi_order(header=header), "map")
    assert found.mjd == pytest.approx(Time("2019-08-14T21:10:39.012255", scale="utc").tai.mjd, abs=1e-8)
    assert found.event == "G347305"
    by_mjd = parse_sky_map(multi_order(header={"MJD-OBS": 58709.88239597511}), "map")
    assert by_mjd.mjd == pytest.approx(found.mjd, abs=1e-8)


def test_a_notice_names_the_event():
    assert parse_sky_map(notice(multi_order()), "notice").event == "MS1"


def test_a_context_says_level_and_delay():
    context = SkyMapContext("gw", parse_sky_map(multi_order(header={"MJD-OBS": 59990.0}), "map"))
    found = context.match(batch([45.0, 45.0], [0.1, 89.0]))
    assert {k: v.type for k, v in found.items()} == {k: c.arrow_type for k, c in context.columns.items()}
    assert found["gw_days"].to_pylist() == pytest.approx([10.0 - 37 / 86400] * 2)
    assert set(found) == {"gw_credible_level", "gw_days"}


def test_a_map_without_time_has_no_delay():
    found = SkyMapContext("grb", parse_sky_map(multi_order(), "map")).match(batch([1.0], [2.0]))
    assert found["grb_days"].to_pylist() == [None]


def test_an_empty_batch_has_empty_columns(tmp_path):
    path = tmp_path / "map.fits"
    path.write_bytes(multi_order(DISTMU=np.full(12, 100.0), DISTSIGMA=np.full(12, 10.0)))
    context = open_sky_map("gw", path)
    found = context.match(batch([], []))
    assert {k: (len(v), v.type) for k, v in found.items()} == {k: (0, c.arrow_type) for k, c in context.columns.items()}


def test_a_host_is_as_far_as_its_modulus_says_or_else_its_redshift():
    alerts = batch([1.0, 2.0, 3.0], [0.0] * 3, host_distance_modulus=[35.0, None, None], host_redshift=[9.0, 0.1, None])
    assert host_distances(alerts)[:2].round(2).tolist() == [100.0, 475.82]
    assert np.isnan(host_distances(alerts)[2])
    assert np.isnan(host_distances(batch([1.0], [2.0]))).all()


GOOD = multi_order(header={"MJD-OBS": 58709.5})
FLAT = flat(np.ones(48))


def hostile():
    yield "negative", multi_order([-1.0] + [1.0] * 11), "a probability is -1"
    yield "not a number", multi_order([np.nan] + [1.0] * 11), "a probability is nan"
    yield "infinite", multi_order([np.inf] + [1.0] * 11), "a probability is inf"
    yield "UNSEEN", flat(np.array([-1.6375e30] + [1.0] * 47)), "a probability is -1.6375e\\+30"
    yield "nothing", multi_order(np.zeros(12)), "sums up to 0"
    yield "too much", multi_order(np.full(12, 1e308)), "sums up to inf"
    yield "overlap", multi_order(UNIQ=uniq(0, np.zeros(12))), "cells of the map overlap"
    yield "UNIQ 3", multi_order(UNIQ=np.full(12, 3)), "UNIQ 3 is not a cell"
    yield "UNIQ huge", multi_order(UNIQ=np.full(12, 4**31)), "is not a cell"
    yield "UNIQ real", multi_order(UNIQ=np.full(12, 4.0)), "column UNIQ does not hold integers"
    yield "no rows", table_bytes({"UNIQ": np.empty(0, int), "PROBDENSITY": np.empty(0)}), "the map has no cells"
    yield "no column", table_bytes({"UNIQ": uniq(0, [1]), "TEMPERATURE": np.ones(1)}), "it has UNIQ, TEMPERATURE"
    yield "galactic", multi_order(header={"COORDSYS": "G"}), "COORDSYS is 'G'"
    yield "a billion rows", with_card(GOOD, "NAXIS2", "1000000000"), "has 16,000,000,000 more bytes by its header"
    yield "ten million rows", with_card(GOOD, "NAXIS2", "10000000"), "ends in row 180 of the 10,000,000"
    yield "cut short", GOOD[:-2900], "cut short|no END|ends in row"
    yield "date", multi_order(header={"DATE-OBS": "yesterday"}), "DATE-OBS is 'yesterday'"
    yield "mjd", multi_order(header={"MJD-OBS": "soon"}), "MJD-OBS is 'soon'"
    yield "mjd nan", with_card(GOOD, "MJD-OBS", "NaN"), "MJD-OBS is 'NaN'"
    yield "mjd huge", multi_order(header={"MJD-OBS": 1e300}), "MJD-OBS is '1e\\+300'"
    yield "NSIDE odd", flat(np.ones(48), header={"NSIDE": 3}), "NSIDE is 3; a power of two"
    yield "NSIDE other", flat(np.ones(48), header={"NSIDE": 4}), "NSIDE 4 has 192 pixels, but column PROB has 48"
    yield "NSIDE huge", flat(np.ones(48), header={"NSIDE": 2**20}), "NSIDE is 1048576"
    yield "NSIDE text", flat(np.ones(48), header={"NSIDE": "many"}), "NSIDE = 'many'"
    yield "order", flat(np.ones(48), header={"ORDERING": "SPIRAL"}), "ORDERING is 'SPIRAL'"
    yield "no order", table_bytes({"PROB": np.ones(48)}), "ORDERING is ''"
    yield "pixel", table_bytes({"PIXEL": np.array([48]), "PROB": np.ones(1)}, {"NSIDE": 2}), "outside of 0 to 47"
    yield "gzip cut", gzip.compress(GOOD)[:300], "cut short or damaged"
    yield "notice cut", notice(GOOD)[:300], "correct the map"
    yield "retraction", json.dumps({"superevent_id": "S1", "event": None}).encode(), "a retraction has none"
    yield "not base64", notice(GOOD).replace(b"U0lNUExF", b"!!!!____"), "not base64"
    yield "not a map", base64_of(b"hello"), "event.skymap: is not a FITS file"
    yield "deep", b'{"event":' * 100_000, "nested too deeply|correct the map"
    yield "text", b"import os", "is not a FITS file"
    yield "empty", b"", "is not a FITS file"


def base64_of(data):
    return notice(data)


@pytest.mark.parametrize(
    ("data", "message"), [pytest.param(data, message, id=name) for name, data, message in hostile()]
)
def test_a_map_that_cannot_be_is_refused_with_the_reason(tmp_path, data, message):
    path = tmp_path / "map.fits"
    path.write_bytes(data)
    with pytest.raises(SkyFileError, match=message) as caught:
        read_sky_map(path)
    assert str(path) in str(caught.value)


def test_a_map_of_too_many_different_pixels_is_refused_while_it_is_read(monkeypatch):
    monkeypatch.setattr(flat_maps, "MAX_CELLS", 1000)
    with pytest.raises(SkyFileError, match="more than 1,000 different cells"):
        parse_sky_map(flat(np.arange(1.0, N_PIXELS + 1)), "map")


def test_too_large_a_map_in_ring_order_is_refused(monkeypatch):
    monkeypatch.setattr(flat_maps, "_MAX_RING_BYTES", 1000)
    with pytest.raises(SkyFileError, match="write it NESTED"):
        parse_sky_map(flat(np.ones(192), ordering="RING"), "map")


def test_a_gzip_bomb_is_refused_within_its_bound(tmp_path):
    bomb = zipped_zeros(tmp_path / "bomb.gz", 300)
    tracemalloc.start()
    with pytest.raises(SkyFileError, match="no END"):
        read_sky_map(bomb)
    assert tracemalloc.get_traced_memory()[1] < 100 << 20
    tracemalloc.stop()


def test_a_large_flat_map_is_read_in_little_memory():
    """A map of nside 512, 100 MB of numbers with its distances, that repeats itself."""
    n = 12 * 4**9
    data = gzip.compress(
        table_bytes({"PROB": np.arange(1.0, 3073.0).repeat(1024), "DISTMU": np.full(n, 100.0),
                     "DISTSIGMA": np.full(n, 10.0), "DISTNORM": np.full(n, 1e-4)},
                    {"ORDERING": "NESTED", "NSIDE": 512}),
        1,
    )  # fmt: skip
    tracemalloc.start()
    found = parse_sky_map(data, "map")
    assert tracemalloc.get_traced_memory()[1] < 60 << 20
    tracemalloc.stop()
    assert len(found.starts) < 30_000


def real(data_dir, name):
    return data_dir / "skymaps" / name


@pytest.mark.parametrize("name", ["S190814bv-bayestar.multiorder.fits", "MS181101ab.multiorder.fits"])
def test_a_real_multi_order_map_agrees_with_astropy(data_dir, name):
    found = read_sky_map(real(data_dir, name))
    with fits.open(real(data_dir, name)) as units:
        rows, header = units[1].data, units[1].header
        orders = (np.log2(rows["UNIQ"] // 4) // 2).astype(np.int64)
        probability = rows["PROBDENSITY"] * np.pi / 3 / 4.0**orders
        cells = rows["UNIQ"] - 4 * 4**orders
        lon, lat = np.empty((2, len(rows)))
        for order in np.unique(orders).tolist():
            here = orders == order
            lon[here], lat[here] = nested.healpix_to_lonlat(cells[here].astype(np.uint64), order)
        ranked = np.argsort(-rows["PROBDENSITY"], kind="stable")
        levels = np.empty(len(rows))
        levels[ranked] = np.cumsum(probability[ranked]) / probability.sum()
    assert found.credible_levels(hpx29(lon, lat)) == pytest.approx(levels, abs=1e-6)
    assert found.mjd == pytest.approx(Time(header["MJD-OBS"], format="mjd", scale="utc").tai.mjd, abs=1e-8)


def test_our_region_of_a_real_map_is_the_published_one(data_dir):
    found = contour(read_sky_map(real(data_dir, "MS181101ab.multiorder.fits")), 0.9)[0]
    assert np.array_equal(found, read_region(real(data_dir, "MS181101ab.90.moc.fits")))


def test_a_real_flat_map_agrees_with_astropy(data_dir):
    """Its 12.6 million pixels become 16,896 cells; the published 90 % region has 23 deg2 (arXiv:2006.12611)."""
    name = real(data_dir, "S190814bv_5_LALInference.v1.fits.gz")
    found = read_sky_map(name)
    with fits.open(name) as units:
        probability = units[1].data["PROB"].copy()
    ranked = np.argsort(-probability, kind="stable")
    cumulated = np.cumsum(probability[ranked]) / probability.sum()
    pixels = ranked[:: len(ranked) // 5000]
    cells = hpx29(*nested.healpix_to_lonlat(pixels.astype(np.uint64), 10))
    assert found.probability[found.find(cells)] / 4.0 ** (10 - found.orders[found.find(cells)].astype(int)) == (
        pytest.approx(probability[pixels] / probability.sum(), rel=1e-9)
    )
    cell = found.probability.max()
    assert found.credible_levels(cells) == pytest.approx(cumulated[:: len(ranked) // 5000], abs=float(cell))
    assert len(found.starts) < 20_000
    assert contour(found, 0.9)[1] == pytest.approx(23, abs=0.5)


@pytest.mark.slow
def test_a_real_map_in_ring_order_agrees_with_astropy(data_dir):
    name = real(data_dir, "GRB220617A_IPN_map_hpx.fits.gz")
    found = read_sky_map(name)
    with fits.open(name) as units:
        values = units[1].data["PROBABILITY"].ravel().astype(np.float64)
    from healpix_geo import ring

    pixels = np.concatenate([np.flatnonzero(values), np.arange(0, len(values), 50_001)])
    cells = hpx29(*ring.healpix_to_lonlat(pixels.astype(np.uint64), 11))
    of_map = found.find(cells)
    spread = 4.0 ** (11 - found.orders[of_map].astype(int))
    np.testing.assert_allclose(found.probability[of_map] / spread, values[pixels] / values.sum(), rtol=1e-6)


def test_a_real_notice_holds_a_map(data_dir):
    found = read_sky_map(real(data_dir, "igwn_gwalert_preliminary.json"))
    assert (found.event, len(found.starts)) == ("MS260605l", 19_200)
    assert found.mjd == pytest.approx(Time("2026-06-05T11:57:26.395", scale="utc").tai.mjd, abs=1e-4)
