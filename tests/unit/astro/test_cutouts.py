"""Cutouts made by hand, through FITS bytes written by astropy."""

from __future__ import annotations

import gzip
import io

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st

from redpoll.astro.cutouts import MAX_SIDE, measure_cutouts, read_cutouts

SIDE = 63


def cutout(image, *, extra=()):
    """FITS bytes of an image, and of more images after it."""
    file = io.BytesIO()
    more = [fits.ImageHDU(np.asarray(each, np.float32)) for each in extra]
    fits.HDUList([fits.PrimaryHDU(np.asarray(image)), *more]).writeto(file)
    return file.getvalue()


def noise(seed=0, sigma=5.0, side=SIDE):
    return np.random.default_rng(seed).normal(0.0, sigma, (side, side))


def star(flux=2000.0, fwhm=2.2, x=0.0, y=0.0, stretch=1.0, side=SIDE):
    j, i = np.mgrid[:side, :side] - (side - 1) / 2
    profile = np.exp(-4 * np.log(2) * (((i - x) / stretch) ** 2 + (j - y) ** 2) / fwhm**2)
    return flux * profile / profile.sum()


def look(*images, radius=4.0):
    cutouts = read_cutouts([cutout(np.asarray(image, np.float32)) for image in images])
    return measure_cutouts(cutouts, np.full(len(images), radius))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(63, 63), (30, 30), (48, 63)])
def test_pixels_are_those_that_astropy_wrote(dtype, shape):
    image = np.random.default_rng(1).normal(size=shape).astype(dtype)
    data = cutout(image, extra=[np.ones((5, 5))])
    found = read_cutouts([data, None, gzip.compress(data), memoryview(data)])
    assert found.shapes.tolist() == [list(shape), [0, 0], list(shape), list(shape)]
    for i in (0, 2, 3):
        np.testing.assert_array_equal(found[i], image.astype(np.float32))
    assert found[1].shape == (0, 0) and len(found) == 4


def test_only_wanted_cutouts_are_unpacked():
    data = cutout(np.ones((9, 9), np.float32))
    assert read_cutouts([data, b"\x1f\x8b broken"], np.array([True, False])).shapes.tolist() == [[9, 9], [0, 0]]


def test_scaled_integers_are_read_as_astropy_reads_them():
    unit = fits.PrimaryHDU(np.array([[1, 2], [3, 4]], np.int16))
    unit.header.update(BSCALE=0.5, BZERO=100.0)
    sink = io.BytesIO()
    unit.writeto(sink)
    np.testing.assert_array_equal(read_cutouts([sink.getvalue()])[0], fits.getdata(io.BytesIO(sink.getvalue())))


GOOD = cutout(np.zeros((63, 63), np.float32))
_HALF, _GZ = GOOD[: len(GOOD) // 2], gzip.compress(GOOD)
_WIDTH = b"NAXIS1  =                   63"


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\x1f\x8b", b"\xff\xd8\xff\xe0 a JPEG", b"synthetic cutout 3", GOOD[:2880], _HALF, _GZ[: len(_GZ) // 2],
        b"\x1f\x8b\x08" + b"x" * 60, gzip.compress(bytes(50_000_000)), GOOD.replace(b"END   ", b"FIN   "),
        cutout(np.zeros((5, 5, 5), np.float32)),
        cutout(np.zeros((MAX_SIDE + 1, 5), np.float32)), cutout(np.zeros(7, np.float32)),
        GOOD.replace(_WIDTH, b"NAXIS1  =                  -63"),
        GOOD.replace(_WIDTH, b"NAXIS1  = 99999999999999999999"),
        GOOD.replace(b"BITPIX  =                  -32", b"BITPIX  =                   -8"),
    ],
)  # fmt: skip
def test_what_is_no_cutout_is_no_image(data):
    assert read_cutouts([data]).shapes.tolist() == [[0, 0]]


@given(data=st.binary(max_size=400), place=st.integers(0, len(GOOD)), length=st.integers(0, 300))
def test_damaged_cutouts_never_raise(data, place, length):
    broken = GOOD[:place] + data + GOOD[place + length :]
    found = read_cutouts([broken, data, gzip.compress(data)])
    assert (found.shapes <= MAX_SIDE).all() and found.offsets[-1] == len(found.pixels)
    measure_cutouts(found, np.full(3, 4.0))


def test_noise_and_signal_are_as_put_in():
    found = look(noise(), noise(1) + star())
    assert found.noise == pytest.approx([5.0, 5.0], rel=0.1)
    inner = star()[29:34, 29:34].sum()
    assert abs(found.snr[0]) < 3.5 and found.snr[1] == pytest.approx(inner / (5 * np.sqrt(13)), rel=0.25)


def test_a_negative_source_looks_as_a_positive_one():
    image = noise(2) + star()
    for a, b in zip(look(image), look(-image), strict=True):
        assert a == pytest.approx(b, rel=1e-4, abs=1e-6)


def test_a_single_pixel_is_sharper_than_the_seeing():
    ray = noise(3)
    ray[31, 32] += 800.0
    found = look(noise(4) + star(), ray)
    assert 0.3 < found.sharpness[0] < 0.75 and found.sharpness[1] > 0.95


def test_shape_and_place_are_measured():
    found = look(noise(5) + star(9000), noise(6) + star(9000, stretch=2.5), noise(7) + star(9000, x=1.5, y=-1.0))
    assert found.fwhm[0] == pytest.approx(2.2, abs=0.4)
    assert found.elongation[0] < 1.2 and found.elongation[1] == pytest.approx(2.2, abs=0.5)
    assert found.offset[0] < 0.2 and found.offset[2] == pytest.approx(np.hypot(1.5, 1.0), abs=0.25)


def test_a_dipole_has_as_much_negative_light():
    found = look(noise(8) + star(x=1.5) - star(x=-1.5, flux=1900), noise(9) + star())
    assert found.negative_fraction[0] == pytest.approx(0.5, abs=0.1) and found.negative_fraction[1] < 0.1


@pytest.mark.parametrize("turn", [0, 1])
def test_a_bad_column_or_row_is_a_line_and_a_star_on_it_is_not(turn):
    column, beside = noise(10), noise(11) + star(1e5, x=0.0, y=20.0) + star()
    column[20:, 31] += 30.0
    found = look(np.rot90(column, turn), np.rot90(beside, turn))
    assert found.line_snr[0] > 10 and found.line_snr[1] < 6


def test_masked_and_cut_away_parts_count():
    masked = noise(12)
    masked[:, :21] = np.nan
    found = look(masked, noise(13)[:42, :], np.full((63, 63), np.nan), np.zeros((63, 63)))
    assert found.masked_fraction.round(3).tolist() == [0.333, 0.333, 1.0, 0.0]
    assert found.aperture_masked_fraction[0] == 0.0 and np.isnan(found.aperture_masked_fraction[1:3]).all()
    assert np.isnan(found.snr[1:]).all() and np.isfinite(found.noise[1])


def test_answers_do_not_depend_on_neighbours():
    images = [noise(i) + star(100.0 * i) for i in range(5)]
    together = look(*images)
    for i, image in enumerate(images):
        for a, b in zip(look(image), together, strict=True):
            np.testing.assert_array_equal(a[0], b[i])
    assert len(measure_cutouts(read_cutouts([]), np.zeros(0)).snr) == 0
