"""Cutouts as pixels, measures of difference cutouts, and ELEPHANT's test for structure; the kernels are compiled.

>>> read_cutouts([b"no cutout", None]).shapes.tolist()
[[0, 0], [0, 0]]
"""

from __future__ import annotations

from redpoll.astro.cutouts import Cutouts, Look, look_at, read_cutouts
from redpoll.astro.hostless import differs_from_template, structure

__all__ = ["Cutouts", "Look", "differs_from_template", "look_at", "read_cutouts", "structure"]
