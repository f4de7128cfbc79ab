"""Numbers, times and positions as people read them; the templates' filters."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

from redpoll.astro.time import MJD_ZERO, utc_jd_from_tai_mjd

UNKNOWN = "–"
_EPOCH = datetime(1858, 11, 17, tzinfo=UTC)


def fixed(value: Any, digits: int = 2) -> str:
    """A number with so many decimals, a true minus sign, and a dash where it is unknown.

    >>> fixed(-1.005, 1), fixed(None), fixed(float("nan"))
    ('−1.0', '–', '–')
    """
    if value is None or not math.isfinite(value):
        return UNKNOWN
    return f"{value:,.{digits}f}".replace("-", "−")


def count(value: int | None) -> str:
    """An integer with thin groups of three.

    >>> count(1234567)
    '1\u202f234\u202f567'
    """
    return UNKNOWN if value is None else f"{value:,}".replace(",", "\u202f")


def counted(value: int | None, noun: str) -> str:
    """An integer with its noun, in the plural where it is not one.

    >>> counted(1, "packet"), counted(0, "packet"), counted(1200, "packet")
    ('1 packet', '0 packets', '1\u202f200 packets')
    """
    return f"{count(value)} {noun}{'' if value == 1 else 's'}"


def value(item: Any, dtype: str = "") -> str:
    """Any column's value: six digits of a float32, all that a float64 time or position needs.

    >>> value(0.398829758, "float32"), value(185.7288751, "float64"), value(True), value([]), value(None)
    ('0.39883', '185.7288751', 'yes', '–', '–')
    """
    if item is None or item == [] or (isinstance(item, float) and math.isnan(item)):
        return UNKNOWN
    if isinstance(item, bool):
        return "yes" if item else "no"
    if isinstance(item, float):
        return f"{item:.{6 if dtype == 'float32' else 12}g}".replace("-", "−")
    return ", ".join(map(str, item)) if isinstance(item, list | tuple) else str(item)


def moment(mjd: float | None) -> datetime | None:
    """UTC of an MJD TAI, to the millisecond; None outside the calendar."""
    if mjd is None or not math.isfinite(mjd):
        return None
    try:
        return _EPOCH + timedelta(days=float(utc_jd_from_tai_mjd(mjd)) - MJD_ZERO)
    except OverflowError:
        return None


def utc(mjd: float | None, format: str = "%Y-%m-%d %H:%M:%S") -> str:
    """UTC date and time of an MJD TAI.

    >>> utc(58853.5)
    '2020-01-05 11:59:23'
    """
    when = moment(mjd)
    return UNKNOWN if when is None else when.strftime(format)


def night(number: int) -> str:
    """A night as a date.

    >>> night(20260310)
    '2026-03-10'
    """
    text = f"{number:08d}"
    return f"{text[:-4]}-{text[-4:-2]}-{text[-2:]}"


def ago(mjd: float, now: datetime) -> str:
    """How long before `now` an MJD TAI was, in a suitable unit.

    >>> ago(58853.5, datetime(2020, 1, 5, 14, 30, tzinfo=UTC))
    '2.5 h ago'
    """
    when = moment(mjd)
    if when is None:
        return UNKNOWN
    seconds = (now - when).total_seconds()
    for limit, unit, size in ((3600, "min", 60), (172_800, "h", 3600), (63_115_200, "d", 86_400)):
        if seconds < limit:
            return (
                f"{max(seconds, 0) / size:.2g} {unit} ago"
                if seconds < 10 * size
                else f"{seconds / size:.0f} {unit} ago"
            )
    return f"{seconds / 31_557_600:.1f} yr ago"


def days(length: float | None) -> str:
    """A span of days, with decimals only where they matter.

    >>> days(0.26), days(41.7)
    ('0.3 d', '42 d')
    """
    if length is None or not math.isfinite(length):
        return UNKNOWN
    return f"{length:.1f} d" if length < 10 else f"{length:,.0f} d"


def sexagesimal(ra: float, dec: float) -> tuple[str, str]:
    """Hours and degrees of a position in degrees.

    >>> sexagesimal(185.728875, -15.823639)
    ('12:22:54.93', '−15:49:25.1')
    """
    hundredths = round((ra % 360.0) / 15 * 360_000) % 8_640_000
    tenths = round(abs(dec) * 36_000)
    hours = f"{hundredths // 360_000:02d}:{hundredths // 6000 % 60:02d}:{hundredths % 6000 / 100:05.2f}"
    sign = "−" if dec < 0 else "+"
    return hours, f"{sign}{tenths // 36_000:02d}:{tenths // 600 % 60:02d}:{tenths % 600 / 10:04.1f}"
