"""The card of a model, and what was found on labelled alerts, as one HTML page without anything from outside."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

_SIZE = 220


def report_page(card: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """An HTML page of a model and its figures, with a reliability curve of each class and the confusion matrix.

    Parameters
    ----------
    card
        The content of the card.
    found
        What `redpoll.learn.judging.judged` returned, or the same from the card.
    """
    classes = {
        name: each | {"points": _points(each["reliability"]), "by": {k: _in_order(v) for k, v in each["by"].items()}}
        for name, each in found["classes"].items()
    }
    free = {k: v for k, v in card.items() if k not in ("name", "version", "features", "classes", "judged")}
    page: str = _template().render(card=card, free=free, found=found, classes=classes, size=_SIZE)
    return page


def _in_order(parts: Mapping[str, Any]) -> dict[str, Any]:
    """The bins of a column by their lower edge: the file of a card has them by name, where 15 comes before 5."""
    return dict(sorted(parts.items(), key=lambda part: float(part[0].partition(" ")[0])))


def _points(bins: list[dict[str, float]]) -> list[tuple[float, float, float]]:
    """Place of each bin on the plot and radius of its mark, larger for more objects."""
    most = max((each["objects"] for each in bins), default=1.0)
    return [
        (each["p"] * _SIZE, _SIZE - each["frequency"] * _SIZE, 2.0 + 5.0 * (each["objects"] / most) ** 0.5)
        for each in bins
    ]


@lru_cache(maxsize=1)
def _template() -> Any:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("redpoll.learn"), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("report.html")
