"""Cutouts as pixels, measures of difference cutouts, and ELEPHANT's test for structure; the kernels are compiled.

>>> read_cutouts([b"no cutout", None]).shapes.tolist()
[[0, 0], [0, 0]]
"""

from __future__ import annotations

from redpoll.astro.cutouts import CutoutMeasurements, Cutouts, measure_cutouts, read_cutouts
from redpoll.astro.hostless import clipped, differs_from_template, structure

__all__ = [
    "CutoutMeasurements",
    "Cutouts",
    "clipped",
    "differs_from_template",
    "measure_cutouts",
    "read_cutouts",
    "structure",
]
