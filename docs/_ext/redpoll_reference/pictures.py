"""Light curves as SVG files, drawn by the portal's own plot."""

from __future__ import annotations

import re
from functools import cache
from html import escape
from importlib.resources import files

from redpoll.serve.curve import Curve
from redpoll.serve.portal.plot import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Mark, Plot, light_curve_plot

_COLOUR = re.compile(r"--band-(\w): light-dark\((#\w+)")


def light_curve_svg(curve: Curve, title: str) -> str:
    """A light curve with title and description; an empty frame with a note if no point has a magnitude."""
    plot = light_curve_plot(curve)
    body = _plot(plot) if plot else [f'<text x="{WIDTH / 2}" y="{HEIGHT / 2}">no point has a magnitude</text>']
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" role="img" '
        'aria-labelledby="t d">',
        f'<title id="t">{escape(title)}</title>',
        f'<desc id="d">Magnitude against time, brighter up. {escape(curve.summary())}</desc>',
        f"<style>{_style()}</style>",
        f'<rect width="{WIDTH:.0f}" height="{HEIGHT:.0f}" fill="#fff"/>',
        *body,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _plot(plot: Plot) -> list[str]:
    right, bottom, middle = WIDTH - RIGHT, HEIGHT - BOTTOM, (TOP + HEIGHT - BOTTOM) / 2
    across = [
        (f"M{LEFT:g} {y:.1f}H{right:g}", f'class="e" x="{LEFT - 6:g}" y="{y + 4:.1f}"', t) for y, t in plot.y_ticks
    ]
    upward = [(f"M{x:.1f} {TOP:g}V{bottom:g}", f'x="{x:.1f}" y="{bottom + 16:g}"', t) for x, t in plot.x_ticks]
    grid = [f'<path class="k" d="{line}"/><text {place}>{label}</text>' for line, place, label in (*across, *upward)]
    names = [
        f'<text x="{WIDTH / 2:g}" y="{HEIGHT - 5:g}">MJD (TAI, days)</text>',
        f'<text transform="rotate(-90)" x="{-middle:g}" y="13">AB magnitude</text>',
    ]
    return [*grid, *names, *(_marks(mark) for mark in plot.marks), *_legend(plot)]


def _marks(mark: Mark) -> str:
    bars = f'<path d="{mark.bars}"/>' if mark.bars else ""
    return f'<g class="{mark.band} {mark.style}">{bars}<path class="p" d="{mark.marks}"/></g>'


def _legend(plot: Plot) -> list[str]:
    bands = list(dict.fromkeys(m.band for m in plot.marks))
    return [
        f'<text class="{band} l" x="{WIDTH - RIGHT - 14 * (len(bands) - i):g}" y="{TOP + 12:g}">{band}</text>'
        for i, band in enumerate(bands)
    ]


@cache
def _style() -> str:
    """The portal's colours and styles of marks, on white."""
    css = (files("redpoll") / "serve/portal/static/portal.css").read_text("utf-8")
    colours = dict(_COLOUR.findall(css)) | {"unknown": "#4d4f53"}
    bands = "".join(f".{band}{{color:{colour}}}" for band, colour in colours.items())
    return (
        "text{font:13px sans-serif;fill:#4d4f53;text-anchor:middle}text.e{text-anchor:end}text.l{fill:currentColor;"
        "font-weight:bold}.k{stroke:#ddd}g path{stroke:currentColor;fill:currentColor;stroke-width:1.2}"
        f".forced .p,.faded .p{{fill:#fff}}.limit{{opacity:.5}}.limit .p{{fill:none}}{bands}"
    )
