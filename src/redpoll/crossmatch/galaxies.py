"""Possible host galaxies from the built catalogues, each once, with a distance and a size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import ArrayLike, NDArray

from redpoll.astro.cosmology import luminosity_distance, modulus_of_distance, redshift_from_distance
from redpoll.astro.sky_index import SkyIndex, build_index, find_matches
from redpoll.crossmatch.catalog import Catalog
from redpoll.crossmatch.host_columns import CATALOGUES

Floats = NDArray[np.float64]
_PHOTOMETRIC = np.float32(0.01)  # error of a redshift, which catalogues store in 32 bits
_LOCAL_REDSHIFT = 0.01
_WRONG_MAG, _WRONG_LOCAL_MAG = 0.3, 2.5
_FRAGMENT_R50 = 4.0  # half-light radii of a large galaxy within which catalogues list pieces of it
_FRAGMENT_MAG, _LARGE_MAG = 3.0, 13.0
_FRAGMENT_REDSHIFT = 0.001
_FRAGMENT_MAX_ARCSEC = 900.0
_SAME_ARCSEC = 3.0
_SAME_REDSHIFT = 0.01
_SAME_MAG = 1.5
_SAME_FRACTION = 0.1  # of a half-light radius
_SAME_MAX_ARCSEC = 30.0
_SIZED_ARCSEC = 5.0
_B_MINUS_R = 1.1  # of a galaxy of middle type, B (Vega) minus r (AB)
_DEFAULT_KPC = 2.5
_DEFAULT_MAX_ARCSEC = 30.0
_R25_PER_R50 = 1.85  # of an exponential disc with a central brightness of 21.65 mag per square arcsec in B
_ARCSEC_PER_RADIAN = 206_264.80625


@dataclass(frozen=True)
class Galaxies:
    """Arrays of galaxies (n,), NaN or null where unknown.

    Attributes
    ----------
    distance
        Luminosity distance [Mpc].
    r50
        Half-light radius along the major axis [arcsec], measured or by the relation of size and luminosity.
    axis_ratio, position_angle
        Minor over major axis, 1 if not known; angle of the major axis from north to east [deg].
    catalogue
        Index into `CATALOGUES`.
    """

    ra: Floats
    dec: Floats
    redshift: Floats
    redshift_err: Floats
    distance: Floats
    mag_b: Floats
    r50: Floats
    axis_ratio: Floats
    position_angle: Floats
    catalogue: NDArray[np.int8]
    name: pa.Array

    def __len__(self) -> int:
        return len(self.ra)

    def taken(self, rows: NDArray[np.int64]) -> Galaxies:
        """The galaxies of these rows, in this order."""
        columns = {name: values[rows] for name, values in self.numbers().items()}
        return Galaxies(**columns, name=self.name.take(pa.array(rows)))

    def without(self, rows: NDArray[np.int64]) -> Galaxies:
        """All other galaxies than those of these rows."""
        return self.taken(np.delete(np.arange(len(self)), rows))

    def numbers(self) -> dict[str, NDArray]:
        """Every column but the names."""
        return {column.name: getattr(self, column.name) for column in fields(self) if column.name != "name"}


def galaxies(catalogs: Mapping[str, Catalog]) -> Galaxies:
    """The galaxies of the catalogues among `CATALOGUES` that are given, by their names.

    A galaxy in both Mangrove and GLADE (within 3 arcsec and 0.01 in redshift) is included once, with Mangrove's name
    and distance (see `_corrected`), and GLADE's redshift and magnitude. Duplicates within them (such as M 100) are
    included once, with a name other than 2MASS's and the redshift of the smallest error. Pieces of a large galaxy that
    are listed as galaxies of their own (see `_without_fragments`) are left out.
    """
    parts = [_mangrove(catalogs["mangrove"])] if "mangrove" in catalogs else []
    if "glade" in catalogs:
        glade = _glade(catalogs["glade"])
        if parts:
            parts[0], glade = _merged(parts[0], glade)
        parts.append(glade)
    made = _without_fragments(_unique(_joined(parts)))
    return _sized(made, catalogs["hyperleda"]) if "hyperleda" in catalogs else made


def half_light_kpc(absolute_mag_r: ArrayLike) -> Floats:
    """Half-light radius [kpc] of a late-type galaxy of an absolute magnitude in r.

    Shen et al. 2003, MNRAS 343, 978, equation 15 with the parameters of their figure 4.

    >>> half_light_kpc([-18.0, -20.91, -22.0]).round(2).tolist()
    [1.48, 3.47, 5.26]
    """
    mag = np.asarray(absolute_mag_r, np.float64)
    with np.errstate(over="ignore"):
        bend = (0.51 - 0.26) * np.log10(1 + 10 ** (-0.4 * (mag + 20.91)))
        return np.asarray(10 ** (-0.4 * 0.26 * mag + bend - 1.71))


def default_size(distance: Floats, redshift: Floats, mag_b: Floats) -> Floats:
    """Half-light radius [arcsec] of galaxies without a measured size.

    From the luminosity where there is a magnitude; else 2.5 kpc, and at most 30 arcsec. The distance is a luminosity
    distance [Mpc].
    """
    angular_kpc = 1e3 * distance / (1 + np.nan_to_num(redshift)) ** 2
    by_light = half_light_kpc(mag_b - _B_MINUS_R - modulus_of_distance(distance)) / angular_kpc * _ARCSEC_PER_RADIAN
    plain = np.minimum(_DEFAULT_KPC / angular_kpc * _ARCSEC_PER_RADIAN, _DEFAULT_MAX_ARCSEC)
    return np.where(np.isfinite(by_light), by_light, plain)


def _mangrove(catalog: Catalog) -> Galaxies:
    luminosity, angular = (_floats(catalog, f"mangrove_{what}_distance") for what in ("luminosity", "angular"))
    redshift = np.sqrt(luminosity / angular) - 1
    redshift = np.where(redshift > 0, redshift, redshift_from_distance(luminosity))
    twomass = pc.binary_join_element_wise("2MASX J", catalog.values["mangrove_2mass"], "")
    # HyperLEDA's numbers went through a table of floats
    named = pc.replace_substring_regex(catalog.values["mangrove_name"], r"^(\d+)\.0$", r"PGC \1")
    name = pc.coalesce(named, twomass).combine_chunks()
    return _made(catalog, redshift, name, distance=luminosity)


def _glade(catalog: Catalog) -> Galaxies:
    redshift = _floats(catalog, "glade_redshift")
    return _made(
        catalog, redshift, pa.nulls(len(redshift), pa.string()), distance=luminosity_distance(redshift),
        redshift_err=_floats(catalog, "glade_redshift_err"), mag_b=_floats(catalog, "glade_mag_b"),
    )  # fmt: skip


def _made(
    catalog: Catalog, redshift: Floats, name: pa.Array, *, distance: Floats,
    redshift_err: Floats | None = None, mag_b: Floats | None = None,
) -> Galaxies:  # fmt: skip
    ra, dec = _positions(_index(catalog))
    unknown = np.full(len(ra), np.nan)
    mag_b = unknown if mag_b is None else mag_b
    return Galaxies(
        ra, dec, redshift, unknown if redshift_err is None else redshift_err, distance, mag_b,
        default_size(distance, redshift, mag_b), np.ones(len(ra)), unknown,
        np.full(len(ra), CATALOGUES.index(catalog.name), np.int8), name,
    )  # fmt: skip


def _merged(mangrove: Galaxies, glade: Galaxies) -> tuple[Galaxies, Galaxies]:
    """Mangrove with redshifts and magnitudes of GLADE, and the other galaxies of GLADE."""
    theirs, ours, _ = _pairs(glade.ra, glade.dec, mangrove, _SAME_ARCSEC)
    same = np.abs(glade.redshift[theirs] - mangrove.redshift[ours]) < _SAME_REDSHIFT
    theirs, ours = theirs[same], ours[same]
    known = {name: values.copy() for name, values in mangrove.numbers().items()}
    for what in ("redshift", "redshift_err", "mag_b"):
        known[what][ours] = getattr(glade, what)[theirs]
    known["distance"] = _corrected(known["distance"], known["redshift"], known["redshift_err"])
    known["r50"] = default_size(known["distance"], known["redshift"], known["mag_b"])
    return Galaxies(**known, name=mangrove.name), glade.without(theirs)


def _corrected(distance: Floats, redshift: Floats, redshift_err: Floats) -> Floats:
    """Mangrove's distances, but those of the redshift where a spectroscopic one contradicts them.

    Below a redshift of 0.01 velocities of galaxies matter, and Mangrove's distance stays unless it is off by a factor
    of three, such as that of M 101.
    """
    by_redshift = luminosity_distance(redshift)
    off = np.abs(modulus_of_distance(distance) - modulus_of_distance(by_redshift))
    is_wrong = off > np.where(redshift > _LOCAL_REDSHIFT, _WRONG_MAG, _WRONG_LOCAL_MAG)
    is_spectroscopic = redshift_err.astype(np.float32) < _PHOTOMETRIC
    return np.where(is_wrong & is_spectroscopic & (redshift > 0), by_redshift, distance)


def _without_fragments(made: Galaxies) -> Galaxies:
    """The galaxies without those in the disc of one at least 3 mag brighter (or of unknown magnitude) at its redshift.

    Automatic catalogues list the star-forming regions of M 101 as galaxies. A satellite is left out too: it has the
    distance of the large galaxy.
    """
    large = np.flatnonzero(made.mag_b < _LARGE_MAG)
    if not len(large):
        return made
    index, order = build_index(
        made.ra[large], made.dec[large], np.minimum(_FRAGMENT_R50 * made.r50[large], _FRAGMENT_MAX_ARCSEC)
    )
    found = find_matches(index, made.ra, made.dec, every=True)
    whole, part = large[order[found.source]], found.alert
    is_fragment = np.abs(made.redshift[whole] - made.redshift[part]) < _FRAGMENT_REDSHIFT
    is_fragment &= ~(made.mag_b[part] < made.mag_b[whole] + _FRAGMENT_MAG) & (whole != part)
    return made.without(part[is_fragment])


def _unique(made: Galaxies) -> Galaxies:
    """Each galaxy once: the best of those close to each other with similar brightness and redshift."""
    reach = np.clip(_SAME_FRACTION * made.r50, _SAME_ARCSEC, _SAME_MAX_ARCSEC)
    index, order = build_index(made.ra, made.dec, reach)
    found = find_matches(index, made.ra, made.dec, every=True)
    one, other = order[found.source], found.alert
    alike = np.abs(made.redshift[one] - made.redshift[other]) < _SAME_REDSHIFT
    alike &= ~(np.abs(made.mag_b[one] - made.mag_b[other]) > _SAME_MAG)
    rank = _rank(made)
    better = alike & (rank[one] < rank[other])
    kept, dropped = one[better], other[better]
    numbers = {name: values.copy() for name, values in made.numbers().items()}
    surer = made.redshift_err[dropped] < np.nan_to_num(made.redshift_err[kept], nan=np.inf)
    for what in ("redshift", "redshift_err"):
        numbers[what][kept[surer]] = getattr(made, what)[dropped[surer]]
    return Galaxies(**numbers, name=made.name).without(dropped)


def _rank(made: Galaxies) -> NDArray[np.int64]:
    """Rank of each galaxy: those with a name before those with a 2MASS name only, then by brightness."""
    nameless = pc.fill_null(pc.starts_with(made.name, "2MASX"), True).to_numpy(zero_copy_only=False)
    rank = np.empty(len(made), np.int64)
    rank[np.lexsort((made.mag_b, nameless))] = np.arange(len(made))
    return rank


def _sized(made: Galaxies, leda: Catalog) -> Galaxies:
    """The same galaxies, with measured sizes and shapes, and names for those without, from HyperLEDA."""
    theirs, ours, _ = _pairs(*_positions(_index(leda)), made, _SIZED_ARCSEC)
    known = {name: values.copy() for name, values in made.numbers().items()}
    size = 3.0 * 10 ** _floats(leda, "hyperleda_log_d25")[theirs] / _R25_PER_R50
    ratio = 10 ** -_floats(leda, "hyperleda_log_r25")[theirs]
    angle = _floats(leda, "hyperleda_position_angle")[theirs]
    known["r50"][ours] = np.where(np.isfinite(size), size, known["r50"][ours])
    flat = np.isfinite(size) & (ratio > 0) & (ratio < 1) & np.isfinite(angle)
    known["axis_ratio"][ours] = np.where(flat, ratio, 1.0)
    known["position_angle"][ours] = np.where(flat, angle, np.nan)
    row = np.full(len(made), -1)
    row[ours] = theirs
    pgc = leda.values["hyperleda_pgc"].combine_chunks().take(pa.array(row, mask=row < 0)).cast(pa.string())
    return Galaxies(**known, name=pc.coalesce(made.name, pc.binary_join_element_wise("PGC ", pgc, "")))


def _pairs(ra: Floats, dec: Floats, made: Galaxies, arcsec: float) -> tuple[NDArray, NDArray, Floats]:
    """The nearest of the given positions to each galaxy: rows of positions and of galaxies, and separations."""
    index, order = build_index(ra, dec, arcsec)
    found = find_matches(index, made.ra, made.dec)
    return order[found.source], found.alert, found.arcsec


def _joined(parts: list[Galaxies]) -> Galaxies:
    numbers = [part.numbers() for part in parts]
    columns = {name: np.concatenate([part[name] for part in numbers]) for name in numbers[0]}
    return Galaxies(**columns, name=pa.concat_arrays([part.name for part in parts]))


def _index(catalog: Catalog) -> SkyIndex:
    assert catalog.index is not None, f"{catalog.name} has no positions"
    return catalog.index


def _positions(index: SkyIndex) -> tuple[Floats, Floats]:
    x, y, z = index.xyz.T
    return np.degrees(np.arctan2(y, x)) % 360.0, np.degrees(np.arctan2(z, np.hypot(x, y)))


def _floats(catalog: Catalog, column: str) -> Floats:
    return np.asarray(catalog.values[column].to_numpy(), np.float64)
