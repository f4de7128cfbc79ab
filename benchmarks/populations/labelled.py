"""Real objects of known class from the data folder: light curves to replay, and ZTF packets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from astropy.coordinates import SkyCoord

from populations.simulated import decoded_files
from redpoll.astro.photometry import flux_err_from_mag_err, flux_from_mag
from redpoll.learn.curves import LabelledCurve
from redpoll.learn.replay import Labelled
from redpoll.schema.bands import BANDS, DETECTION, FORCED, UPPER_LIMIT
from redpoll.schema.rows import take_rows
from redpoll.simulate.distance import distance_modulus

_START = 58178.0  # ZTF's first public day
_GALAXY = {"host_d_dlr": 1.0, "star_distance_arcsec": 2.0, "star_score": 0.05}
_VSX = {"RR": "rr_lyrae", "E": "eclipsing_binary", "M": "long_period_variable", "SR": "long_period_variable",
        "UG": "cataclysmic_variable", "NL": "cataclysmic_variable", "CV": "cataclysmic_variable"}  # fmt: skip
_BROAD = {"SN Ia": "sn_ia", "SN Ibc": "sn_ibc", "SN II": "sn_ii", "SN IIn": "sn_ii", "SN IIb": "sn_ibc",
          "TDE": "tde", "SLSN": "slsn", "AGN": "agn", "CV/Nova": "cataclysmic_variable"}  # fmt: skip


def type_ia(data: Path) -> list[LabelledCurve]:
    """SNe Ia of the Bright Transient Survey: alert magnitudes, thinned, without limits; distances by their redshift."""
    points = pd.read_parquet(data / "labelled" / "ztf_bts_snia_lightcurves.parquet").sort_values("time")
    meta = pd.read_csv(data / "labelled" / "ztf_bts_snia_meta.csv").drop_duplicates("ZTFID").set_index("ZTFID")
    position = SkyCoord(meta.RA, meta.Dec, unit=("hourangle", "deg"))
    about = pd.DataFrame({"ra": position.ra.deg, "dec": position.dec.deg, "z": meta.redshift}, index=meta.index)
    code = {"g": 1, "R": 2, "i": 3}
    return [
        _from_mags(n, "sn_ia", p.assign(band=p.band.map(code)), about.loc[n]) for n, p in points.groupby("objectId")
    ]


def tidal_disruptions(data: Path) -> list[LabelledCurve]:
    """TDEs with forced photometry of ZTF, in the middle of a galaxy of known redshift."""
    points = pd.read_parquet(data / "labelled" / "tde_lightcurves.parquet").sort_values("mjd").dropna()
    meta = pd.read_parquet(data / "labelled" / "tde_meta.parquet").set_index("name")
    points = points[points["filter"].str.endswith(".ztf") & (points.mjd > _START) & (points.e_flux_Jy > 0)]
    curves = []
    for name, p in points.groupby("name"):
        band = p["filter"].str[0].map(BANDS.index).to_numpy()
        flux, err = p.flux_Jy.to_numpy() * 1e9, p.e_flux_Jy.to_numpy() * 1e9
        about = in_host(meta.loc[name], arcsec=0.2)
        curves.append(_cut(str(name), "tde", p.mjd.to_numpy(), band, flux, err, about))
    return [c for c in curves if (c.kind == DETECTION).any()]


def superluminous(data: Path) -> list[LabelledCurve]:
    """SLSNe-I with photometry of ZTF, each put where its brightest point is -21.5 mag (see `true_positions.py`)."""
    p = pd.read_parquet(data / "labelled" / "slsn_I_photometry.parquet").sort_values("MJD")
    p = p[(p.Instrument == "ZTF") & (p.Ignore != "True") & (p.MJD > _START)]
    p = p[p.Filter.isin(list("gri"))].assign(
        band=lambda t: t.Filter.map(BANDS.index), time=p.MJD, mag=p.Raw.fillna(p.Mag)
    )
    p["magerr"] = np.where(p.UL == "True", np.nan, p.MagErr)
    return [c for n, t in p.groupby("name") if (c := _at_distance(_from_mags(str(n), "slsn", t, None)))]


def _at_distance(curve: LabelledCurve) -> LabelledCurve | None:
    bright = np.nanmax(np.where(curve.kind == DETECTION, curve.flux, np.nan), initial=0.0)
    if not bright > 0:
        return None
    curve.about.update(_GALAXY | {"host_distance_modulus": 31.4 - 2.5 * np.log10(bright) + 21.5, "host_arcsec": 2.0})
    return curve


def rr_lyrae(data: Path) -> list[LabelledCurve]:
    """RR Lyrae stars of SDSS's Stripe 82, as differences from their median in each band."""
    p = pd.read_parquet(data / "labelled" / "sdss_s82_rrlyrae.parquet").sort_values("time")
    p = p[(p.mag < 50) & (p.magerr < 5)].assign(code=lambda t: t.band.map(BANDS.index))
    curves = []
    for name, t in p.groupby("objectId"):
        flux = flux_from_mag(t.mag.to_numpy())
        err = np.hypot(flux_err_from_mag_err(t.magerr.to_numpy(), flux), 0.01 * flux)
        middle = t.assign(flux=flux).groupby("code").flux.median()
        change = flux - middle.loc[t.code].to_numpy()
        about = {"reference_mag": float(31.4 - 2.5 * np.log10(middle.loc[2])), "reference_mag_err": 0.02}
        curves.append(_cut(str(name), "rr_lyrae", t.time.to_numpy(), t.code.to_numpy(), change, err, about))
    return [c for c in curves if (c.kind == DETECTION).any()]


def _from_mags(name: str, label: str, p: pd.DataFrame, meta: pd.Series | None) -> LabelledCurve:
    flux = flux_from_mag(p.mag.to_numpy(float))
    err = flux_err_from_mag_err(p.magerr.to_numpy(float), flux)
    is_upper_limit = np.isnan(err)
    about = {} if meta is None else {"ra": meta.ra, "dec": meta.dec} | in_host(meta, arcsec=2.0)
    err = np.where(is_upper_limit, flux / 5, err)
    curve = _cut(name, label, p.time.to_numpy(), p.band.to_numpy(), flux, err, about)
    curve.kind[is_upper_limit], curve.flux[is_upper_limit] = UPPER_LIMIT, np.nan
    return curve


def in_host(meta: pd.Series, *, arcsec: float) -> dict[str, float]:
    """Catalogue columns of a host that the supernova lies in, so far from its centre."""
    modulus = float(distance_modulus(np.array([meta.z]))[0])
    host = {"host_arcsec": arcsec, "host_redshift": meta.z, "host_distance_modulus": modulus}
    return _GALAXY | host | {"star_distance_arcsec": arcsec}


def _cut(name: str, label: str, mjd, band, flux, err, about) -> LabelledCurve:
    """A curve whose points above five sigma are detections, and the others forced photometry."""
    kind = np.where(np.abs(flux) > 5 * err, DETECTION, FORCED)
    return LabelledCurve(name, label, mjd, band, np.array(flux), err, kind, about)


def ztf_packets(data: Path) -> Iterator[Labelled]:
    """The real ZTF alerts of objects with one class in the lists of types, or a variable star of VSX within 1.5"."""
    batch = decoded_files(sorted((data / "ztf").glob("*.tar.gz")))
    named, star = _types(data), _variables(data, batch)
    kind = np.array([named.get(n) or s or "" for n, s in zip(batch["object_id"].to_pylist(), star, strict=True)])
    known = np.flatnonzero(kind != "")
    for rows in np.array_split(known, max(1, len(known) // 200)):
        some = take_rows(batch, rows)
        yield some, kind[rows], np.array(some["object_id"].to_pylist())


def _types(data: Path) -> dict[str, str]:
    labels = pd.read_parquet(data / "labelled" / "ztf_labels.parquet").drop_duplicates(["objectId", "broad"])
    labels = labels[~labels.objectId.duplicated(keep=False)]
    return {n: _BROAD[b] for n, b in zip(labels.objectId, labels.broad, strict=True) if b in _BROAD}


def _variables(data: Path, batch: pa.RecordBatch) -> list[str]:
    stars = pd.read_parquet(data / "catalogs" / "vsx.parquet")
    known = SkyCoord(stars.RAJ2000.to_numpy(), stars.DEJ2000.to_numpy(), unit="deg")
    which, apart, _ = SkyCoord(batch["ra"].to_numpy(), batch["dec"].to_numpy(), unit="deg").match_to_catalog_sky(known)
    kinds, is_near = stars.VType.str.strip().to_numpy()[which], apart.arcsec < 1.5
    return [
        next((v for k, v in _VSX.items() if n and str(t).startswith(k)), "")
        for n, t in zip(is_near, kinds, strict=True)
    ]
