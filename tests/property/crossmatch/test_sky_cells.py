"""Cells, regions and maps agree with sets of small cells counted one by one."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from redpoll.astro.sky import N_CELLS
from redpoll.crossmatch.bounded_file import reader_of
from redpoll.crossmatch.cells import CellIndex, area_deg2, from_uniq, merged, spans
from redpoll.crossmatch.errors import SkyFileError
from redpoll.crossmatch.moc import parse_moc
from redpoll.crossmatch.regions import Region
from redpoll.crossmatch.sky_maps.context import SkyMapContext
from redpoll.crossmatch.sky_maps.flat import merge_equal
from redpoll.crossmatch.sky_maps.read import parse_sky_map
from redpoll.crossmatch.sky_maps.sky_map import contour, make_sky_map

cells = st.integers(0, N_CELLS - 1)
orders = st.integers(0, 29)
ranges = st.lists(st.tuples(cells, st.integers(1, 1 << 57)).map(lambda r: (r[0], min(sum(r), N_CELLS))), max_size=12)


@given(st.lists(cells, max_size=50), st.lists(cells, max_size=50))
def test_the_index_finds_what_searchsorted_finds(starts, wanted):
    starts, wanted = np.sort(np.array(starts, np.int64)), np.array(wanted, np.int64)
    assert np.array_equal(CellIndex(starts).find(wanted), np.searchsorted(starts, wanted, side="right") - 1)


@given(ranges, st.lists(cells, max_size=30))
def test_merged_ranges_hold_the_same_cells(found, wanted):
    made = merged(np.array([a for a, _ in found], np.int64), np.array([b for _, b in found], np.int64))
    wanted = np.array(
        wanted + [x for r in found for x in (r[0], r[1] - 1)] + [r[1] for r in found if r[1] < N_CELLS], np.int64
    )
    expected = [any(a <= cell < b for a, b in found) for cell in wanted.tolist()]
    assert Region("r", made).contains(wanted).tolist() == expected
    assert (made[1:, 0] > made[:-1, 1]).all()


@given(orders, st.data())
def test_uniq_numbers_are_packed_and_unpacked(order, data):
    cell = data.draw(st.integers(0, 12 * 4**order - 1))
    start, found = from_uniq(np.array([4 * 4**order + cell]))
    assert (start[0] >> 2 * (29 - order), found[0]) == (cell, order)


@given(st.lists(st.tuples(orders, st.floats(0, 1)), max_size=20))
def test_text_of_a_region_is_read_back(found):
    pairs = [(order, min(int(x * 12 * 4**order), 12 * 4**order - 1)) for order, x in found]
    text = " ".join(f"{order}/{cell}" for order, cell in pairs)
    starts, made = from_uniq(np.array([4 * 4**order + cell for order, cell in pairs], np.int64))
    assert np.array_equal(parse_moc(text), merged(starts, starts + spans(made)))


maps = st.lists(st.floats(0, 1e6), min_size=12, max_size=12).filter(lambda x: sum(x) > 1e-3)


@given(maps, st.floats(0.01, 1.0))
def test_a_contour_never_holds_more_than_its_level_but_for_one_cell(density, level):
    base = np.arange(12, dtype=np.int64) << 58
    found = make_sky_map(base, np.zeros(12, np.uint8), np.array(density))
    ranges, area = contour(found, level)
    inside = Region("c", ranges).contains(base)
    held = found.probability[inside].sum()
    assert held <= level + 1e-12 or inside.sum() == 1
    assert area == area_deg2(ranges)
    assert found.probability[inside].min() >= found.probability[~inside].max(initial=0) - 1e-15


@given(maps, st.lists(st.integers(0, 11), max_size=30), st.integers(0, 30))
def test_splitting_a_batch_changes_nothing(density, bases, cut):
    context = SkyMapContext(
        "e", make_sky_map(np.arange(12, dtype=np.int64) << 58, np.zeros(12, np.uint8), np.array(density))
    )
    alerts = pa.record_batch({"hpx29": np.array(bases, np.int64) << 58, "mjd": np.full(len(bases), 6e4)})
    whole = context.match(alerts)["e_credible_level"]
    parts = [
        context.match(part)["e_credible_level"] for part in (alerts.slice(0, cut), alerts.slice(min(cut, len(bases))))
    ]
    assert whole.to_pylist() == pa.concat_arrays(parts).to_pylist()


@given(st.lists(st.sampled_from([1.0, 2.0]), min_size=48, max_size=48))
def test_pixels_put_together_are_the_same_pixels(values):
    rebuilt = np.zeros(48)
    for starts, found, (kept,) in merge_equal(0, 1, [np.array(values)]):
        for start, order, value in zip(starts.tolist(), found.tolist(), kept.tolist(), strict=True):
            first = start >> 56
            rebuilt[first : first + 4 ** (1 - order)] += value
    assert rebuilt.tolist() == values


@given(st.binary(max_size=300), st.sampled_from([b"", b"SIMPLE  =", b"{", b"\x1f\x8b", b"3/1 "]))
def test_any_bytes_are_a_map_or_refused(data, start):
    try:
        parse_sky_map(start + data, "upload")
    except SkyFileError as error:
        assert "upload" in str(error)


@given(st.binary(max_size=3000), st.lists(st.integers(0, 700), max_size=8))
def test_a_reader_gives_every_byte_once(data, sizes):
    reader = reader_of(b"x" + data, "bytes", 4000)
    assert b"".join([*(reader.read(n) for n in sizes), reader.rest()]) == b"x" + data
