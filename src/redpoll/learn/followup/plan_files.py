"""A plan as rows of a table, as observing blocks, and as a plot of airmass."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import numpy as np

from redpoll.learn.drawing import new_figure
from redpoll.learn.followup.candidates import Candidates
from redpoll.learn.followup.night_sky import utc_text
from redpoll.learn.followup.plan import Observation, Plan
from redpoll.learn.followup.sky_brightness import airmass_of

_COLUMNS = ("telescope", "start", "end", "object_id", "survey", "ra", "dec", "mag", "utility", "n_exposures",
            "exposure", "minutes", "airmass", "max_airmass", "moon_distance", "sky")  # fmt: skip
_FILLED_LATER = ("label", "confidence", "note")
"""Empty columns of the table, for the observer; ``redpoll observations import`` reads them."""


def plan_rows(plan: Plan, candidates: Candidates) -> list[dict[str, Any]]:
    """A row for each observation, by telescope and time."""
    return [_row(each, candidates) for each in plan.observations]


def _row(each: Observation, candidates: Candidates) -> dict[str, Any]:
    i = each.target
    return {
        "telescope": each.telescope, "start": utc_text(each.start), "end": utc_text(each.end),
        "object_id": candidates.object_ids[i], "survey": candidates.surveys[i],
        "ra": float(candidates.ra[i]), "dec": float(candidates.dec[i]), "mag": float(candidates.mag[i]),
        "utility": float(candidates.utility[i]), "n_exposures": each.n_exposures, "exposure": each.exposure,
        "minutes": each.seconds / 60.0, "airmass": each.airmass, "max_airmass": each.max_airmass,
        "moon_distance": each.moon_distance, "sky": each.sky,
    }  # fmt: skip


def plan_table(plan: Plan, candidates: Candidates) -> str:
    """The plan as CSV, with empty columns for what the observer finds."""
    text = io.StringIO()
    rows = plan_rows(plan, candidates)
    writer = csv.DictWriter(text, [*_COLUMNS, *_FILLED_LATER], restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({k: f"{v:.6f}" if isinstance(v, float) else v for k, v in row.items()} for row in rows)
    return text.getvalue()


def observing_blocks(plan: Plan, candidates: Candidates, night: int) -> str:
    """The plan as JSON: for each telescope its site and blocks of target, window, exposures and constraints."""
    telescopes = []
    for name, sky in plan.nights.items():
        at = sky.telescope
        blocks = [_block(row, at.max_airmass, at.min_moon_distance) for row in plan_rows(plan, candidates)
                  if row["telescope"] == name]  # fmt: skip
        site = {"latitude": at.latitude, "longitude": at.longitude, "elevation": at.elevation}
        spent = sum(each.seconds for each in plan.observations if each.telescope == name) / 3600.0
        telescopes.append({"name": name, "site": site, "hours": at.hours, "hours_used": round(spent, 4),
                           "blocks": blocks})  # fmt: skip
    facts = {"night": str(night), "time_scale": "UTC", "frame": "ICRS", "utility": plan.utility, "bound": plan.bound}
    return json.dumps(facts | {"telescopes": telescopes}, indent=2) + "\n"


def plot_airmass(plan: Plan, candidates: Candidates) -> Any:
    """A figure of matplotlib: airmass of the chosen targets through the night, one panel a telescope."""
    figure, axes = new_figure(5.0 * len(plan.nights), 4.0, len(plan.nights))
    for axis, (name, sky) in zip(axes, plan.nights.items(), strict=True):
        mine = [each for each in plan.observations if each.telescope == name]
        hours = (sky.mjd - np.floor(sky.mjd[0])) * 24.0 if len(sky) else sky.mjd
        for each in mine:
            airmass = airmass_of(plan.tracks[name].altitude[each.target])
            taken = (sky.mjd >= each.start - 1e-6) & (sky.mjd < each.end)
            (line,) = axis.plot(hours, airmass, lw=0.7, alpha=0.5)
            axis.plot(hours[taken], airmass[taken], "o-", ms=3, color=line.get_color(),
                      label=candidates.object_ids[each.target])  # fmt: skip
        axis.set(xlabel="UTC [h, from the day of dusk]", ylabel="airmass", title=name,
                 ylim=(sky.telescope.max_airmass + 0.1, 0.95))  # fmt: skip
        if 0 < len(mine) <= 20:
            axis.legend(fontsize=6, frameon=False)
    return figure


def _block(row: dict[str, Any], max_airmass: float, min_moon_distance: float) -> dict[str, Any]:
    return {
        "target": {name: row[name] for name in ("object_id", "survey", "ra", "dec", "mag")},
        "start": f"{row['start']}Z", "end": f"{row['end']}Z", "n_exposures": row["n_exposures"],
        "exposure_seconds": row["exposure"], "utility": row["utility"],
        "constraints": {"max_airmass": max_airmass, "min_moon_distance": min_moon_distance},
    }  # fmt: skip
