"""Telescopes for follow-up: site, optics, detector and hours of each, from a TOML file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from math import isnan, nan
from pathlib import Path
from typing import Any

from redpoll.config import changed
from redpoll.errors import ConfigError, PluginError
from redpoll.schema.names import valid_name

_MAX_BYTES = 1_000_000
_REQUIRED = ("latitude", "longitude", "aperture", "hours")


def _within(default: float, low: float, high: float) -> Any:
    return field(default=default, metadata={"range": (low, high)})


@dataclass(frozen=True)
class Telescope:
    """A telescope with an imager, or a spectrograph whose signal is counted in bins.

    Parameters
    ----------
    latitude, longitude, elevation
        Of the site: degrees, east positive, and metres.
    aperture
        Diameter of the mirror [m].
    hours
        Time for these targets in one night [h], setup and readout included.
    setup, readout
        Time to point and acquire [min], and after each exposure [s].
    obstruction, throughput
        Fraction of the mirror's area that is hidden, and of the light that is counted, from mirror to detector.
    wavelength, bandwidth
        Middle and width of the filter, or of a bin of the spectrum [nm].
    read_noise, dark_current, pixel
        Electrons a pixel, electrons a second and pixel, and width of a pixel [arcsec].
    seeing
        Full width at half maximum at the zenith [arcsec].
    sky
        Brightness of the dark sky at the zenith [AB mag per square arcsec].
    extinction
        Of the atmosphere [mag per airmass].
    signal_to_noise
        That is wanted.
    max_exposure, max_minutes
        Longest single exposure [s], and all exposures of one target [min].
    max_airmass, min_moon_distance, sun_altitude
        A target is observed up to this airmass, from this distance of the moon [deg], while the sun is below this
        altitude [deg].
    """

    latitude: float = _within(nan, -90, 90)
    longitude: float = _within(nan, -180, 360)
    elevation: float = _within(0.0, -500, 9000)
    aperture: float = _within(nan, 0.01, 100)
    hours: float = _within(nan, 0.01, 24)
    setup: float = _within(5.0, 0, 600)
    readout: float = _within(30.0, 0, 3600)
    obstruction: float = _within(0.1, 0, 0.9)
    throughput: float = _within(0.3, 0.001, 1)
    wavelength: float = _within(622.0, 300, 1100)
    bandwidth: float = _within(138.0, 0.001, 1000)
    read_noise: float = _within(8.0, 0, 1000)
    dark_current: float = _within(0.0, 0, 1000)
    pixel: float = _within(0.4, 0.01, 60)
    seeing: float = _within(1.2, 0.1, 60)
    sky: float = _within(20.9, 10, 25)
    extinction: float = _within(0.1, 0, 2)
    signal_to_noise: float = _within(20.0, 0.1, 10_000)
    max_exposure: float = _within(600.0, 1, 36_000)
    max_minutes: float = _within(60.0, 0.1, 1440)
    max_airmass: float = _within(2.0, 1, 5)
    min_moon_distance: float = _within(30.0, 0, 180)
    sun_altitude: float = _within(-15.0, -18, 0)


def read_telescopes(path: Path) -> dict[str, Telescope]:
    """The telescopes of a TOML file, one table ``[telescopes.NAME]`` each.

    Raises
    ------
    ConfigError
        If the file cannot be read, a key is missing or unknown, or a value has the wrong type or is out of range.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            raise ConfigError(f"{path}: is larger than {_MAX_BYTES:,} bytes: it is no file of telescopes")
        return parse_telescopes(data.decode(), str(path))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text") from error


def parse_telescopes(text: str, where: str = "telescopes") -> dict[str, Telescope]:
    """The telescopes of TOML text; `where` names it in errors.

    >>> text = "[telescopes.small]\\nlatitude = 28.3\\nlongitude = -16.5\\naperture = 1.0\\nhours = 2"
    >>> parse_telescopes(text)["small"].hours
    2.0
    """
    try:
        tree = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{where}: not TOML: {error}") from error
    tables = tree.pop("telescopes", None)
    if tree:
        raise ConfigError(f"{where}: unknown key '{next(iter(tree))[:80]}'; a telescope is a table [telescopes.NAME]")
    if not isinstance(tables, dict) or not tables:
        raise ConfigError(f"{where}: needs a table [telescopes.NAME]")
    return {name: _telescope(name, table, f"{where}: {name[:80]}") for name, table in tables.items()}


def _telescope(name: str, table: object, where: str) -> Telescope:
    try:
        valid_name(name, "the name of a telescope")
    except PluginError as error:
        raise ConfigError(f"{where}: {error}") from error
    if not isinstance(table, dict):
        raise ConfigError(f"{where}: expected a table [telescopes.{name}]")
    made: Telescope = changed(Telescope(), table, where)
    for key in _REQUIRED:
        if isnan(getattr(made, key)):
            raise ConfigError(f"{where}: needs '{key}'")
    return made
