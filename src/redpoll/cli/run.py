"""``redpoll run``: packets in, alerts in the store."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click

from redpoll.cli.options import (
    catalogs_option,
    config_option,
    json_option,
    store_of,
    store_option,
    verbose_option,
    with_catalogs,
)
from redpoll.cli.output import print_json, print_rows, progress
from redpoll.config import Config
from redpoll.ingest.files import open_sources
from redpoll.ingest.metered import Metered, total_bytes
from redpoll.log import plain_text
from redpoll.pipeline.block_result import SINK_FAILURE
from redpoll.pipeline.report import RunReport
from redpoll.pipeline.run import run_night
from redpoll.quality.duplicates import ALREADY_STORED
from redpoll.schema.names import CUT


@click.command(epilog="Example: redpoll run night.tar.gz more-packets/ --store my-store")
@click.argument("inputs", nargs=-1, required=True)
@click.option("--workers", type=click.IntRange(min=0), help="Worker processes; 0 works in this process.")
@click.option(
    "--batch-size",
    type=click.IntRange(min=1),
    help="Maximum number of packets a batch, of 64 MB at most.  [default: 2000]",
)
@store_option
@catalogs_option
@config_option
@json_option
@verbose_option
def command(
    inputs: tuple[str, ...],
    workers: int | None,
    batch_size: int | None,
    store: Path | None,
    catalogs: Path | None,
    config: Config,
    as_json: bool,
) -> None:
    """Process every packet in INPUTS and store the alerts.

    INPUTS are files, folders, globs or URIs of a source plugin: Avro packets, nightly archives, Confluent-framed
    messages, Parquet copies; their format is recognised from the bytes. A stream is processed as it comes, until
    Ctrl-C, which finishes the batches at work. Running the same packets again stores nothing new.

    Exit code: 0 done; 1 a source, module or worker failed, or a sink is parked; 130 or 143 interrupted, with input
    left. A parked sink's messages wait in the store's folder and are sent when it is back.
    """
    run = replace(config.run, workers=workers if workers is not None else config.run.workers,
                  batch_size=batch_size or config.run.batch_size)  # fmt: skip
    config = with_catalogs(replace(config, run=run), catalogs)
    report = run_with_progress(inputs, store_of(store, config), config)
    if as_json:
        print_json(report.as_dict())
    else:
        show(report)
    if is_unreadable := report.received > 0 and report.dead_letters == report.received:
        click.echo("no packet could be used: `redpoll dead-letters list` shows why", err=True)
    sys.exit(report.exit_code or int(is_unreadable))


def run_with_progress(inputs: Sequence[str], store: Path, config: Config) -> RunReport:
    """Run with a progress bar on stderr."""
    sources = [Metered(source) for source in open_sources(inputs)]
    with _watched(sources):
        return run_night(sources, store, config, command=f"run {' '.join(map(str, inputs))}")


@contextmanager
def _watched(sources: Sequence[Metered]) -> Iterator[None]:
    """A bar that looks at the sources' counts four times a second."""
    done = threading.Event()
    total = total_bytes(list(sources))
    with progress("reading", in_bytes=True) as advance:

        def watch() -> None:
            while not done.wait(0.25):
                n = sum(source.n_packets for source in sources)
                advance(sum(source.n_read for source in sources), total, f"{n:,} packets")

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


def show(report: RunReport) -> None:
    """The report as tables."""
    rate = report.received / report.elapsed if report.elapsed else 0.0
    click.echo(
        f"Run {report.run} {report.status}: {report.received:,} packets in {report.elapsed:.1f} s, {rate:,.0f}/s"
    )
    row = {
        name: getattr(report, name)
        for name in ("received", "stored", "duplicate", "rejected", "dead_letters", "reasons")
    }
    headings = {"received": "received", "stored": "= stored", "duplicate": "+ duplicate", "rejected": "+ rejected",
                "reasons": "reasons", "dead_letters": "dead letters"}  # fmt: skip
    print_rows([row], headings, title="Ledger of this run", none="")
    topics = [{"topic": topic, "n": n} for topic, n in report.topics.most_common()]
    none = _no_topics(report)
    if topics or none:
        print_rows(topics, {"topic": "filter", "n": "alerts"}, title="Alerts per filter", none=none)
    for word, n in report.unknown_words.most_common(10):
        click.echo(f"no class of the taxonomy: {word}, in {n} alerts", err=True)
    if any(reason.startswith(CUT) for reason in report.reasons):
        click.echo(
            "A cut rejected alerts: `redpoll why --rejected` lists them with the cut and the value of each", err=True
        )
    if report.missing:
        click.echo(f"Catalogues not installed (their columns are null): {', '.join(report.missing)}; "
                   "see `redpoll catalog list`", err=True)  # fmt: skip
    if report.without_model:
        click.echo(f"Modules without a trained model (their columns are null): {', '.join(report.without_model)}; "
                   "see `redpoll models list`", err=True)  # fmt: skip
    for name, n in report.failures.items():
        lost = "some alerts were not sent" if name.startswith(SINK_FAILURE) else "its columns are null there"
        click.echo(f"{plain_text(name)} failed in {n} batches; {lost} (see the log above)", err=True)
    for name, why in report.unusable_models.items():
        click.echo(f"model {name} cannot be used: {plain_text(why)}", err=True)
    for name, n in report.parked.items():
        click.echo(
            f"sink {name} is parked: {n:,} messages wait in the store's spool and are sent by the next run", err=True
        )
    for folder in report.left_spools:
        click.echo(f"{plain_text(folder)} has messages of a sink that is not configured: name the sink again and the "
                   "next run sends them, or remove the folder", err=True)  # fmt: skip
    if report.worker_deaths:
        click.echo(f"{report.worker_deaths} worker processes died (see the log above)", err=True)
    if not report.is_complete:
        click.echo(
            f"{report.read:,} packets were read, {report.received:,} accounted for; run the input again", err=True
        )
    for error in report.source_errors:
        click.echo(f"not read to its end: {error}", err=True)


def _no_topics(report: RunReport) -> str:
    """Why there is no table of topics; empty if there was no alert that a filter could pass."""
    if report.stored:
        return "No filter passed an alert."
    if not (n := report.reasons[ALREADY_STORED]):
        return ""
    what = "all packets" if n == report.received else f"{n:,} packets"
    return f"No alert is new: {what} were stored already; `redpoll reprocess` runs new filters over stored alerts."
