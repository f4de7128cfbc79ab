"""Recipe of a simulation: its parameters, checked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Literal

from redpoll.astro.time import is_date
from redpoll.errors import UsageError
from redpoll.schema.packet_schemas import known_versions
from redpoll.simulate.instrument import INSTRUMENTS, Instrument
from redpoll.simulate.population import FRACTIONS

Layout = Literal["archive", "files"]
_NIGHT = {"ztf": "20250921", "rubin": "20260310"}
_VERSION = {"ztf": "4.02", "rubin": "10.0"}
_MAX_ALERTS, _MAX_NIGHTS = 1_000_000, 30
_MJD_OF_DAY_ONE = 678576 - 1  # MJD 0 is 1858-11-17, whose ordinal is 678576


@dataclass(frozen=True)
class SimulationRecipe:
    """All parameters that determine the bytes of a simulated night.

    ``night`` is YYYYMMDD of the first of ``nights``; ``schema_version`` the survey's; ``layout`` is ``"archive"``
    (one gzipped tar a night) or ``"files"`` (one file a packet); ``fractions`` of the classes among the alerts.
    """

    survey: str
    n_alerts: int
    seed: int
    night: str
    nights: int
    schema_version: str
    layout: str
    fractions: dict[str, float] = field(default_factory=lambda: dict(FRACTIONS))

    @property
    def camera(self) -> Instrument:
        """The survey's camera."""
        return INSTRUMENTS[self.survey]

    @property
    def first_day(self) -> int:
        """MJD of the first night, a whole number."""
        return dt.datetime.strptime(self.night, "%Y%m%d").toordinal() - _MJD_OF_DAY_ONE - 1


def make_recipe(
    survey: str,
    n_alerts: int,
    seed: int,
    night: str | None,
    nights: int,
    schema_version: str | None,
    layout: str,
    fractions: Mapping[str, float] | None = None,
) -> SimulationRecipe:
    """A recipe from arguments, defaults filled in.

    Raises
    ------
    UsageError
        If an argument is invalid; the message names valid values.

    Examples
    --------
    >>> make_recipe("ztf", 100, 1, None, 1, None, "archive").first_day
    60939
    """
    _require(survey in INSTRUMENTS, f"no survey '{survey}'; use {' or '.join(INSTRUMENTS)}")
    version = schema_version or _VERSION[survey]
    versions = known_versions(survey)
    night = night or _NIGHT[survey]
    _require(_is_whole(n_alerts) and 1 <= n_alerts <= _MAX_ALERTS, f"{n_alerts} alerts; use 1 to {_MAX_ALERTS}")
    _require(_is_whole(seed) and 0 <= seed < 2**63, f"seed {seed}; use a whole number of at least 0")
    _require(_is_whole(nights) and 1 <= nights <= _MAX_NIGHTS, f"{nights} nights; use 1 to {_MAX_NIGHTS}")
    _require(version in versions, f"no {survey} packet schema {version}; use one of {', '.join(versions)}")
    _require(layout in ("archive", "files"), f"no layout '{layout}'; use archive or files")
    _require(_is_night(night), f"night '{night}'; write it as YYYYMMDD, from 2018 to 2040")
    return SimulationRecipe(survey, n_alerts, seed, night, nights, version, layout, _normalised(fractions))


def _normalised(fractions: Mapping[str, float] | None) -> dict[str, float]:
    """The fractions, normalised to a sum of one, without classes of fraction zero."""
    if fractions is None:
        return dict(FRACTIONS)
    unknown = sorted(set(fractions) - set(FRACTIONS))
    _require(not unknown, f"no class '{', '.join(unknown)}'; use {', '.join(FRACTIONS)}")
    _require(all(isfinite(s) and s >= 0 for s in fractions.values()), "a fraction is negative or infinite")
    total = sum(fractions.values())
    _require(total > 0, "no class has a fraction above 0; give one")
    return {name: fraction / total for name, fraction in fractions.items() if fraction > 0}


def _require(fine: bool, wrong: str) -> None:
    if not fine:
        raise UsageError(f"cannot simulate: {wrong}")


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_night(night: str) -> bool:
    is_number = len(night) == 8 and night.isascii() and night.isdecimal()
    return is_number and is_date(int(night)) and "2018" <= night[:4] <= "2040"
