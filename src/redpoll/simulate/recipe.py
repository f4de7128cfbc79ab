"""What was asked of the simulator, checked before anything is made."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Literal

from redpoll.errors import UsageError
from redpoll.schema.packet_schemas import known_versions
from redpoll.simulate.instrument import INSTRUMENTS, Instrument
from redpoll.simulate.population import SHARES

Layout = Literal["archive", "files"]
_NIGHT = {"ztf": "20250921", "rubin": "20260310"}
_VERSION = {"ztf": "4.02", "rubin": "10.0"}
_MOST_ALERTS, _MOST_NIGHTS = 1_000_000, 30
_MJD_OF_DAY_ONE = 678576 - 1  # MJD 0 is 1858-11-17, whose ordinal is 678576


@dataclass(frozen=True)
class SimulationRecipe:
    """All that decides the bytes of a simulated night.

    ``night`` is YYYYMMDD of the first of ``nights``; ``schema_version`` the survey's; ``layout`` is ``"archive"``
    (one gzipped tar a night) or ``"files"`` (one file a packet); ``shares`` of the classes among the alerts.
    """

    survey: str
    n_alerts: int
    seed: int
    night: str
    nights: int
    schema_version: str
    layout: str
    shares: dict[str, float] = field(default_factory=lambda: dict(SHARES))

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
    shares: Mapping[str, float] | None = None,
) -> SimulationRecipe:
    """A recipe from arguments, defaults filled in.

    Raises
    ------
    UsageError
        If an argument cannot be followed; the message says what would do.

    Examples
    --------
    >>> make_recipe("ztf", 100, 1, None, 1, None, "archive").first_day
    60939
    """
    _require(survey in INSTRUMENTS, f"no survey '{survey}'; use {' or '.join(INSTRUMENTS)}")
    version = schema_version or _VERSION[survey]
    versions = known_versions(survey)
    night = night or _NIGHT[survey]
    _require(_is_whole(n_alerts) and 1 <= n_alerts <= _MOST_ALERTS, f"{n_alerts} alerts; use 1 to {_MOST_ALERTS}")
    _require(_is_whole(seed) and 0 <= seed < 2**63, f"seed {seed}; use a whole number of at least 0")
    _require(_is_whole(nights) and 1 <= nights <= _MOST_NIGHTS, f"{nights} nights; use 1 to {_MOST_NIGHTS}")
    _require(version in versions, f"no {survey} packet schema {version}; use one of {', '.join(versions)}")
    _require(layout in ("archive", "files"), f"no layout '{layout}'; use archive or files")
    _require(_is_night(night), f"night '{night}'; write it as YYYYMMDD, from 2018 to 2040")
    return SimulationRecipe(survey, n_alerts, seed, night, nights, version, layout, _fair(shares))


def _fair(shares: Mapping[str, float] | None) -> dict[str, float]:
    """The shares, adding up to one, without classes that do not occur."""
    if shares is None:
        return dict(SHARES)
    unknown = sorted(set(shares) - set(SHARES))
    _require(not unknown, f"no class '{', '.join(unknown)}'; use {', '.join(SHARES)}")
    _require(all(isfinite(s) and s >= 0 for s in shares.values()), "a share is negative or infinite")
    total = sum(shares.values())
    _require(total > 0, "no class has a share; give one more than 0")
    return {name: share / total for name, share in shares.items() if share > 0}


def _require(fine: bool, wrong: str) -> None:
    if not fine:
        raise UsageError(f"cannot simulate: {wrong}")


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_night(night: str) -> bool:
    try:
        return len(night) == 8 and 2018 <= dt.datetime.strptime(night, "%Y%m%d").year <= 2040
    except ValueError:
        return False
