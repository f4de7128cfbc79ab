"""Cutouts of a batch: their pixels, end to end, and measurements of their appearance, compiled."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from redpoll.astro.cutout_file import read_cutout
from redpoll.astro.order_statistics import sky_levels
from redpoll.errors import PacketError
from redpoll.kernels import kernel, part

Array = NDArray[np.float64]
MAX_SIDE = 256
"""A cutout with a longer side, in pixels, is not read."""
_MAX_BYTES = 4 * MAX_SIDE * MAX_SIDE * 2 + 64 * 2880


@dataclass(frozen=True)
class Cutouts:
    """Images of a batch; image ``i`` is ``pixels[offsets[i]:offsets[i + 1]]``, row by row, ``shapes[i]`` pixels wide.

    ``shapes`` is (n, 2): rows and columns, 0 where there is no image. ``pixels`` is float32, NaN where masked.
    """

    offsets: NDArray[np.int64]
    shapes: NDArray[np.int64]
    pixels: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.shapes)

    def __getitem__(self, i: int) -> NDArray[np.float32]:
        """Image `i`, (rows, columns), without a copy; (0, 0) where there is none."""
        return self.pixels[self.offsets[i] : self.offsets[i + 1]].reshape(self.shapes[i])


def read_cutouts(cutouts: Iterable[Any], wanted: NDArray[np.bool_] | None = None) -> Cutouts:
    """The first image of every cutout; no image where a cutout is missing, not `wanted`, or not a FITS image.

    Bytes that are no cutout (a JPEG, a truncated file, a gzip bomb) yield no image and raise no error. At most
    0.7 MB are unpacked per cutout, and a side has at most `MAX_SIDE` pixels.

    Parameters
    ----------
    cutouts
        Bytes-like objects or None, one per alert.
    wanted
        Which of them to unpack; all by default.

    Examples
    --------
    >>> read_cutouts([b"no cutout", None]).shapes.tolist()
    [[0, 0], [0, 0]]
    """
    values = list(cutouts)
    keep = np.ones(len(values), bool) if wanted is None else wanted
    images = [
        _image(value) if is_kept and value is not None else None for value, is_kept in zip(values, keep, strict=True)
    ]
    shapes = np.array([(0, 0) if image is None else image.shape for image in images], np.int64).reshape(-1, 2)
    known = [image.ravel() for image in images if image is not None]
    pixels = np.concatenate(known).astype(np.float32, copy=False) if known else np.zeros(0, np.float32)
    return Cutouts(np.concatenate([[0], np.cumsum(shapes.prod(axis=1))]), shapes, pixels)


def _image(cutout: Any) -> NDArray[np.float32] | None:
    try:
        return read_cutout(cutout, max_bytes=_MAX_BYTES, max_side=MAX_SIDE)
    except PacketError:
        return None


class CutoutMeasurements(NamedTuple):
    """Measurements of difference cutouts, one number each; NaN where undefined.

    ``noise``: one-sigma noise of a pixel [counts], from the quartiles of the pixels far from the middle. ``snr``: flux
    within half the aperture over its noise. ``peak_snr``: the brightest pixel of the aperture over the noise.
    ``sharpness``: excess of that pixel over its eight neighbours, relative to itself: 1 for a single pixel. ``fwhm``
    [pixels] and ``elongation`` (long over short axis) of the pixels three sigma above the sky. ``offset``: their
    centroid's distance from the middle [pixels]. ``negative_fraction``: fraction of the significant light that has the
    opposite sign. ``line_snr``: signal over noise of the row or column through the middle, without the middle.
    ``masked_fraction``: fraction of pixels without a value; ``aperture_masked_fraction`` of those of the aperture.
    """

    noise: Array
    snr: Array
    peak_snr: Array
    sharpness: Array
    fwhm: Array
    elongation: Array
    offset: Array
    negative_fraction: Array
    line_snr: Array
    masked_fraction: Array
    aperture_masked_fraction: Array


(_NOISE, _SNR, _PEAK_SNR, _SHARPNESS, _FWHM, _ELONGATION, _OFFSET, _NEGATIVE_FRACTION, _LINE_SNR, _MASKED_FRACTION,
 _APERTURE_MASKED_FRACTION) = range(len(CutoutMeasurements._fields))  # fmt: skip


def measure_cutouts(cutouts: Cutouts, radius: Array) -> CutoutMeasurements:
    """Measure difference cutouts, the alert's source in the middle, positive or negative.

    The sign is the cutout's own, that of the flux within the aperture: ZTF sends the cutouts of negative alerts with
    the sign reversed, Rubin unchanged. A cutout that is not square was cut at an edge of the image; its middle is
    unknown, and only its noise and masked fraction (including the missing part) are measured.

    Parameters
    ----------
    cutouts
        Difference images.
    radius
        Aperture around the source [pixels], about twice the seeing's full width.

    Examples
    --------
    >>> image = np.random.default_rng(1).normal(size=(31, 31)).astype(np.float32)
    >>> image[15, 15] = 1000.0  # a single bright pixel in noise
    >>> measured = measure_cutouts(Cutouts(np.array([0, 961]), np.array([[31, 31]]), image.ravel()), np.array([4.0]))
    >>> measured.sharpness.round(1).tolist(), measured.masked_fraction.tolist()
    ([1.0], [0.0])

    References
    ----------
    Duev et al. 2019, MNRAS 489, 3582 (what bogus ZTF cutouts look like); van Dokkum 2001, PASP 113, 1420 (cosmic rays
    are sharper than the seeing).
    """
    radius = np.require(radius, np.float64, ["C", "W"])
    sky, answer = np.full((len(cutouts), 3), np.nan), np.full((len(cutouts), len(CutoutMeasurements._fields)), np.nan)
    room = np.empty(np.diff(cutouts.offsets).max(initial=0), np.float32)
    sky_levels(cutouts.pixels, cutouts.offsets, cutouts.shapes, radius, room, sky)
    _measure_all(cutouts.pixels, cutouts.offsets, cutouts.shapes, radius, sky, answer)
    return CutoutMeasurements(*answer.T)


@kernel
def _measure_all(pixels: Any, offsets: Any, shapes: Any, radius: Any, sky: Any, answer: Any) -> None:
    for i in range(len(shapes)):
        rows, columns = shapes[i, 0], shapes[i, 1]
        if rows == 0:
            continue
        out, side, noise = answer[i], max(rows, columns), sky[i, 1]
        out[_MASKED_FRACTION], out[_NOISE] = 1.0 - sky[i, 2] / (side * side), noise
        if noise > 0 and rows == columns:
            image = pixels[offsets[i] : offsets[i + 1]]
            _middle(image, side, _sign(image, side, radius[i], sky[i, 0]), radius[i], sky[i, 0], noise, out)
            out[_LINE_SNR] = _line(image, side, radius[i], sky[i, 0], noise)


@part
def _sign(image: Any, side: int, radius: float, sky: float) -> float:
    """Sign of the flux within the aperture."""
    c = (side - 1) / 2
    flux = 0.0
    for y in range(side):
        for x in range(side):
            if (y - c) ** 2 + (x - c) ** 2 <= radius * radius and math.isfinite(image[y * side + x]):
                flux += float(image[y * side + x]) - sky
    return -1.0 if flux < 0 else 1.0


@part
def _middle(image: Any, side: int, sign: float, radius: float, sky: float, noise: float, out: Any) -> None:
    """Signal, sharpness, shape and lobes within the aperture."""
    c = (side - 1) / 2
    first, last = max(0, math.floor(c - radius)), min(side - 1, math.ceil(c + radius))
    flux = light = lobe = sx = sy = sxx = syy = sxy = 0.0
    n = n_bright = n_masked = n_all = 0
    top, top_y, top_x = -math.inf, first, first
    for y in range(first, last + 1):
        for x in range(first, last + 1):
            dy, dx = y - c, x - c
            if dy * dy + dx * dx > radius * radius:
                continue
            n_all += 1
            if not math.isfinite(image[y * side + x]):
                n_masked += 1
                continue
            value = sign * (float(image[y * side + x]) - sky)
            if dy * dy + dx * dx <= radius * radius / 4:
                flux += value
                n += 1
            if value > top:
                top, top_y, top_x = value, y, x
            if value > 3 * noise:
                light += value
                n_bright += 1
                sx, sy = sx + value * dx, sy + value * dy
                sxx, syy, sxy = sxx + value * dx * dx, syy + value * dy * dy, sxy + value * dx * dy
            elif value < -3 * noise:
                lobe -= value
    out[_APERTURE_MASKED_FRACTION] = n_masked / max(n_all, 1)
    if n == 0:
        return
    out[_SNR] = flux / (noise * math.sqrt(n))
    out[_PEAK_SNR] = top / noise
    out[_SHARPNESS] = _sharpness(image, side, sign, sky, top, top_y, top_x)
    if light + lobe > 0:
        out[_NEGATIVE_FRACTION] = lobe / (light + lobe)
    if n_bright >= 4:
        mx, my = sx / light, sy / light
        out[_OFFSET] = math.hypot(mx, my)
        # a pixel has a width of its own: 1/12 on either axis, which also keeps a straight line from dividing by zero
        a, b, d = sxx / light - mx * mx + 1 / 12, syy / light - my * my + 1 / 12, sxy / light - mx * my
        mean, split = (a + b) / 2, math.sqrt(((a - b) / 2) ** 2 + d * d)
        out[_FWHM] = 2.3548 * math.sqrt(mean)
        out[_ELONGATION] = math.sqrt((mean + split) / max(mean - split, 1 / 12))


@part
def _sharpness(image: Any, side: int, sign: float, sky: float, top: float, y: int, x: int) -> float:
    total = 0.0
    n = 0
    for j in range(max(0, y - 1), min(side, y + 2)):
        for i in range(max(0, x - 1), min(side, x + 2)):
            if (j != y or i != x) and math.isfinite(image[j * side + i]):
                total += sign * (float(image[j * side + i]) - sky)
                n += 1
    return 1.0 - total / n / top if n > 0 and top > 0 else math.nan


@part
def _line(image: Any, side: int, radius: float, sky: float, noise: float) -> float:
    """Largest signal over noise of the three rows and three columns through the middle, outside the aperture."""
    c = (side - 1) / 2
    best = math.nan
    for k in range(side // 2 - 1, side // 2 + 2):
        for direction in range(2):
            total = 0.0
            n = 0
            for j in range(side):
                value = image[j * side + k] if direction == 0 else image[k * side + j]
                if abs(j - c) > 1.5 * radius and math.isfinite(value):
                    # a star on the line is no line: no pixel counts for more than five sigma
                    total += min(max((float(value) - sky) / noise, -5.0), 5.0)
                    n += 1
            if n > 0:
                size = abs(total) / math.sqrt(n)
                best = size if not (best >= size) else best
    return best
