"""Source of simulated packets, without files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl, urlsplit

from redpoll.errors import SourceError, UsageError
from redpoll.plugin.polling import FiniteSource
from redpoll.plugin.ports import FilePosition, ReceivedPacket
from redpoll.simulate.night import draw_night
from redpoll.simulate.recipe import SimulationRecipe, make_recipe
from redpoll.simulate.surveys import HABITS

_KNOWN = ("alerts", "seed", "night", "nights", "schema_version", "fractions")


class SimulatedSource(FiniteSource):
    """Packets of a recipe, made on demand; the same recipe gives the same bytes."""

    def __init__(self, name: str, recipe: SimulationRecipe) -> None:
        super().__init__(name)
        self.recipe = recipe

    def _read(self) -> Iterator[ReceivedPacket]:
        setting, _, _, segments = draw_night(self.recipe)
        for segment in segments:
            for alert_id, _, data in HABITS[self.recipe.survey].packets(setting, segment):
                yield ReceivedPacket(data, FilePosition(self.name, f"alert {alert_id}"))


def simulated_source(uri: str) -> SimulatedSource:
    """Source of a URI such as ``simulate://rubin?alerts=100&seed=3``, registered for the scheme `simulate`.

    Its parameters are alerts (1000), seed (1), night, nights and schema_version, with the defaults of
    `simulate_night`, and fractions of classes among the alerts, such as ``fractions=sn_ia:0.2,agn:0.8``.

    Raises
    ------
    SourceError
        If the URI is invalid; the message names valid values.

    Examples
    --------
    >>> from redpoll.plugin.polling import all_packets
    >>> len(list(all_packets(simulated_source("simulate://ztf?alerts=3"))))
    3
    """
    parts = urlsplit(uri)
    wanted = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := sorted(set(wanted) - set(_KNOWN)):
        raise SourceError(f"{uri}: unknown {', '.join(unknown)}; known: {', '.join(_KNOWN)}")
    alerts, seed, nights = (_whole(uri, wanted, name, default) for name, default in _DEFAULTS.items())
    try:
        night, version, fractions = wanted.get("night"), wanted.get("schema_version"), parse_fractions(wanted)
        recipe = make_recipe(parts.netloc, alerts, seed, night, nights, version, "files", fractions)
    except UsageError as error:
        raise SourceError(f"{uri}: {error}") from error
    return SimulatedSource(uri, recipe)


def parse_fractions(wanted: Mapping[str, str]) -> dict[str, float] | None:
    """Fractions by class, of the parameter ``fractions``; None without it.

    >>> parse_fractions({"fractions": "sn_ia:0.2,agn:0.8"})
    {'sn_ia': 0.2, 'agn': 0.8}
    """
    if "fractions" not in wanted:
        return None
    words = [word.partition(":") for word in wanted["fractions"].split(",")]
    try:
        found = {name.strip(): float(number) for name, _, number in words}
    except ValueError:
        raise UsageError("fractions: write them as CLASS:NUMBER,CLASS:NUMBER") from None
    if len(found) < len(words):
        raise UsageError("fractions: a class occurs twice")
    return found


_DEFAULTS = {"alerts": 1000, "seed": 1, "nights": 1}


def _whole(uri: str, wanted: dict[str, str], name: str, default: int) -> int:
    text = wanted.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise SourceError(f"{uri}: {name}: expected a whole number, got '{text[:40]}'")
    return int(text)
