"""FITS files of cutouts, card by card: every number type, every bound, and what is refused."""

from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest

from redpoll.astro.cutout_file import MAX_BYTES, fits_bytes, read_cutout
from redpoll.errors import PacketError

BLOCK = 2880


def card(key, value):
    """One card of 80 characters."""
    return f"{key:8}= {value!s:>20}".ljust(80)


def unit(data=b"", *, shape=(), bitpix=-32, more=(), first="SIMPLE", fill=0, pad=True):
    """A header and data in whole blocks; `fill` blank cards stand before END, other cards in `more`."""
    axes = [card(f"NAXIS{i + 1}", n) for i, n in enumerate(reversed(shape))]
    cards = [card(first, "T"), card("BITPIX", bitpix), card("NAXIS", len(shape)), *axes, *more, *[" " * 80] * fill]
    header = "".join([*cards, "END".ljust(80)])
    header = header.ljust(-(-len(header) // BLOCK) * BLOCK)
    return header.encode() + (data.ljust(-(-len(data) // BLOCK) * BLOCK, b"\0") if pad else data)


IMAGE = np.arange(12, dtype=">f4").reshape(3, 4)


def image(**options):
    return unit(IMAGE.tobytes(), shape=(3, 4), **options)


@pytest.mark.parametrize(("bitpix", "letter"), [(8, "B"), (16, "h"), (32, "i"), (64, "q"), (-32, "f"), (-64, "d")])
def test_each_type_of_number_is_read(bitpix, letter):
    data = unit(struct.pack(f">6{letter}", 1, 2, 3, 4, 5, 6), shape=(2, 3), bitpix=bitpix)
    found = read_cutout(data)
    assert found.dtype == np.float32 and found.tolist() == [[1, 2, 3], [4, 5, 6]]


@pytest.mark.parametrize(
    ("cards", "expected"),
    [
        ([card("BSCALE", 1.1)], [1.1, 2.2]), ([card("BSCALE", 0.9)], [0.9, 1.8]), ([card("BZERO", 1)], [2.0, 3.0]),
        ([card("BZERO", -1)], [0.0, 1.0]), ([card("BSCALE", 0.5)], [0.5, 1.0]), ([card("BZERO", 10)], [11.0, 12.0]),
        ([card("BSCALE", 2), card("BZERO", -1)], [1.0, 3.0]), ([card("BSCALE", "2 / doubled")], [2.0, 4.0]),
        ([card("BLANK", 2)], [1.0, np.nan]), ([card("BLANK", -2)], [1.0, 2.0]), ([card("BLANK", 2.0)], [1.0, 2.0]),
        ([card("BLANK", "0" * 18 + "2")], [1.0, np.nan]), ([card("BLANK", "0" * 19 + "2")], [1.0, 2.0]),
        ([card("BLANK", "-")], [1.0, 2.0]), (["BSCALE   2".ljust(80)], [1.0, 2.0]),
        (["BSCALE=  2".ljust(80)], [1.0, 2.0]), ([card("BSCALED", 2)], [1.0, 2.0]), ([card("DATE", "x")], [1.0, 2.0]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("bitpix", [16, -32, -64])
def test_scale_zero_and_blank(cards, expected, bitpix):
    letter = {16: "h", -32: "f", -64: "d"}[bitpix]
    found = read_cutout(unit(struct.pack(f">2{letter}", 1, 2), shape=(1, 2), bitpix=bitpix, more=cards))
    if "BLANK" in cards[0] and bitpix < 0:  # a number for integers only
        expected = [1.0, 2.0]
    np.testing.assert_array_equal(found[0], np.float32(expected))


@pytest.mark.parametrize("more", [(), (card("BSCALE", 2),)])
def test_what_is_not_finite_is_unknown(more):
    found = read_cutout(unit(struct.pack(">3f", np.inf, np.nan, 3e38), shape=(1, 3), more=more))
    assert np.isnan(found[0]).tolist() == [True, True, bool(more)]


@pytest.mark.parametrize("key", ["BSCALE", "BZERO"])
def test_a_scale_that_is_no_number_is_refused(key):
    with pytest.raises(PacketError, match="no number in BSCALE or BZERO"):
        read_cutout(image(more=[card(key, "one")]))


@pytest.mark.parametrize(
    ("cards", "key"),
    [
        ({"BITPIX": 24}, "BITPIX"), ({"BITPIX": ""}, "BITPIX"), ({"NAXIS": 10}, "NAXIS"), ({"NAXIS": -2}, "NAXIS"),
        ({"NAXIS1": "4.0"}, "NAXIS1"), ({"NAXIS2": "0000000003"}, "NAXIS2"), ({"NAXIS1": ""}, "NAXIS1"),
        ({"NAXIS1": 1000}, "NAXIS1"),
        ({"BITPIX": None}, "BITPIX"), ({"NAXIS": None}, "NAXIS"), ({"NAXIS1": "\N{SUPERSCRIPT TWO}"}, "NAXIS1"),
    ],
)  # fmt: skip
def test_a_header_without_its_numbers_is_refused(cards, key):
    lines = {"SIMPLE": "T", "BITPIX": -32, "NAXIS": 2, "NAXIS1": 4, "NAXIS2": 3} | cards
    header = "".join(card(name, value) for name, value in lines.items() if value is not None) + "END".ljust(80)
    value = "''" if cards[key] is None else "'"
    with pytest.raises(PacketError, match=f"has {key} = {value}"):
        read_cutout(header.ljust(BLOCK).encode("latin-1") + IMAGE.tobytes(), max_side=999)


def test_nine_digits_and_the_maximum_side_are_allowed():
    lines = [card("SIMPLE", "T"), card("BITPIX", -32), card("NAXIS", 2), card("NAXIS1", "000000004"), card("NAXIS2", 3)]
    data = "".join([*lines, "END".ljust(80)]).ljust(BLOCK).encode() + IMAGE.tobytes()
    assert read_cutout(data, max_side=4).tolist() == IMAGE.tolist()
    with pytest.raises(PacketError, match="NAXIS1"):
        read_cutout(data, max_side=3)


@pytest.mark.parametrize("fill", [29, 30, 31, 66, 67])
def test_the_data_follow_the_block_of_the_end(fill):
    """With 5 cards before and END behind, 30 blank cards fill a block of 36."""
    assert read_cutout(image(fill=fill)).tolist() == IMAGE.tolist()


def test_the_word_end_within_a_card_is_no_end():
    comment = "COMMENT this is not the END".rjust(80)
    assert read_cutout(image(more=[comment, " " * 80, " " * 80])).tolist() == IMAGE.tolist()


def test_a_header_has_at_most_3600_cards():
    assert read_cutout(image(fill=3594)).tolist() == IMAGE.tolist()
    with pytest.raises(PacketError, match="too long"):
        read_cutout(image(fill=3595))
    with pytest.raises(PacketError, match="has no end"):
        read_cutout(image(fill=50)[:BLOCK])


@pytest.mark.parametrize(
    "first",
    [
        {}, {"data": bytes(28), "shape": (7,)}, {"data": bytes(2880), "shape": (720,)},
        {"data": bytes(2884), "shape": (721,)}, {"data": bytes(48), "shape": (2, 3, 2)}, {"shape": (0, 5)},
        {"data": bytes(4), "shape": (1,) * 9},
    ],
)  # fmt: skip
def test_the_first_unit_with_two_axes_counts(first):
    data = unit(**first) + image(first="XTENSION")
    assert read_cutout(data).tolist() == IMAGE.tolist()
    with pytest.raises(PacketError, match="no image with two axes"):
        read_cutout(unit(**first))


@pytest.mark.parametrize(("planes", "is_skipped"), [(16_000, True), (16_001, False)])
def test_data_of_16_megabytes_are_skipped_and_no_more(planes, is_skipped):
    data = unit(bytes(1000 * planes), shape=(1, planes, 1000), bitpix=8) + image(first="XTENSION")
    if is_skipped:
        assert read_cutout(data).tolist() == IMAGE.tolist()
    else:
        with pytest.raises(PacketError, match="no image with two axes"):
            read_cutout(data)


def test_an_image_is_whole_or_cut_short():
    assert read_cutout(image(pad=False)).tolist() == IMAGE.tolist()
    with pytest.raises(PacketError, match="cut short"):
        read_cutout(image(pad=False)[:-1])


def test_a_file_that_does_not_begin_as_fits_is_none():
    with pytest.raises(PacketError, match="not a FITS file"):
        read_cutout(b" " + image())


def test_a_gzipped_file_is_bounded_by_its_size_unpacked():
    data = image()
    assert bytes(fits_bytes(data)) == data == bytes(fits_bytes(gzip.compress(data), len(data)))
    with pytest.raises(PacketError, match=f"more than {len(data) - 1} bytes"):
        fits_bytes(gzip.compress(data), len(data) - 1)
    with pytest.raises(PacketError, match="not a whole gzip stream"):
        fits_bytes(b"\x1f\x8bjunk of some length")
    assert MAX_BYTES == 16_000_000


@pytest.mark.parametrize(("side", "is_read"), [(100_000, True), (100_001, False)])
def test_a_side_has_at_most_100_000_pixels(side, is_read):
    data = unit(bytes(side), shape=(1, side), bitpix=8)
    if is_read:
        assert read_cutout(data).shape == (1, side)
    else:
        with pytest.raises(PacketError, match="NAXIS1"):
            read_cutout(data)


def test_an_end_with_something_behind_it_is_none():
    with pytest.raises(PacketError, match="has no end"):
        read_cutout(unit(shape=(3, 4)).replace(b"END".ljust(80), b"END".ljust(79) + b"x"))
