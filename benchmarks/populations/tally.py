"""How often the rules are right: counts with 95 % intervals, per object and per alert."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.stats import binomtest

from redpoll.crossmatch.known_columns import known_columns
from redpoll.learn.context_columns import without_catalogues
from redpoll.learn.replay import Labelled
from redpoll.plugin.discovery import installed_modules
from redpoll.plugin.graph import Graph
from redpoll.schema.alert import COLUMNS

_VARIABLE = ("rr_lyrae", "eclipsing_binary", "long_period_variable")
RULES: dict[str, tuple[tuple[str, ...], str | None]] = {
    "is_kilonova_candidate": (("kilonova",), "kilonova_fade"),
    "is_fast_transient": (("kilonova",), "mag_rate_lower"),
    "is_orphan_afterglow": (("orphan_afterglow",), "afterglow_decay"),
    "is_tde_candidate": (("tde",), "rainbow_temperature"),
    "is_slsn_candidate": (("slsn",), "shape_rise_time"),
    "is_pair_instability_candidate": (("pisn",), "shape_rise_time"),
    "is_agn_candidate": (("agn",), "drw_tau"),
    "is_microlensing_candidate": (("microlensing",), "mulens_impact"),
    "is_periodic": (_VARIABLE, "period"),
    "is_dwarf_nova": (("cataclysmic_variable",), "outburst_rise"),
    "is_flare": (("m_dwarf_flare",), "flare_ratio"),
    "is_dipper": (("dipper",), "dipper_depth"),
    "is_young_star": (("young_star", "young_dipper"), "spicy_class"),
    "is_artefact": (("bogus",), "cutout_snr"),
    "is_satellite_glint": (("satellite_glint",), "cutout_elongation"),
    "is_solar_system_known": (("asteroid",), "sso_name"),
    "is_solar_system_candidate": (("asteroid",), None),
    "is_interstellar": ((), "sso_name"),
    "is_blazar_low": ((), "blazar_flux_ratio_low"),
    "is_blazar_high": ((), "blazar_flux_ratio_high"),
}
"""Per flag that assigns a class: the true classes that it means, and the column that it cannot do without."""


@dataclass(frozen=True)
class Answers:
    """Answers of the rules for alerts of known class: one entry an alert in `kind`, `unit` and in each array."""

    kind: NDArray[np.str_]
    unit: NDArray[np.str_]
    is_selected: dict[str, NDArray[np.bool_]]
    has_inputs: dict[str, NDArray[np.bool_]]

    def __len__(self) -> int:
        return len(self.kind)


def answers(batches: Iterable[Labelled]) -> Answers:
    """The rules' answers for batches, each with the true class and the object of its alerts."""
    parts = []
    for batch, kind, unit in scored(batches):
        selected = {f: batch[f].fill_null(False).to_numpy(zero_copy_only=False) for f in RULES}
        complete = {f: _is_known(batch, column) for f, (_, column) in RULES.items()}
        parts.append((kind, unit, selected, complete))
    kinds, units, selected, complete = zip(*parts, strict=True)
    joined = ({f: np.concatenate([p[f] for p in each]) for f in RULES} for each in (selected, complete))
    return Answers(np.concatenate(kinds), np.concatenate(units), *joined)


def scored(batches: Iterable[Labelled]) -> Iterator[Labelled]:
    """The batches with the columns of every installed module."""
    modules = installed_modules()
    flags = [n for m in modules for n, c in m.outputs.items() if c.assigns and pa.types.is_boolean(c.arrow_type)]
    if missing := set(flags) ^ set(RULES):
        raise KeyError(f"RULES does not fit the outputs of the modules: {sorted(missing)}")
    graph = Graph.build(modules, [], columns={**COLUMNS, **known_columns()})
    for batch, kind, unit in batches:
        run = graph.run(without_catalogues(batch))
        if run.failures:
            raise RuntimeError(str(run.failures))
        yield run.batch, kind, unit


def _is_known(batch: pa.RecordBatch, name: str | None) -> NDArray[np.bool_]:
    if name is None:
        return np.ones(batch.num_rows, bool)
    return np.asarray(batch[name].is_valid().to_numpy(zero_copy_only=False))


def print_table(title: str, a: Answers) -> None:
    """Recall of each rule per object and per alert, among the alerts with its inputs, and false positives.

    Rules that mean none of the classes and are never wrong share the last line.
    """
    print(f"{title}: {len(a)} alerts of {len(set(a.unit.tolist()))} objects ({', '.join(_census(a))})\n")
    heads = ("objects found", "alerts found", "of alerts with inputs", "false positives")
    print(f"{'':30}" + "".join(head.rjust(28) for head in heads) + "  of which")
    n_silent = 0
    for flag, (classes, _) in RULES.items():
        meant, selected, complete = np.isin(a.kind, classes), a.is_selected[flag], a.has_inputs[flag]
        wrong = selected & ~meant
        if not meant.any() and not wrong.any():
            n_silent += 1
            continue
        found = len(set(a.unit[selected & meant].tolist())), len(set(a.unit[meant].tolist()))
        counts = (found, *((int(x.sum()), int(y.sum())) for x, y in (
            (selected & meant, meant), (selected & meant & complete, meant & complete), (wrong, ~meant))))  # fmt: skip
        print(f"{flag:30}" + "".join(cell(k, n).rjust(28) for k, n in counts) + f"  {_names(a.kind[wrong])}".rstrip())
    print(f"the other {n_silent} rules select nothing: 0/{len(a)} {interval(0, len(a))}\n")


def _census(a: Answers) -> Iterator[str]:
    for name in sorted(set(a.kind.tolist())):
        mine = a.kind == name
        yield f"{name} {mine.sum()} of {len(set(a.unit[mine].tolist()))}"


def cell(k: int, n: int) -> str:
    """A count and its interval.

    >>> cell(0, 30)
    '0/30 0..12 %'
    """
    return f"{k}/{n} {interval(k, n)}" if n else "-"


def bounds(k: int, n: int) -> tuple[float, float]:
    """95 % interval of Clopper and Pearson of the fraction k of n.

    >>> [round(limit, 3) for limit in bounds(0, 30)]
    [0.0, 0.116]
    """
    found = binomtest(k, n).proportion_ci(method="exact")
    return float(found.low), float(found.high)


def interval(k: int, n: int) -> str:
    """Clopper-Pearson interval of k of n [%].

    >>> interval(0, 30)
    '0..12 %'
    """
    low, high = bounds(k, n)
    digits = 2 if high < 0.01 else 1 if high < 0.1 else 0
    return f"{100 * low:.{digits}f}..{100 * high:.{digits}f} %"


def _names(kinds: NDArray[np.str_]) -> str:
    return ", ".join(f"{name} {count}" for name, count in zip(*np.unique(kinds, return_counts=True), strict=True))
