"""Conversion of times: MJD TAI, JD UTC of ZTF, and nights as YYYYMMDD."""

from __future__ import annotations

import datetime as dt

import numpy as np
from numpy.typing import ArrayLike, NDArray

MJD_ZERO = 2_400_000.5
"""JD of MJD 0."""
NIGHT_OFFSET = {"ztf": 0.0, "rubin": -0.5, "elasticc": -0.5}
"""Days added to UTC before its date names the night: Rubin's nights, in Chile, span midnight UTC.

ELAsTiCC simulates Rubin.
"""
_DAY = 86_400.0
# MJD (UTC) from which TAI - UTC has the value in seconds: IERS Bulletin C. A test compares it with astropy's table.
_LEAP_MJD = np.array([
    41317, 41499, 41683, 42048, 42413, 42778, 43144, 43509, 43874, 44239, 44786, 45151, 45516, 46247,
    47161, 47892, 48257, 48804, 49169, 49534, 50083, 50630, 51179, 53736, 54832, 56109, 57204, 57754,
], np.float64)  # fmt: skip
_FIRST_LEAP_SECONDS = 10.0
_LEAP_MJD_TAI = _LEAP_MJD + (_FIRST_LEAP_SECONDS + np.arange(len(_LEAP_MJD))) / _DAY


def leap_seconds(mjd_utc: ArrayLike) -> NDArray[np.float64]:
    """TAI - UTC in seconds: 37 since 2017; before 1972 10 is used.

    >>> leap_seconds([57753.9, 57754.0, 61000.0]).tolist()
    [36.0, 37.0, 37.0]
    """
    return _seconds(_LEAP_MJD, mjd_utc)


def tai_mjd_from_utc_jd(jd: ArrayLike) -> NDArray[np.float64]:
    """MJD TAI of a Julian date UTC, to the 40 microseconds that a float64 JD resolves. NaN stays NaN.

    On a day that ends in a leap second (the last was 2016-12-31) it may be 1 s off, as JD UTC has no room for it.

    >>> float(tai_mjd_from_utc_jd(2458855.5).round(6))
    58855.000428
    """
    mjd = np.asarray(jd, np.float64) - MJD_ZERO
    return np.asarray(mjd + leap_seconds(mjd) / _DAY)


def utc_jd_from_tai_mjd(mjd: ArrayLike) -> NDArray[np.float64]:
    """Julian date UTC of an MJD TAI; the inverse of `tai_mjd_from_utc_jd`.

    >>> float(utc_jd_from_tai_mjd(tai_mjd_from_utc_jd(2458855.5)))
    2458855.5
    """
    return np.asarray(_utc_mjd(mjd) + MJD_ZERO)


def is_night(mjd_tai: ArrayLike) -> NDArray[np.bool_]:
    """Whether `night_of` supports each time: finite, in the years 1859 to 9999.

    >>> is_night([60000.2, float("nan"), 1e9]).tolist()
    [True, False, False]
    """
    mjd = np.asarray(mjd_tai, np.float64)
    return np.isfinite(mjd) & (mjd >= 1.0) & (mjd < 2_973_482.0)


def night_of(mjd_tai: ArrayLike, survey_offset_days: float = 0.0) -> NDArray[np.int32]:
    """Night as YYYYMMDD, int32: the date of UTC plus `survey_offset_days`, see `NIGHT_OFFSET`.

    Raises
    ------
    ValueError
        If a time is not finite or its date is not in the years 1 to 9999.

    Examples
    --------
    >>> night_of([60000.2, 60000.7], NIGHT_OFFSET["rubin"]).tolist()
    [20230224, 20230225]
    """
    days = np.floor(_utc_mjd(mjd_tai) + survey_offset_days)
    if not ((days >= -678_575) & (days <= 2_973_483)).all():  # 0001-01-01, 9999-12-31; NaN fails too
        raise ValueError("a night needs a finite time in the years 1 to 9999")
    date = np.datetime64("1858-11-17", "D") + days.astype(np.int64)
    month = date.astype("datetime64[M]").astype(np.int64) + 12 * 1970
    day = (date - date.astype("datetime64[M]")).astype(np.int64) + 1
    return np.asarray(month // 12 * 10_000 + (month % 12 + 1) * 100 + day, np.int32)


def is_date(night: int) -> bool:
    """Whether a number is a date, written YYYYMMDD.

    >>> is_date(20240229), is_date(20230229), is_date(20261301)
    (True, False, False)
    """
    try:
        dt.date(night // 10_000, night // 100 % 100, night % 100)
    except (ValueError, OverflowError):
        return False
    return True


def night_start(night: ArrayLike, survey_offset_days: float = 0.0) -> NDArray[np.float64]:
    """MJD TAI at which a night of this name (YYYYMMDD) begins; the inverse of `night_of`.

    >>> night_start([20230224], NIGHT_OFFSET["rubin"]).round(4).tolist()
    [59999.5004]
    """
    number = np.asarray(night, np.int64)
    year, month, day = number // 10_000, number // 100 % 100, number % 100
    months = (year - 1970) * 12 + month - 1
    date = months.astype("datetime64[M]").astype("datetime64[D]") + (day - 1)
    days = date.astype(np.int64) - np.datetime64("1858-11-17", "D").astype(np.int64)
    mjd = days.astype(np.float64) - survey_offset_days
    return np.asarray(mjd + leap_seconds(mjd) / _DAY)


def _utc_mjd(mjd_tai: ArrayLike) -> NDArray[np.float64]:
    mjd = np.asarray(mjd_tai, np.float64)
    return np.asarray(mjd - _seconds(_LEAP_MJD_TAI, mjd) / _DAY)


def _seconds(steps: NDArray[np.float64], mjd: ArrayLike) -> NDArray[np.float64]:
    n_steps = np.searchsorted(steps, np.asarray(mjd, np.float64), side="right")
    return np.asarray(_FIRST_LEAP_SECONDS - 1 + np.clip(n_steps, 1, None), np.float64)
