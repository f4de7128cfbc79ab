"""Cutouts made by hand, through FITS bytes written by astropy."""

from __future__ import annotations

import gzip
import io
from itertools import pairwise

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st

from redpoll.astro.cutouts import MAX_SIDE, CutoutMeasurements, Cutouts, measure_cutouts, read_cutouts

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


def test_sides_of_256_pixels_and_708608_bytes_are_read():
    for shape, is_read in (((256, 3), True), ((3, 256), True), ((257, 3), False), ((3, 257), False)):
        assert (read_cutouts([cutout(np.ones(shape, np.float32))]).shapes[0].tolist() == list(shape)) == is_read
    for n_bytes, is_read in ((708_608, True), (708_609, False)):
        assert bool(read_cutouts([gzip.compress(GOOD.ljust(n_bytes, b"\0"))]).shapes[0, 0]) == is_read


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


def slow_measurements(image, radius, sky=None):
    """The definitions in numpy; of a cutout that is not square only its noise and its masked fraction."""
    found = dict.fromkeys(CutoutMeasurements._fields, np.nan)
    if not image.size:
        return found
    image, side = image.astype(np.float64), max(image.shape)
    is_square, is_known, c = len(set(image.shape)) == 1, np.isfinite(image), (side - 1) / 2
    y, x = np.mgrid[: image.shape[0], : image.shape[1]] - c
    d = np.hypot(y, x)
    level, noise = sky or slow_sky(image[is_known & ((1.5 * radius < d) & (d <= 4 * radius) if is_square else True)])
    found |= {"noise": noise, "masked_fraction": 1 - is_known.sum() / side**2}
    if not (noise > 0 and is_square):
        return found
    aperture = d <= radius
    found["aperture_masked_fraction"] = (aperture & ~is_known).sum() / max(aperture.sum(), 1)
    lines = [line for k in (-1, 0, 1) for line in (image[side // 2 + k], image[:, side // 2 + k])]
    lines = [np.clip((v[(abs(x[0]) > 1.5 * radius) & np.isfinite(v)] - level) / noise, -5, 5) for v in lines]
    found["line_snr"] = max((abs(v.sum()) / np.sqrt(len(v)) for v in lines if len(v)), default=np.nan)
    value = image - level
    value = value * (-1 if value[aperture & is_known].sum() < 0 else 1)
    inner, seen = value[(d <= radius / 2) & is_known], np.where(aperture & is_known, value, -np.inf)
    return found | (slow_middle(value, seen, inner, noise, y, x) if len(inner) else {})


def slow_sky(values):
    if len(values) < 20:
        return np.nan, np.nan
    low, ordered = len(values) // 4, np.sort(values)
    return np.median(values), (ordered[-1 - low] - ordered[low]) / 1.349


def slow_middle(value, seen, inner, noise, y, x):
    """Signal, sharpness, shape and lobes."""
    found = {"snr": inner.sum() / noise / np.sqrt(len(inner)), "peak_snr": seen.max() / noise}
    j, i = np.unravel_index(seen.argmax(), seen.shape)
    around = value[max(j - 1, 0) : j + 2, max(i - 1, 0) : i + 2].ravel()
    around = around[np.isfinite(around)]
    if len(around) > 1 and seen.max() > 0:
        found["sharpness"] = 1 - (around.sum() - seen.max()) / (len(around) - 1) / seen.max()
    bright, lobe = seen > 3 * noise, -seen[np.isfinite(seen) & (seen < -3 * noise)].sum()
    light = seen[bright].sum()
    if light + lobe > 0:
        found["negative_fraction"] = lobe / (light + lobe)
    if bright.sum() >= 4:
        weight = seen[bright] / light
        middle = weight @ x[bright], weight @ y[bright]
        points = np.array([x[bright] - middle[0], y[bright] - middle[1]])
        small, large = np.linalg.eigvalsh(weight * points @ points.T + np.eye(2) / 12)
        found |= {"offset": np.hypot(*middle), "fwhm": 2.3548 * np.sqrt((small + large) / 2)}
        found["elongation"] = np.sqrt(large / max(small, 1 / 12))
    return found


def assert_measured_as_slowly(found, images, radius, sky=None, *, error=1e-9):
    for i, image in enumerate(images):
        expected = slow_measurements(image, radius[i], sky)
        for name, values in found._asdict().items():
            assert values[i] == pytest.approx(expected[name], rel=error, abs=error, nan_ok=True), (i, name)


def measured(images, radius):
    images = [np.asarray(image, np.float32) for image in images]
    offsets = np.cumsum([0, *(image.size for image in images)])
    shapes = np.array([image.shape for image in images], np.int64)
    return measure_cutouts(Cutouts(offsets, shapes, np.concatenate([image.ravel() for image in images])), radius)


def random_image(rng):
    """Noise with a source, a lobe, a bad row and masked pixels, each now and then."""
    side = int(rng.integers(13, 24))
    image = rng.normal(100, 5, (side, side if rng.random() < 0.9 else side - 3))
    if min(image.shape) == side:
        for _ in range(rng.integers(0, 3)):
            shape = {"x": rng.uniform(-2, 2), "y": rng.uniform(-2, 2), "stretch": rng.uniform(0.6, 2), "side": side}
            image += star(rng.choice([-1, 1]) * 10 ** rng.uniform(1.5, 3.5), rng.uniform(0.5, 3), **shape)
    if rng.random() < 0.3:
        image[side // 2 + rng.integers(-2, 3), : rng.integers(side)] += rng.choice([-20, 20])
    if rng.random() < 0.5:
        image[rng.random(image.shape) < rng.choice([0.02, 0.3, 0.97])] = np.nan
    if rng.random() < 0.2:
        j, i = rng.integers(3, side - 7, 2)
        image[j : j + 6, i : i + 6] = np.nan
    return image.astype(np.float32)


def test_measurements_are_those_of_numpy():
    rng = np.random.default_rng(20)
    images = [random_image(rng) for _ in range(120)] + [np.zeros((0, 0), np.float32)]
    radius = rng.choice([2.0, 2.5, 3.0, 4.0], len(images))
    # the median of an even number of pixels is in single precision
    assert_measured_as_slowly(measured(images, radius), images, radius, error=1e-5)


@pytest.fixture
def exact(monkeypatch):
    """``exact(*images, radius=...)``: measurements where the sky is exactly 0 and the noise of a pixel exactly 1."""

    def levels(pixels, offsets, shapes, radius, room, sky):
        sky[:, 0], sky[:, 1] = 0.0, 1.0
        sky[:, 2] = [np.isfinite(pixels[a:b]).sum() for a, b in pairwise(offsets)]

    def measure(*images, radius=3.0):
        found = measured(images, np.full(len(images), radius))
        assert_measured_as_slowly(found, images, np.full(len(images), radius), (0.0, 1.0))
        return found

    monkeypatch.setattr("redpoll.astro.cutouts.sky_levels", levels)
    return measure


def pixels(*values, side=9):
    """An empty image with some pixels (row and column from the middle, value)."""
    image = np.zeros((side, side), np.float32)
    for y, x, value in values:
        image[side // 2 + y, side // 2 + x] = value
    return image


def test_a_pixel_of_three_sigma_is_not_yet_significant(exact):
    for value, expected in ((3.0, 0.0), (3.1, 3.1 / 13.1)):
        found = exact(pixels((0, 0, 10.0), (1, 1, -value)), pixels((0, 0, -10.0), (1, 1, value)))
        assert found.negative_fraction == pytest.approx([expected] * 2)
    square = [(0, 1, 9.0), (1, 0, 9.0), (1, 1, 9.0)]
    assert np.isnan(exact(pixels((0, 0, 3.0), *square)).fwhm[0]) and exact(pixels((0, 0, 3.1), *square)).fwhm[0] > 1
    assert np.isnan(exact(pixels((0, 0, 2.0))).negative_fraction[0])


def test_four_pixels_make_a_shape_and_a_line_of_them_has_the_width_of_a_pixel(exact):
    line = [(0, x, 8.0) for x in (-1, 0, 1, 2)]
    found = exact(pixels(*line), pixels(*line[:3]), pixels(*((x, y, v) for y, x, v in line)))
    assert found.elongation == pytest.approx([4.0, np.nan, 4.0], nan_ok=True)
    assert found.offset == pytest.approx([0.5, np.nan, 0.5], nan_ok=True)
    assert found.fwhm[0] == pytest.approx(2.3548 * np.sqrt((1.25 + 2 / 12) / 2))


def test_an_aperture_up_to_the_edges_ends_there(exact):
    side = 7
    for y, x in ((-3, -3), (-3, 3), (3, -3), (3, 3), (-3, 0), (3, 0), (0, -3), (0, 3)):
        image = np.arange(49, dtype=np.float32).reshape(side, side) / 10 + pixels((y, x, 90.0), side=side)
        for radius in (3.0, 4.3, 9.0):
            exact(image, -image, radius=radius)


def test_the_aperture_and_its_half_include_their_edges(exact):
    found = exact(pixels((0, 4, 9.0)), pixels((0, 2, 9.0)), pixels((3, 3, 9.0)), radius=4.0)
    assert found.peak_snr.tolist() == [9.0, 9.0, 0.0] and (found.snr > 0).tolist() == [False, True, False]


def test_the_first_of_equal_peaks_counts_and_a_faint_source_is_positive(exact):
    found = exact(pixels((-1, 0, 9.0), (1, 0, 9.0), (1, 1, 4.0)), pixels((0, 0, 0.5)), pixels((0, 0, -0.5)))
    assert found.sharpness[0] == 1.0 and found.peak_snr[1:].tolist() == [0.5, 0.5]


def test_without_light_the_sign_is_positive_and_a_cutout_without_signal_has_no_sharpness(exact):
    found = exact(pixels(), pixels((0, 0, 5.0), (0, 1, -5.0)), pixels((0, 0, -5.0)), pixels((0, 0, np.nan)))
    assert found.peak_snr.tolist() == [0.0, 5.0, 5.0, 0.0] and np.isnan(found.sharpness).tolist() == [1, 0, 0, 1]
    balanced = pixels((0, 0, 5.0), (0, 1, -2.5), (0, -1, -2.5))
    assert exact(balanced).peak_snr[0] == 5.0
    alone = np.full((9, 9), np.nan, np.float32)
    alone[4, 4] = 7.0
    found = exact(alone)
    assert found.snr[0] == 7.0 and np.isnan(found.sharpness[0]) and np.isnan(found.line_snr[0])


def test_a_line_is_outside_of_one_and_a_half_radii_and_no_pixel_counts_more_than_five(exact):
    for value in (4.0, 5.0, 6.0, 500.0, -4.0, -5.0, -6.0):
        found = exact(
            pixels((0, 4, value)), pixels((0, 3, value)), pixels((1, 4, value)), pixels((2, 4, value)), radius=2
        )
        size = min(abs(value), 5.0)
        assert found.line_snr == pytest.approx([size / np.sqrt(2), 0.0, size / np.sqrt(2), 0.0])
    one_side = pixels((0, 4, 2.0))
    one_side[:, :4] = np.nan
    exact(one_side, one_side.T.copy(), radius=2.0)


@pytest.mark.parametrize("noise", [0.0, -1.0, np.nan])
def test_without_noise_nothing_else_is_measured(noise, monkeypatch):
    def levels(pixels, offsets, shapes, radius, room, sky):
        sky[:] = 0.0, noise, 81

    monkeypatch.setattr("redpoll.astro.cutouts.sky_levels", levels)
    found = measured([pixels((0, 0, 9.0))], np.array([3.0]))
    assert found.noise == pytest.approx([noise], nan_ok=True) and found.masked_fraction[0] == 0.0
    assert all(
        np.isnan(values[0]) for name, values in found._asdict().items() if name not in {"noise", "masked_fraction"}
    )
