"""Cutouts: pixels are read as astropy reads them, and no bytes break the reader."""

from __future__ import annotations

import gzip
import io
import warnings
import zlib
from contextlib import suppress

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from redpoll.astro.cutout_file import MAX_BYTES, read_cutout
from redpoll.errors import PacketError
from redpoll.serve.cutout_image import grey, grey_png, quantised


def file_of(*images: NDArray, **cards: object) -> bytes:
    units = [fits.PrimaryHDU(images[0])] + [fits.ImageHDU(image) for image in images[1:]]
    units[-1].header.update(cards)
    sink = io.BytesIO()
    fits.HDUList(units).writeto(sink)
    return sink.getvalue()


@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "i8", "f4", "f8"])
def test_pixels_are_those_of_astropy(dtype: str) -> None:
    image = np.arange(12, dtype=dtype).reshape(3, 4)
    np.testing.assert_array_equal(read_cutout(file_of(image)), image.astype(np.float32))
    np.testing.assert_array_equal(read_cutout(gzip.compress(file_of(image))), image.astype(np.float32))


def test_scaled_and_blank_pixels_are_those_of_astropy() -> None:
    data = file_of(np.array([[1, -32768, 3]], np.int16), BSCALE=0.5, BZERO=100.0, BLANK=-32768)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = fits.getdata(io.BytesIO(data))
    np.testing.assert_array_equal(read_cutout(data), expected.astype(np.float32))
    assert np.isnan(read_cutout(data)[0, 1])


def test_an_image_in_an_extension_is_found() -> None:
    image = np.ones((2, 5), np.float32)
    sink = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(image)]).writeto(sink)
    np.testing.assert_array_equal(read_cutout(sink.getvalue()), image)


def test_infinite_pixels_are_blank() -> None:
    assert np.isnan(read_cutout(file_of(np.array([[np.inf, np.nan, 1]], np.float32)))[0]).tolist() == [
        True,
        True,
        False,
    ]


GOOD = file_of(np.ones((5, 5), np.float32))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"SIMPLE",
        b"\x1f\x8b broken",
        gzip.compress(GOOD)[:-30],
        gzip.compress(b"\0" * (MAX_BYTES + 1)),
        GOOD[:2880],
        GOOD[:2900],
        GOOD.replace(b"BITPIX  =                  -32", b"BITPIX  =                  -33"),
        GOOD.replace(b"NAXIS1  =                    5", b"NAXIS1  =               999999"),
        GOOD.replace(b"NAXIS   =                    2", b"NAXIS   =                    0"),
        GOOD.replace(b"NAXIS   =                    2", b"NAXIS   =                   -2"),
    ],
    ids=range(11),
)
def test_what_is_no_image_is_refused(data: bytes) -> None:
    with pytest.raises(PacketError):
        read_cutout(data)


@given(st.binary(max_size=400), st.integers(0, len(GOOD)), st.booleans())
def test_mutated_files_are_read_or_refused(noise: bytes, at: int, is_zipped: bool) -> None:
    data = GOOD[:at] + noise + GOOD[at + len(noise) :]
    with suppress(PacketError):
        assert read_cutout(gzip.compress(data) if is_zipped else data).ndim == 2


def test_a_blank_image_can_be_drawn() -> None:
    blank = np.full((3, 4), np.nan, np.float32)
    assert (grey(blank) == 128).all()
    pixels, low, high = quantised(blank)
    assert (pixels == 65535).all()
    assert high > low


@pytest.mark.parametrize("stretch", ["asinh", "linear"])
def test_brighter_pixels_are_lighter_and_the_first_row_is_at_the_bottom(stretch: str) -> None:
    image = grey(np.arange(6, dtype=np.float32).reshape(3, 2), stretch)
    assert image[::-1].ravel().tolist() == sorted(image.ravel().tolist())
    assert (image.min(), image.max()) == (0, 255)


def test_a_png_holds_the_pixels() -> None:
    image = np.arange(12, dtype=np.uint8).reshape(3, 4)
    data = grey_png(image)
    body = data[data.index(b"IDAT") + 4 :]
    rows = np.frombuffer(zlib.decompressobj().decompress(body), np.uint8).reshape(3, 5)
    np.testing.assert_array_equal(rows[:, 1:], image)
    assert data[16:24] == bytes([0, 0, 0, 4, 0, 0, 0, 3])
