"""Extinction by dust of the Milky Way in each band, for a reddening E(B-V)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
_RUBIN = np.array([4.145, 3.237, 2.273, 1.684, 1.323, 1.088])
_RUBIN_NM = np.array([369.3, 479.7, 619.6, 751.5, 866.4, 971.0])
PER_EBV = {
    "rubin": _RUBIN,
    "ztf": np.array([np.nan, 3.24, 2.16, 1.55, np.nan, np.nan]),
    "elasticc": _RUBIN,
}
"""Extinction [mag] per E(B-V) of the map of Schlegel, Finkbeiner & Davis (1998), bands u g r i z y.

Rubin's are LSST's in table 6 of Schlafly & Finkbeiner 2011, ApJ 737, 103 (Fitzpatrick's law, R_V = 3.1); they
include the correction of that map by 14 %. The table has no ZTF bands: theirs are read off the same table's
SDSS, LSST and DES bands at ZTF's wavelengths, good to 0.03. ELAsTiCC simulates LSST.
"""
WAVELENGTH = {
    "rubin": _RUBIN_NM,
    "ztf": np.array([np.nan, 479.0, 641.0, 790.0, np.nan, np.nan]),
    "elasticc": _RUBIN_NM,
}
"""Effective wavelength [nm] of the bands u g r i z y, of the same table; ZTF's from its mean and pivot wavelengths."""


def extinction(ebv: ArrayLike, band: ArrayLike, survey: ArrayLike = "rubin") -> Array:
    """Extinction [mag] in a band, given E(B-V) [mag] as on the map of Schlegel, Finkbeiner & Davis.

    `band` is the code 0..5 of u g r i z y, or an array of codes; `survey` is ``"ztf"``, ``"rubin"`` or
    ``"elasticc"``, or an array. NaN where E(B-V) is unknown, the survey has no such band, or the band is negative.

    Raises
    ------
    ValueError
        If a survey is none of these.

    References
    ----------
    Schlafly & Finkbeiner 2011, ApJ 737, 103, table 6.

    Examples
    --------
    >>> extinction(0.1, [1, 2, -1]).round(4).tolist()
    [0.3237, 0.2273, nan]
    >>> extinction([0.1, 0.1], 1, ["ztf", "rubin"]).round(4).tolist()
    [0.324, 0.3237]
    """
    return np.asarray(np.asarray(ebv, np.float64) * band_value(PER_EBV, band, survey))


def deredden_mag(mag: ArrayLike, ebv: ArrayLike, band: ArrayLike, survey: ArrayLike = "rubin") -> Array:
    """Magnitude corrected for extinction.

    >>> float(deredden_mag(20.0, 0.1, 2))
    19.7727
    """
    return np.asarray(np.asarray(mag, np.float64) - extinction(ebv, band, survey))


def deredden_flux(flux: ArrayLike, ebv: ArrayLike, band: ArrayLike, survey: ArrayLike = "rubin") -> Array:
    """Flux, or flux error, corrected for extinction, in the unit given.

    >>> deredden_flux([100.0, 10.0], 0.1, 2).round(2).tolist()
    [123.29, 12.33]
    """
    return np.asarray(np.asarray(flux, np.float64) * 10.0 ** (0.4 * extinction(ebv, band, survey)))


def band_value(table: dict[str, Array], band: ArrayLike, survey: ArrayLike) -> Array:
    """The value of each band in each survey from a table such as `WAVELENGTH`; NaN where the survey lacks the band.

    >>> band_value(WAVELENGTH, [0, 1], "ztf").tolist()
    [nan, 479.0]
    """
    names = list(table)
    rows = np.array([np.append(table[name], np.nan) for name in names])
    surveys = np.asarray(survey).astype(str)
    unknown = set(np.unique(surveys)) - set(names)
    if unknown:
        raise ValueError(f"unknown survey {', '.join(sorted(unknown))}; known: {', '.join(names)}")
    code = np.asarray(band, np.int64)
    code = np.where((code < 0) | (code > 5), 6, code)
    row = np.zeros(surveys.shape, np.int64)
    for i, name in enumerate(names):
        row[surveys == name] = i
    return np.asarray(rows[row, code])
