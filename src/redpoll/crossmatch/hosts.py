"""Host association: the galaxy nearest to an alert in units of the galaxy's size."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.astro.cosmology import modulus_of_distance
from redpoll.astro.sky_index import Matches, SkyIndex, build_index, find_matches
from redpoll.crossmatch.catalog import Catalog
from redpoll.crossmatch.context import Missing
from redpoll.crossmatch.galaxies import Galaxies, galaxies
from redpoll.crossmatch.host_columns import CATALOGUES, COLUMNS
from redpoll.crossmatch.host_files import Derived, read_derived, write_derived
from redpoll.schema.column import Column

Floats = NDArray[np.float64]
_VERSION = "3"
_SKY_ARCSEC2 = 41_252.96 * 3600.0**2


@dataclass(frozen=True)
class HostSettings:
    """Search radii of host association.

    Parameters
    ----------
    radius_arcsec
        Minimum search radius of every galaxy.
    max_d_dlr
        Maximum d_DLR of a host; large galaxies are searched out to so many half-light radii.
    max_arcsec
        Maximum search radius.
    """

    radius_arcsec: float = 60.0
    max_d_dlr: float = 5.0
    max_arcsec: float = 600.0


_DEFAULT = HostSettings()


@dataclass(frozen=True)
class Hosts:
    """Context ``hosts``; made by `open_hosts`.

    The likely host is the galaxy of minimum d_DLR: separation over the directional light radius, which is the radius
    of the half-light ellipse towards the alert.

    References
    ----------
    Sullivan et al. 2006, ApJ 648, 868; Gupta et al. 2016, AJ 152, 154 (d_DLR); Gagliano et al. 2021, ApJ 908, 170;
    Bloom, Kulkarni & Djorgovski 2002, AJ 123, 1111 (chance; here with the density of the catalogues themselves).

    Attributes
    ----------
    density
        Galaxies per square arcsec at least as bright as each one.
    """

    index: SkyIndex
    galaxies: Galaxies
    settings: HostSettings
    density: Floats
    version: str

    @property
    def name(self) -> str:
        """``hosts``."""
        return "hosts"

    @property
    def columns(self) -> Mapping[str, Column]:
        """The columns it adds."""
        return COLUMNS

    @property
    def reads(self) -> tuple[str, ...]:
        """The position."""
        return ("ra", "dec", "hpx29")

    def match(self, batch: pa.RecordBatch) -> dict[str, pa.Array]:
        """Columns of the host of each alert; null without a host."""
        hpx = batch["hpx29"].fill_null(-1).to_numpy(zero_copy_only=False)
        ra, dec = (batch[name].to_numpy(zero_copy_only=False) for name in ("ra", "dec"))
        found = find_matches(self.index, ra, dec, hpx=hpx, every=True)
        d_dlr = found.arcsec / self._light_radius(found, ra, dec)
        near = np.flatnonzero(d_dlr <= self.settings.max_d_dlr)
        best = near[np.lexsort((found.arcsec[near], d_dlr[near], found.alert[near]))]
        best = best[np.diff(found.alert[best], prepend=-1) > 0]
        return self._columns(batch.num_rows, found.alert[best], found.source[best], found.arcsec[best], d_dlr[best])

    def _light_radius(self, found: Matches, ra: Floats, dec: Floats) -> Floats:
        """Radius [arcsec] of the half-light ellipse of each pair's galaxy, in the direction of the alert."""
        of, at = self.galaxies, found.source
        radius, ratio = of.r50[at], of.axis_ratio[at]
        flat = np.flatnonzero(ratio < 1.0)
        alert, galaxy = found.alert[flat], at[flat]
        east = np.radians((ra[alert] - of.ra[galaxy] + 180.0) % 360.0 - 180.0) * np.cos(np.radians(dec[alert]))
        angle = np.arctan2(east, np.radians(dec[alert] - of.dec[galaxy])) - np.radians(of.position_angle[galaxy])
        radius[flat] /= np.hypot(np.sin(angle) / ratio[flat], np.cos(angle))
        return radius

    def _columns(self, n: int, alert: NDArray, galaxy: NDArray, arcsec: Floats, d_dlr: Floats) -> dict[str, pa.Array]:
        of = self.galaxies
        kpc = np.radians(arcsec / 3600.0) * 1e3 * of.distance[galaxy] / (1 + of.redshift[galaxy]) ** 2
        numbers = {
            "host_arcsec": arcsec, "host_kpc": kpc, "host_d_dlr": d_dlr, "host_redshift": of.redshift[galaxy],
            "host_redshift_err": of.redshift_err[galaxy],
            "host_distance_modulus": modulus_of_distance(of.distance[galaxy]),
            "host_chance": self._chance(galaxy, arcsec),
        }  # fmt: skip
        row = np.full(n, -1)
        row[alert] = np.arange(len(alert))
        rows = pa.array(row, mask=row < 0)
        made = {
            "host_name": of.name.take(pa.array(galaxy)).take(rows),
            "host_catalogue": pa.array(CATALOGUES).take(pa.array(of.catalogue[galaxy])).take(rows),
        }
        return made | {name: _float32(values).take(rows) for name, values in numbers.items()}

    def _chance(self, galaxy: NDArray, arcsec: Floats) -> Floats:
        area = np.pi * (arcsec**2 + 4 * self.galaxies.r50[galaxy] ** 2)
        return np.asarray(-np.expm1(-area * self.density[galaxy]))


def open_hosts(
    catalogs: Mapping[str, Catalog], settings: HostSettings = _DEFAULT, folder: Path | None = None
) -> Hosts | Missing:
    """Host association with the galaxy catalogues that are built; Missing if neither Mangrove nor GLADE is.

    Parameters
    ----------
    catalogs
        Built catalogues by name; those other than `CATALOGUES` are ignored.
    folder
        Folder in which the derived data are cached; by default they are computed each time, which takes seconds.
    """
    used = {name: catalogs[name] for name in CATALOGUES if name in catalogs}
    if not {"mangrove", "glade"} & set(used):
        return Missing("hosts", COLUMNS, "neither mangrove nor glade is built")
    text = repr((settings, [(name, catalog.version) for name, catalog in used.items()]))
    version = f"{_VERSION}+{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    key = hashlib.sha256(b"".join([version.encode(), *(path.read_bytes() for path in _code())])).hexdigest()
    derived = read_derived(folder, key[:16]) if folder else None
    if derived is None:
        derived = _derived(used, settings)
        if folder:
            write_derived(folder, key[:16], derived)
    index, made, density = derived
    return Hosts(index, made, settings, density, version)


def _code() -> list[Path]:
    """Source files that the derived arrays depend on."""
    here = Path(__file__).parent
    astro = "sky_index.py", "sky_index_layer.py", "healpix.py", "cosmology.py"
    names = "hosts.py", "galaxies.py", "host_files.py", *(f"../astro/{name}" for name in astro)
    return [here / name for name in names]


def _derived(used: Mapping[str, Catalog], settings: HostSettings) -> Derived:
    made = galaxies(used)
    reach = np.clip(settings.max_d_dlr * made.r50, settings.radius_arcsec, settings.max_arcsec)
    index, order = build_index(made.ra, made.dec, reach)
    made = made.taken(order)
    return index, made, _density(made.mag_b)


def _density(mag_b: Floats) -> Floats:
    """Galaxies per square arcsec at least as bright as each one; all galaxies where the brightness is not known."""
    known = np.isfinite(mag_b)
    n = np.searchsorted(np.sort(mag_b[known]), mag_b, side="right")
    return np.where(known, n, len(mag_b)) / _SKY_ARCSEC2


def _float32(values: Floats) -> pa.Array:
    """Numbers, null where they are not finite."""
    return pa.array(values.astype(np.float32), mask=~np.isfinite(values))
