"""The picture of each module, filter and catalogue: a simulated alert, and what was answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from redpoll.catalogs.recipe import Recipe
from redpoll.crossmatch.context import Missing
from redpoll.plugin.contract import AlertFilter, ScienceModule
from redpoll.plugin.expression_filter import ExpressionFilter
from redpoll.schema.column import Column
from redpoll.schema.taxonomy import taxonomy
from redpoll_reference.links import catalogues
from redpoll_reference.markdown import directive, table
from redpoll_reference.pictures import light_curve_svg
from redpoll_reference.plugins import FILTERS, MODULES, own
from redpoll_reference.sample import Alert, sample

Node = ScienceModule | AlertFilter | ExpressionFilter
FOLDER = "pictures"
TYPICAL = {
    "ctao_blazars": "agn", "ebv": "sn_ia", "fermi_4lac": "agn", "fermi_4lac_low": "agn",
    "gaia": "long_period_variable", "gaia_variability": "rr_lyrae", "gcvs": "eclipsing_binary", "glade": "sn_ia",
    "hosts": "sn_ia", "hsp": "agn", "hyperleda": "sn_ii", "mangrove": "sn_ii", "milliquas": "agn", "ned": "sn_ia",
    "simbad": "agn", "spicy": "long_period_variable", "symbiotic_cv": "cataclysmic_variable", "tns": "sn_ia",
    "vsx": "rr_lyrae",
}  # fmt: skip
"""Typical class of alerts that match a catalogue, by the simulator's name; others: any class of their columns."""
MAX_VALUES = 12


@dataclass(frozen=True)
class Picture:
    """A file, what it shows, and what stands below it."""

    file: str
    svg: str
    alt: str
    caption: str

    def figure(self) -> str:
        """The figure as Markdown."""
        return directive("figure", f":alt: {self.alt}\n:width: 100%\n\n{self.caption}", f"{FOLDER}/{self.file}")


def every() -> Iterator[Picture]:
    """All pictures."""
    for entry in (*own(MODULES), *own(FILTERS)):
        yield of_node(entry.load())
    for catalogue in catalogues():
        yield of_catalogue(catalogue)


def of_node(node: Node) -> Picture:
    """The picture of a module or a filter."""
    alert, is_answered = _example(node)
    kind = "module" if node.is_module else "filter"
    return _picture(f"{kind}_{node.name}", alert, _caption(node, alert, is_answered))


def of_catalogue(catalogue: Recipe | Missing) -> Picture:
    """The picture of a catalogue: none is installed while the pages are made, so that there are no values."""
    wanted = TYPICAL.get(catalogue.name)
    classes = frozenset([wanted] if wanted else _classes(catalogue.columns))
    alert, _ = sample().example(catalogue.name, {}, classes)
    caption = f"Typical alert at the position of a match. Simulated: {alert.title}."
    return _picture(f"catalogue_{catalogue.name}", alert, caption)


def values(node: Node) -> str:
    """Values of the module for the alert of its picture, as a table; empty if there are none."""
    alert, is_answered = _example(node)
    known = {name: alert.row[name] for name in node.outputs if alert.row[name] is not None}
    if not is_answered:
        return ""
    shown = list(known.items())[:MAX_VALUES]
    text = table(["column", "value"], [[f"`{name}`", _with_unit(value, node.outputs[name])] for name, value in shown])
    more = len(known) - len(shown)
    return f"{text}\n\nAnd {more} more." if more else text


def _example(node: Node) -> tuple[Alert, bool]:
    return sample().example(node.name, node.outputs, frozenset(_classes(node.outputs)))


def _classes(outputs: Mapping[str, Column]) -> Iterator[str]:
    """Classes that columns assign, directly or by the words of a vocabulary."""
    for column in outputs.values():
        if column.assigns and column.assigns.startswith("@"):
            yield from (c.name for c in taxonomy().classes.values() if column.assigns[1:] in c.words)
        elif column.assigns:
            yield column.assigns


def _picture(stem: str, alert: Alert, caption: str) -> Picture:
    alt = f"Light curve of a simulated alert: {alert.title}. {alert.curve.summary()}"
    return Picture(
        f"{stem}.svg", light_curve_svg(alert.curve, f"{stem.partition('_')[2]}: {alert.title}"), alt, caption
    )


def _caption(node: Node, alert: Alert, is_answered: bool) -> str:
    verb, n = "has values for" if node.is_module else "passes", len(sample().answers.get(node.name, ()))
    text = f"Simulated: {alert.title}. It {verb} {n or 'none'} of {len(sample().alerts)} simulated alerts."
    return text if is_answered else f"{text} {_why_not(node)}"


def _why_not(node: Node) -> str:
    if node.model:
        return f"It needs the trained model `{node.model}`."
    if needed := sorted({sample().absent[name] for name in node.reads if name in sample().absent}):
        return f"It reads catalogues that were not installed when this page was built: {', '.join(needed)}."
    return "None of them meets its conditions."


def _with_unit(value: Any, column: Column) -> str:
    if isinstance(value, float):
        value = f"{value:.4g}"
    return f"{value} {column.unit}".strip()
