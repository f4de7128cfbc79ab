"""Reader of STC-S text: circles, polygons and unions of them, as cells of 1/200 of their radius.

References
----------
Demleitner et al. 2011, IVOA Note "Space-Time Coordinate Metadata Using the VO Data Models and STC-S".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from redpoll.astro.healpix import cells_of_cone, centres
from redpoll.astro.sky import ORDER, is_position, separation_arcsec, unit_vectors
from redpoll.crossmatch.cells import Cells, merged

_SHAPE = re.compile(r"(circle|polygon|union)\b", re.IGNORECASE)
_WORD = re.compile(r"[()]|[^\s()]+")
_IGNORED = ("ICRS", "SPHERICAL2", "BARYCENTER", "GEOCENTER", "TOPOCENTER", "UNKNOWNREFPOS")
_OTHER_FRAMES = ("FK4", "FK5", "J2000", "B1950", "ECLIPTIC", "GALACTIC", "GALACTIC_II", "UNKNOWNFRAME")
_MAX_SHAPES, _MAX_VERTICES, _MAX_TEXT = 100, 1000, 1 << 20
_CELLS_PER_RADIUS = 200
_CELL_ARCSEC = 58.63 * 3600  # side of a square with the area of a base cell
_MAX_RADIUS = 80.0


def looks_like_stcs(text: str) -> bool:
    """Whether a text starts with a shape of STC-S."""
    return _SHAPE.match(text) is not None


def parse_stcs(text: str) -> Cells:
    """Ranges of order-29 cells in the cells with centres in the shape; int64 of shape (n, 2).

    The side of the cells is at most 1/200 of the radius of the circle, or of the circle around the polygon.

    Raises
    ------
    ValueError
        If the text is not a circle, polygon or union of them in ICRS, or a shape is invalid or too wide.

    Examples
    --------
    >>> from redpoll.crossmatch.cells import area_deg2
    >>> round(area_deg2(parse_stcs("Circle ICRS 10.0 20.0 1.0")), 2)
    3.14
    """
    if len(text) > _MAX_TEXT:
        raise ValueError("the STC-S text is too long; write the region as a MOC")
    shapes = [_cells_of(name, numbers) for name, numbers in list(_shapes(text))]
    if not shapes:
        raise ValueError("the union is empty")
    return merged(np.concatenate([s for s, _ in shapes]), np.concatenate([e for _, e in shapes]))


def _shapes(text: str) -> Iterator[tuple[str, list[float]]]:
    """Yield each circle and polygon with its numbers; unions are flattened."""
    name, numbers, n_shapes = "union", list[float](), 0
    for word in [*_WORD.findall(text), "union"]:
        if word in "()" or word.upper() in _IGNORED:
            continue
        if word.upper() in _OTHER_FRAMES:
            raise ValueError(f"{word}: only ICRS is read; convert the region")
        if not _SHAPE.fullmatch(word):
            numbers.append(_number(word))
            continue
        if name != "union":
            yield name, numbers
        elif numbers:
            raise ValueError("a union has brackets around shapes, such as Union ICRS (Circle 1 2 3 Circle 4 5 6)")
        name, numbers, n_shapes = word.lower(), [], n_shapes + 1
        if n_shapes > _MAX_SHAPES:
            raise ValueError(f"more than {_MAX_SHAPES} shapes; write the region as a MOC")


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError as error:
        raise ValueError(f"'{word[:20]}' is not valid; write it as Circle ICRS RA DEC RADIUS, in degrees") from error


def _cells_of(name: str, numbers: list[float]) -> tuple[Cells, Cells]:
    if name == "circle":
        return _circle(numbers)
    if len(numbers) % 2 or not 6 <= len(numbers) <= 2 * _MAX_VERTICES:
        raise ValueError(f"a polygon has 3 to {_MAX_VERTICES} pairs of ra and dec, not {len(numbers)} numbers")
    return _polygon(np.array(numbers[::2]), np.array(numbers[1::2]))


def _circle(numbers: list[float]) -> tuple[Cells, Cells]:
    if len(numbers) != 3 or not is_position(numbers[0], numbers[1]) or not 0 < numbers[2] <= 180:
        raise ValueError(f"a circle has ra, dec and a radius of up to 180 degrees, not {numbers}")
    ra, dec, radius = numbers
    cells, order = _candidates(ra, dec, radius * 3600)
    lon, lat = centres(cells, order)
    return _spans(cells[separation_arcsec(ra, dec, lon, lat) <= radius * 3600], order)


def _polygon(ra: NDArray[np.float64], dec: NDArray[np.float64]) -> tuple[Cells, Cells]:
    """Cells of a polygon, by gnomonic projection, in which great circles are straight lines."""
    if not is_position(ra, dec).all():
        raise ValueError("a corner of a polygon is not a position")
    corners = unit_vectors(ra, dec)
    middle = corners.mean(axis=0)
    length = float(np.linalg.norm(middle))
    middle = middle / length if length > 1e-9 else middle
    radius = float(np.degrees(np.arccos(np.clip(corners @ middle, -1, 1)).max()))
    if not radius <= _MAX_RADIUS:
        raise ValueError(
            f"a polygon may reach {_MAX_RADIUS:g} degrees from its middle; cut it into a union of smaller ones"
        )
    lon = float(np.degrees(np.arctan2(middle[1], middle[0])))
    lat = float(np.degrees(np.arcsin(np.clip(middle[2], -1, 1))))
    cells, order = _candidates(lon % 360, lat, max(radius, 1e-6) * 3600)
    points = _gnomonic(unit_vectors(*centres(cells, order)), lon, lat)
    return _spans(cells[_is_inside(points, _gnomonic(corners, lon, lat))], order)


def _candidates(ra: float, dec: float, arcsec: float) -> tuple[Cells, int]:
    order = int(np.clip(np.ceil(np.log2(_CELL_ARCSEC * _CELLS_PER_RADIUS / arcsec)), 0, ORDER))
    return cells_of_cone(ra, dec, arcsec, order), order


def _spans(cells: Cells, order: int) -> tuple[Cells, Cells]:
    shift = 2 * (ORDER - order)
    return cells << shift, (cells + 1) << shift


def _gnomonic(vectors: NDArray[np.float64], lon: float, lat: float) -> NDArray[np.float64]:
    """Gnomonic projection around a position; NaN on the opposite hemisphere."""
    lon, lat = np.radians(lon), np.radians(lat)
    toward = np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    east = np.array([-np.sin(lon), np.cos(lon), 0.0])
    depth = vectors @ toward
    depth = np.where(depth > 0, depth, np.nan)
    return np.column_stack([vectors @ east / depth, vectors @ np.cross(toward, east) / depth])


def _is_inside(points: NDArray[np.float64], corners: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether a line to the right of each point crosses an odd number of sides."""
    x, y = points.T
    inside = np.zeros(len(points), bool)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        crosses = (y0 > y) != (y1 > y)
        with np.errstate(divide="ignore", invalid="ignore"):
            inside ^= crosses & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return inside
