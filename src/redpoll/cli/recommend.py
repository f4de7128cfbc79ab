"""``redpoll recommend``: what the telescopes should observe tonight."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from redpoll import client
from redpoll.astro.time import is_date
from redpoll.cli.options import config_option, json_option, selection_options, store_of, store_option, verbose_option
from redpoll.cli.output import print_json, print_rows
from redpoll.cli.query import write_files
from redpoll.config import Config
from redpoll.errors import UsageError

if TYPE_CHECKING:
    from redpoll.learn.followup.candidates import Candidates
    from redpoll.learn.followup.plan import Plan
    from redpoll.learn.followup.telescope import Telescope

_HEADINGS = {
    "telescope": "telescope", "start": "start (UTC)", "object_id": "object", "mag": "mag", "utility": "utility",
    "exposures": "exposures [s]", "minutes": "minutes", "max_airmass": "airmass", "moon_distance": "moon [deg]",
}  # fmt: skip
_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
_FIRST, _LAST = 19900101, 20991231


def _night(_: Any, __: Any, value: int | None) -> int:
    """The date of this evening in UTC unless another is named."""
    night = int(f"{dt.datetime.now(dt.UTC):%Y%m%d}") if value is None else value
    if not (_FIRST <= night <= _LAST and is_date(night)):
        raise UsageError(f"--on {night}: write a date of {str(_FIRST)[:4]} to {str(_LAST)[:4]} as YYYYMMDD")
    return night


@click.command(epilog="Example: redpoll recommend --uncertain p_early_sn_ia --telescope site.toml")
@click.argument("where", required=False)
@click.option("--telescope", "files", type=_FILE, multiple=True, required=True, metavar="FILE",
              help="TOML file of telescopes; may be repeated.")  # fmt: skip
@click.option("--targets", type=_FILE, metavar="FILE",
              help="Table of candidates: object_id, ra, dec, mag, utility.  [default: the store's alerts]")  # fmt: skip
@click.option("--utility", metavar="COLUMN", help="Column that is the utility of a target.  [default: utility]")
@click.option("--uncertain", metavar="COLUMN",
              help="Column of a probability; the utility is 1 at 0.5, 0 at 0 and 1.")  # fmt: skip
@click.option("--mag", default="mag", show_default=True, metavar="COLUMN", help="Column of the magnitude [AB].")
@selection_options
@click.option("--on", "on", type=int, callback=_night, metavar="YYYYMMDD",
              help="Date of the evening at the site.  [default: today, UTC]")  # fmt: skip
@click.option("--slot", type=click.FloatRange(1, 120), default=10.0, show_default=True, metavar="MIN",
              help="Observations begin at multiples of this.")  # fmt: skip
@click.option("--candidates", "max_candidates", type=click.IntRange(1, 5000), default=300, show_default=True,
              metavar="N", help="Maximum number: those of greatest utility.")  # fmt: skip
@click.option("--time-limit", type=click.FloatRange(1, 86_400), default=120.0, show_default=True, metavar="S",
              help="Seconds of search for a proof that no plan is better.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Write plan.csv, blocks.json, airmass.png and airmass.svg into this folder.")  # fmt: skip
@click.option("--force", is_flag=True, help="Replace these files.")
@store_option
@config_option
@json_option
@verbose_option
def command(
    where: str | None, files: tuple[Path, ...], targets: Path | None, utility: str | None, uncertain: str | None,
    mag: str, on: int, slot: float, max_candidates: int, time_limit: float, out: Path | None, force: bool,
    store: Path | None, config: Config, as_json: bool, **conditions: Any,
) -> None:  # fmt: skip
    """Print the plan of greatest total utility for tonight: which target, by which telescope, when, for how long.

    Candidates are the objects of the store's alerts that fulfil WHERE and every option given, each by its newest, or
    those of a table. A telescope spends no more than its hours, setup and readout included; targets are observed within
    its limits of airmass and distance from the moon.
    """
    from redpoll.learn.followup.plan import make_plan
    from redpoll.learn.followup.plan_files import plan_rows

    telescopes = _telescopes(files)
    found = _candidates(where, targets, utility, uncertain, mag, store, config, conditions)
    chosen = found.take(found.utility.argsort(kind="stable")[::-1][:max_candidates])
    if not len(chosen):
        raise UsageError("no candidate has a magnitude and a utility above 0")
    click.echo(f"{len(chosen):,} candidates of {len(found):,}; looking for the best plan", err=True)
    plan = make_plan(chosen, telescopes, on, slot, time_limit)
    if out is not None:
        _write(plan, chosen, on, out, force)
    rows = plan_rows(plan, chosen)
    if as_json:
        print_json({"night": str(on), "utility": plan.utility, "bound": plan.bound, "is_proven": plan.is_proven,
                    "observations": rows, "outcomes": Counter(plan.outcome)})  # fmt: skip
        return
    shown = [row | {"start": row["start"][5:16], "exposures": f"{row['n_exposures']} x {row['exposure']:.0f}",
                    "mag": f"{row['mag']:.1f}", "utility": f"{row['utility']:.3f}", "minutes": f"{row['minutes']:.1f}",
                    "max_airmass": f"{row['max_airmass']:.2f}", "moon_distance": f"{row['moon_distance']:.0f}"}
             for row in rows]  # fmt: skip
    print_rows(shown, _HEADINGS, title=f"Plan of {on}", none="Nothing can be observed.")
    click.echo(_summary(plan), err=True)


def _telescopes(files: tuple[Path, ...]) -> dict[str, Telescope]:
    from redpoll.learn.followup.telescope import read_telescopes

    telescopes: dict[str, Telescope] = {}
    for file in files:
        for name, telescope in read_telescopes(file).items():
            if name in telescopes:
                raise UsageError(f"{file}: the telescope '{name}' is in another file too")
            telescopes[name] = telescope
    return telescopes


def _candidates(
    where: str | None, targets: Path | None, utility: str | None, uncertain: str | None, mag: str,
    store: Path | None, config: Config, conditions: dict[str, Any],
) -> Candidates:  # fmt: skip
    from redpoll.learn.followup.candidates import alert_candidates, table_candidates, uncertainty, value_itself

    if utility is not None and uncertain is not None:
        raise UsageError("use --utility or --uncertain, not both")
    column = uncertain or utility or "utility"
    of: Callable[..., Any] = uncertainty if uncertain else value_itself
    if targets is not None:
        if where is not None or any(value is not None for value in conditions.values()):
            raise UsageError("conditions are for the alerts of a store: leave them out with --targets")
        return table_candidates(targets, column, of, mag)
    if utility is None and uncertain is None:
        raise UsageError("name the column of the utility: --utility or --uncertain COLUMN")
    columns = list(dict.fromkeys(["object_id", "survey", "ra", "dec", mag, column]))
    with client.open(store_of(store, config)) as opened:
        alerts = opened.alerts(where, columns, **conditions, order_by="newest").to_arrow()
    return alert_candidates(alerts, column, of, mag)


def _summary(plan: Plan) -> str:
    used = {name: sum(each.seconds for each in plan.observations if each.telescope == name) for name in plan.nights}
    hours = "; ".join(
        f"{name} {used[name] / 3600:.2f} of {sky.telescope.hours:g} h" for name, sky in plan.nights.items()
    )
    reasons = ", ".join(f"{n:,} {what}" for what, n in Counter(plan.outcome).items())
    proof = "no plan is better" if plan.is_proven else f"no plan has more than {plan.bound:.4g}"
    return f"utility {plan.utility:.4g}, {proof}; {hours}; candidates: {reasons}"


def _write(plan: Plan, candidates: Candidates, night: int, out: Path, force: bool) -> None:
    """The table, the observing blocks and the plot."""
    from redpoll.learn.drawing import figure_bytes
    from redpoll.learn.followup.plan_files import observing_blocks, plan_table, plot_airmass

    figure = plot_airmass(plan, candidates)
    files = {
        "plan.csv": plan_table(plan, candidates).encode(),
        "blocks.json": observing_blocks(plan, candidates, night).encode(),
        "airmass.png": figure_bytes(figure, "png"), "airmass.svg": figure_bytes(figure, "svg"),
    }  # fmt: skip
    write_files({out / name: data for name, data in files.items()}, force=force)
