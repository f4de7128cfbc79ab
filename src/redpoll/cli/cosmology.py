"""``redpoll cosmology``: what errors of a classifier do to cosmology."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from redpoll.cli.options import json_option, verbose_option
from redpoll.cli.output import csv_bytes, print_json, print_rows, progress
from redpoll.cli.query import new_file, write_files
from redpoll.cli.training_data import interval
from redpoll.log import plain_text

if TYPE_CHECKING:
    from redpoll.learn.cosmology.impact import ContaminantImpact

_HEADINGS = {
    "class": "class", "rate": "contaminants", "bias": "bias of w", "width": "error of w",
    "distance": "earth-mover distance", "fisher_bias": "bias, Fisher", "fisher_width": "error, Fisher",
    "at_edge": "cut off by the grid", "n_clipped": "outliers left out",
}  # fmt: skip
_POSITIVE = click.FloatRange(0, min_open=True)


@click.group(epilog="Example: redpoll cosmology impact --rate 0.05")
def command() -> None:
    """Ask what misclassified supernovae do to the measurement of dark energy."""


@command.command(epilog="Example: redpoll cosmology impact --class sn_ii --class sn_ibc --rate 0.05 --out impact")
@click.option("--sample", type=click.Path(path_type=Path, dir_okay=False, exists=True), metavar="FILE",
              help="Table of a classified sample: redshift, class, mu, mu_err.  [default: simulated]")  # fmt: skip
@click.option("--min-probability", type=click.FloatRange(0, 1), default=0.5, show_default=True, metavar="P",
              help="With a column probability in FILE: its rows below P are left out.")  # fmt: skip
@click.option("--class", "kinds", multiple=True, metavar="NAME",
              help="Class of contaminants; may be repeated.  [default: all there are]")  # fmt: skip
@click.option("--rate", "rates", type=float, multiple=True, default=(0.01, 0.02, 0.05, 0.1), show_default=True,
              metavar="F", help="Fraction of contaminants; may be repeated.")  # fmt: skip
@click.option("--size", type=click.IntRange(50, 100_000), default=1000, show_default=True, metavar="N",
              help="Supernovae in a sample.")  # fmt: skip
@click.option("--samples", "n_samples", type=click.IntRange(2, 10_000), default=20, show_default=True, metavar="N",
              help="Number of samples that are drawn; intervals are over these.")  # fmt: skip
@click.option("--clip", type=_POSITIVE, metavar="S",
              help="Leave out what is more than S errors off the fiducial cosmology.  [default: keep all]")  # fmt: skip
@click.option("--depth", type=click.FloatRange(18, 27), default=23.5, show_default=True, metavar="MAG",
              help="Faintest magnitude at maximum in the simulated survey.")  # fmt: skip
@click.option("--max-redshift", type=click.FloatRange(0.2, 1.2), default=0.8, show_default=True, metavar="Z",
              help="Maximum redshift of simulated supernovae.")  # fmt: skip
@click.option("--anchor", type=click.IntRange(0, 100_000), default=150, show_default=True, metavar="N",
              help="Pure SNe Ia of redshift 0.02 to 0.1 beside each simulated sample.")  # fmt: skip
@click.option("--omega-m-err", type=click.FloatRange(1e-4, 1.0), default=0.02, show_default=True, metavar="E",
              help="Error of the prior of the matter density, 0.3.")  # fmt: skip
@click.option("--w-err", type=_POSITIVE, metavar="E", help="Error of a prior of w around -1.  [default: flat]")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Seed of the samples.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Write impact.csv, impact.png and impact.svg into this folder.")  # fmt: skip
@click.option("--force", is_flag=True, help="Replace these files.")
@json_option
@verbose_option
def impact(
    sample: Path | None, min_probability: float, kinds: tuple[str, ...], depth: float, max_redshift: float,
    anchor: int, omega_m_err: float, w_err: float | None, out: Path | None, force: bool, as_json: bool, **plan: Any,
) -> None:  # fmt: skip
    """Compare the posterior of w from contaminated samples with that from pure ones, by class and rate of contaminants.

    In each sample a fraction of the SNe Ia is replaced by objects of one class, standardised as if they were SNe Ia.
    The bias is the mean of w less that of the pure sample; numbers in brackets are 95 % intervals of the mean.
    """
    from redpoll.learn.cosmology.impact import ImpactPlan, as_it_stands, contaminant_impact
    from redpoll.learn.cosmology.posterior import CosmologyFit, Priors
    from redpoll.learn.cosmology.sample_table import read_sample
    from redpoll.learn.cosmology.samples import SimulatedSamples, TableSamples

    chosen = ImpactPlan(**plan)
    classified = None if sample is None else read_sample(sample, min_probability)
    samples = (
        SimulatedSamples(depth=depth, max_redshift=max_redshift, n_anchor=anchor) if classified is None
        else TableSamples(classified.by_class)
    )  # fmt: skip
    fit = CosmologyFit(samples.max_redshift, Priors(omega_m_err=omega_m_err, w_err=w_err or float("inf")))
    with progress("samples") as advance:
        found = contaminant_impact(samples, kinds or samples.contaminants, chosen, fit, advance)
    whole = None if classified is None else as_it_stands(classified.by_class, fit, chosen.clip)
    if out is not None:
        _write(found, out, force)
    if as_json:
        print_json({"sample": whole, "impact": [_numbers(each) for each in found]})
        return
    if whole is not None and classified is not None:
        click.echo("; ".join(f"{name} {value:.4g}" for name, value in whole.items()))
        click.echo(f"{classified.n_left_out:,} rows of a lower probability are left out", err=True)
    print_rows([_shown(each) for each in found], _headings(found), title=f"{chosen.n_samples} samples", none="")


@command.command(epilog="Example: redpoll cosmology fit curves.parquet --out sample.csv")
@click.argument("curves", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, metavar="FILE",
              help="Table to write, CSV, as `redpoll cosmology impact --sample` reads it.")  # fmt: skip
@click.option("--model", "folder", type=click.Path(path_type=Path, file_okay=False, exists=True), metavar="DIR",
              help="Folder of SALT3's files.  [default: those of jax-bandflux]")  # fmt: skip
@click.option("--all", "everything", is_flag=True, help="Keep fits outside the cuts, 3 in stretch and 0.3 in colour.")
@click.option("--force", is_flag=True, help="Replace FILE if it exists.")
@verbose_option
def fit(curves: Path, out: Path, folder: Path | None, everything: bool, force: bool) -> None:
    """Fit SALT3 to the labelled light curves of CURVES that have a redshift: a sample of distances and classes.

    CURVES is a table of light curves as `redpoll train` reads it, with the columns redshift and label. It needs
    sncosmo, pip install 'redpoll[salt]', and the files of SALT3, pip install --no-deps jax-bandflux.
    """
    from redpoll.learn.cosmology.salt_fits import salt_fits, salt_model
    from redpoll.learn.curve_table import read_curves
    from redpoll.learn.errors import DatasetError

    model, objects = salt_model(folder), read_curves(curves)
    with progress("light curves") as advance:
        fits, failed = salt_fits(objects, model, lambda done: advance(done, len(objects)))
    kept = [each for each in fits if everything or each.in_cuts]
    if not kept:
        raise DatasetError(f"{curves}: no light curve has a fit within the cuts; {len(failed):,} have none at all")
    rows = [{"class" if name == "label" else name: value for name, value in asdict(each).items()} for each in kept]
    with new_file(out, force=force) as file:
        file.write(csv_bytes(rows, list(rows[0])))
    click.echo(f"{len(kept):,} fits in {out}; {len(fits) - len(kept):,} outside the cuts", err=True)
    for reason, n in Counter(failed.values()).items():
        click.echo(f"{n:,} without a fit: {plain_text(reason)}", err=True)


def _numbers(each: ContaminantImpact) -> dict[str, Any]:
    figures = {name: [figure.value, figure.low, figure.high] for name, figure in each.figures.items()}
    return {"class": each.kind, "rate": each.rate, **figures, "at_edge": each.at_edge, "n_clipped": each.n_clipped}


def _shown(each: ContaminantImpact) -> dict[str, Any]:
    texts = {name: interval([f.value, f.low, f.high]) for name, f in each.figures.items()}
    texts["fisher_width"] = f"{each.figures['fisher_width'].value:.3f}"
    return {"class": each.kind, "rate": f"{each.rate:.1%}", **texts, "at_edge": f"{each.at_edge:.0%}",
            "n_clipped": f"{each.n_clipped:.1f}"}  # fmt: skip


def _headings(found: Sequence[ContaminantImpact]) -> Mapping[str, str]:
    """The columns, without those that are zero everywhere."""
    idle = {name for name in ("at_edge", "n_clipped") if not any(getattr(each, name) for each in found)}
    return {name: heading for name, heading in _HEADINGS.items() if name not in idle}


def _write(found: Sequence[ContaminantImpact], out: Path, force: bool) -> None:
    """The table as CSV and the plot as PNG and SVG."""
    from redpoll.learn.cosmology.impact_plot import plot_impact
    from redpoll.learn.drawing import figure_bytes

    figure = plot_impact(found)
    rows = [_row(each) for each in found]
    files = {"csv": csv_bytes(rows, list(rows[0])), "png": figure_bytes(figure, "png"),
             "svg": figure_bytes(figure, "svg")}  # fmt: skip
    write_files({out / f"impact.{ending}": data for ending, data in files.items()}, force=force)


def _row(each: ContaminantImpact) -> dict[str, Any]:
    ends = {
        f"{name}{end}": f"{x:.6g}"
        for name, f in each.figures.items()
        for end, x in (("", f.value), ("_low", f.low), ("_high", f.high))
    }
    return {"class": each.kind, "rate": each.rate, **ends, "at_edge": each.at_edge, "n_clipped": each.n_clipped}
