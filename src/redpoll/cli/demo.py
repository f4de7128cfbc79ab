"""``redpoll demo``: the main job, on simulated alerts: a night in, ledger and candidates out, portal served."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from redpoll.cli.options import config_option, verbose_option
from redpoll.cli.output import print_rows
from redpoll.cli.run import run_with_progress, show
from redpoll.cli.serve import serve_anywhere, serve_until_interrupted
from redpoll.cli.simulate import simulate_with_progress
from redpoll.config import Config
from redpoll.pipeline.warm import compiling_ahead
from redpoll.simulate.instrument import INSTRUMENTS
from redpoll.store import Selection, open_store

_HEADINGS = {
    "object_id": "object",
    "mjd": "MJD",
    "band": "band",
    "mag": "mag",
    "real_bogus": "real-bogus",
    "topics": "filters",
}


@click.command(epilog="Example: redpoll demo --no-serve")
@click.option("--survey", type=click.Choice(list(INSTRUMENTS)), default="ztf", show_default=True, help="Whose alerts.")
@click.option("--alerts", type=click.IntRange(min=1), default=1000, show_default=True, help="How many a night.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the night.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("redpoll-demo"),
              show_default=True, help="Folder for the packets and the store.")  # fmt: skip
@click.option("--serve/--no-serve", default=True, show_default=True, help="Serve the portal at the end.")
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on.")
@config_option
@verbose_option
def command(survey: str, alerts: int, seed: int, out: Path, serve: bool, host: str | None, port: int | None,
            config: Config) -> None:  # fmt: skip
    """Simulate a night, run it, show ledger and candidates, and serve the portal until Ctrl-C."""
    night, store = out / f"{survey}-{alerts}-{seed}", out / "store"
    if not (night / "simulation.json").exists():  # written last: a night that was cut short is made anew
        with compiling_ahead(config):
            simulate_with_progress(night, survey=survey, n_alerts=alerts, seed=seed, workers=1)  # the others compile
            click.echo("The first time, the modules are compiled: half a minute.", err=True)
    click.echo(f"Packets: {night}   Store: {store}")
    show(run_with_progress([str(night)], store, _in_this_process(config)))
    with open_store(store) as opened:
        candidates = [
            row
            for topic in opened.ledger.topics()
            for row in opened.alerts.scan(None, Selection(topic=topic), limit=3).to_rows()
        ]
    candidates = [row | {"real_bogus": _real_bogus(row)} for row in candidates]
    print_rows(_distinct(candidates), _HEADINGS, title="Latest candidates of each filter", none="No candidates.")
    if serve:
        where = host or config.serve.host
        if port is None:
            serve_anywhere(store, where, config.serve.port)
        else:
            serve_until_interrupted(store, where, port)


def _in_this_process(config: Config) -> Config:
    """Without worker processes unless they are asked for: a small night is over before they have started."""
    return config if config.run.workers is not None else replace(config, run=replace(config.run, workers=0))


def _real_bogus(row: dict[str, object]) -> object:
    """The score that the portal shows: of the survey's neural network where it sends one, else of its classifier."""
    deep = row.get("deep_real_bogus")
    return row.get("real_bogus") if deep is None else deep


def _distinct(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    unique = {row["alert_id"]: row for row in rows}
    return sorted(unique.values(), key=lambda row: str(row["mjd"]), reverse=True)
