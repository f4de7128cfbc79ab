"""``redpoll reprocess``: new modules, filters, catalogues and sky maps over alerts that are stored already."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from redpoll.cli.options import (
    catalogs_option,
    config_option,
    json_option,
    selection_options,
    store_of,
    store_option,
    verbose_option,
    with_catalogs,
)
from redpoll.cli.output import print_json, print_rows, progress
from redpoll.client.selection import plain_errors, select
from redpoll.config import Config
from redpoll.errors import PluginError, UsageError
from redpoll.log import plain_text
from redpoll.pipeline.reprocess import PreparedReprocessing, former_job, n_selected, prepare, reprocess
from redpoll.pipeline.reprocess_plan import Wanted
from redpoll.pipeline.reprocess_report import ReprocessReport
from redpoll.plugin.expression_filter import expression_filter
from redpoll.plugin.files import NOTHING, Loaded, load_file
from redpoll.schema.names import valid_name
from redpoll.store import Selection, open_store

_ASSIGNED = re.compile(r"\s*(\w+)\s*=(?!=)(.*)", re.DOTALL)


@click.command(
    epilog="Example: redpoll reprocess --filter 'very_bright = mag < 16' --where 'mag < 17' --store my-store"
)
@click.option("--where", metavar="EXPR", help='Alerts for which an expression holds, such as "mag < 18".')
@selection_options
@click.option("--module", "modules", multiple=True, metavar="NAME|FILE", help="A science module, or those in a file.")
@click.option("--filter", "filters", multiple=True, metavar="NAME|FILE|TOPIC=EXPR",
              help="A filter, those in a file, or one in a line.")  # fmt: skip
@click.option("--catalog", "catalogs_", multiple=True, metavar="NAME",
              help="A catalogue, watchlist or region of the configuration, hosts or ebv.")  # fmt: skip
@click.option("--skymap", "sky_maps", multiple=True, metavar="NAME|FILE|NAME=FILE",
              help="A sky map of the configuration, or in a file.")  # fmt: skip
@click.option("--workers", type=click.IntRange(min=0), help="Worker processes; 0 works in this process.")
@click.option("--batch-size", type=click.IntRange(min=1), help="Alerts a batch, which is committed at once.")
@click.option("--dry-run", is_flag=True, help="Show what would run, and write nothing.")
@click.option("--again", is_flag=True, help="Begin anew if the same was done before.")
@store_option
@catalogs_option
@config_option
@json_option
@verbose_option
def command(
    where: str | None,
    modules: tuple[str, ...],
    filters: tuple[str, ...],
    catalogs_: tuple[str, ...],
    sky_maps: tuple[str, ...],
    workers: int | None,
    batch_size: int | None,
    dry_run: bool,
    again: bool,
    store: Path | None,
    catalogs: Path | None,
    config: Config,
    as_json: bool,
    **conditions: Any,
) -> None:
    """Compute values of stored alerts with modules, filters, catalogues and sky maps that are new or have changed.

    Each of --module, --filter, --catalog and --skymap may be repeated; what depends on the columns that they make runs
    too. With none of them, everything in the configuration runs. The conditions select the alerts, by default all.

    New values replace those before, which are kept: `redpoll why ID` shows them. Nothing is sent to sinks, and no
    quality cut is applied. Give the same command again to go on after an interruption.

    Exit code: 0 done; 1 a module, filter or catalogue failed; 130 or 143 interrupted, with alerts left.
    """
    path = store_of(store, config)
    run = replace(config.run, workers=workers if workers is not None else config.run.workers,
                  batch_size=batch_size or config.run.batch_size)  # fmt: skip
    config = with_catalogs(replace(config, run=run), catalogs)
    maps = dict(_sky_map(word, config.crossmatch.sky_maps) for word in sky_maps)
    config = replace(config, crossmatch=replace(config.crossmatch, sky_maps={**config.crossmatch.sky_maps, **maps}))
    wanted = _wanted(modules, filters, (*catalogs_, *maps))
    selection = _selection(path, where, conditions)
    if dry_run:
        _show_plan(path, selection, prepare(path, config, wanted, selection), as_json=as_json)
        return
    report = _with_progress(path, config, wanted, selection, again=again)
    if as_json:
        print_json(report.as_dict())
    else:
        show(report)
    sys.exit(report.exit_code)


def _wanted(modules: Sequence[str], filters: Sequence[str], contexts: Sequence[str]) -> Wanted:
    """Modules and filters selected by the options; a file named by two options counts once."""
    found = [*((_module(word), "module") for word in modules), *((_filter(word), "filter") for word in filters)]
    own_modules = {node.name: node for (_, loaded), _ in found for node in loaded.modules}
    own_filters = {node.name: node for (_, loaded), _ in found for node in loaded.filters}
    names = {kind: tuple(name for (names, _), other in found if other == kind for name in names)
             for kind in ("module", "filter")}  # fmt: skip
    own = Loaded(list(own_modules.values()), list(own_filters.values()))
    return Wanted(names["module"], names["filter"], tuple(contexts), own)


def _module(word: str) -> tuple[Sequence[str], Loaded]:
    """The names of the modules that one --module names, and what its file defines."""
    if not _is_file(word):
        return [word], NOTHING
    loaded = load_file(word)
    if not loaded.modules:
        raise UsageError(f"--module: {word} has no science module; its filters are named by --filter {word}")
    return [node.name for node in loaded.modules], loaded


def _filter(word: str) -> tuple[Sequence[str], Loaded]:
    """The topics that one --filter names, and what its file or expression defines."""
    if (match := _ASSIGNED.fullmatch(word)) is not None:
        return [match[1]], Loaded((), [expression_filter(match[1], match[2])])
    if not _is_file(word):
        if not word.isidentifier():
            raise UsageError(f"--filter: '{word}' is no topic; write an expression as TOPIC=EXPR, bright=\"mag < 18\"")
        return [word], NOTHING
    loaded = load_file(word)
    if not loaded.filters:
        raise UsageError(f"--filter: {word} has no filter; its modules are named by --module {word}")
    return [node.name for node in loaded.filters], loaded


def _is_file(word: str) -> bool:
    return word.endswith(".py") or "/" in word


def _sky_map(word: str, configured: Mapping[str, str]) -> tuple[str, str]:
    """Name and file of a sky map; the name of a file without one is the beginning of the file's name.

    >>> _sky_map("maps/S190814bv.multiorder.fits", {})
    ('s190814bv', 'maps/S190814bv.multiorder.fits')
    """
    if word in configured:
        return word, configured[word]
    match = _ASSIGNED.fullmatch(word)
    name, file = (match[1], match[2].strip()) if match else (Path(word).name.split(".")[0].lower(), word)
    if not match and name == word:
        known = ", ".join(configured) or "none"
        raise UsageError(f"--skymap: the configuration has no sky map '{word}'; it has {known}; or name a file")
    try:
        return valid_name(name, "a sky map's name"), file
    except PluginError as error:
        raise UsageError(f"--skymap: {error}; name it: --skymap NAME={file}") from error


def _selection(path: Path, where: str | None, conditions: Mapping[str, Any]) -> Selection:
    """The selected alerts; UsageError if a condition does not fit the store."""
    with open_store(path) as store, plain_errors():
        selection = select(store, where=where, **conditions)
        store.alerts.scan(["alert_id"], selection, limit=0)
        return selection


def _with_progress(path: Path, config: Config, wanted: Wanted, selection: Selection, *, again: bool) -> ReprocessReport:
    words = " ".join(map(plain_text, sys.argv[1:])) or "reprocess"
    total = _known_total(path, selection)
    with progress("reprocessing") as advance:
        return reprocess(path, config, wanted, selection, command=words, again=again, watch=lambda n: advance(n, total))


def _known_total(path: Path, selection: Selection) -> int | None:
    """Number of selected alerts, if the ledger gives it; else None."""
    plain = Selection(night=selection.night, survey=selection.survey)
    if selection != plain:
        return None
    with open_store(path) as store:
        rows = store.ledger.table().to_pylist()
    return sum(
        int(row["stored"]) for row in rows
        if selection.night in (None, row["night"]) and selection.survey in (None, row["survey"])
    )  # fmt: skip


def _show_plan(path: Path, selection: Selection, prepared: PreparedReprocessing, *, as_json: bool) -> None:
    with open_store(path) as store:
        n, former = n_selected(store, selection), former_job(store, prepared.job)
    plan = prepared.plan
    nodes = [{"kind": node.kind, "by": node.by, "why": node.why, "columns": list(node.outputs)} for node in plan.nodes]
    if as_json:
        print_json({"alerts": n, "nodes": nodes, "left_out": dict(plan.left_out), "before": former})
        return
    print_rows(nodes, {"kind": "kind", "by": "runs", "why": "why", "columns": "columns"}, none="Nothing would run.")
    _show_left_out(plan.left_out)
    click.echo(f"{n:,} alerts would be reprocessed")
    if former is not None:
        click.echo(f"This was begun before: {former['status']}, {former['n_alerts']:,} alerts, {former['updated']}")


def show(report: ReprocessReport) -> None:
    """The report as tables."""
    if report.status == "nothing selected":
        click.echo("No stored alert fulfils the conditions; nothing was done.", err=True)
        return
    if report.status == "done before":
        click.echo(f"This was done before, until {report.finished}; --again does it again.", err=True)
        return
    rate = report.alerts / report.elapsed if report.elapsed else 0.0
    went_on = f", after {report.before:,} before" if report.is_resumed else ""
    click.echo(
        f"Reprocessing {report.status}: {report.alerts:,} alerts in {report.elapsed:.1f} s, {rate:,.0f}/s{went_on}"
    )
    changed = [{"column": name, "n": n} for name, n in sorted(report.changed.items())]
    print_rows(changed, {"column": "column", "n": "alerts"}, title="Values that changed", none="No value changed.")
    for what, gained, lost in (
        ("filter", report.topics_gained, report.topics_lost), ("class", report.classes_gained, report.classes_lost)
    ):  # fmt: skip
        rows = [{"name": name, "gained": gained[name], "lost": lost[name]} for name in sorted({*gained, *lost})]
        title = "Alerts per filter" if what == "filter" else "Alerts per class"
        print_rows(rows, {"name": what, "gained": "gained", "lost": "lost"}, title=title,
                   none=f"No alert gained or lost a {what}.")  # fmt: skip
    _show_faults(report)


def _show_faults(report: ReprocessReport) -> None:
    _show_left_out(report.left_out)
    for name, n in report.lost.items():
        why = plain_text(report.reasons.get(name, "its model cannot be used"))
        click.echo(f"{name} failed on {n:,} alerts: {why}", err=True)
    for name, n in report.kept.items():
        click.echo(f"the values before of {name} were kept for {n:,} alerts", err=True)
    for name, n in report.unknown.items():
        click.echo(f"{n:,} alerts were left as they are: their {name} is unknown; name its module too", err=True)
    for model, why in report.unusable_models.items():
        click.echo(f"model {model} cannot be used: {plain_text(why)}", err=True)
    for word, n in report.unknown_words.most_common(10):
        click.echo(f"no class of the taxonomy: {plain_text(word)}, for {n:,} alerts", err=True)
    if report.died:
        click.echo(
            f"a worker died on {len(report.died):,} alerts, first {report.died[0]} (see the log above)", err=True
        )
    if report.status == "interrupted":
        click.echo("Give the same command again to go on.", err=True)


def _show_left_out(left_out: Mapping[str, str]) -> None:
    if left_out:
        names = ", ".join(left_out)
        click.echo(
            f"Not run, their stored values stay: {names}; see `redpoll catalog list`, `redpoll models`", err=True
        )
