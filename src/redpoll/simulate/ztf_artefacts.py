"""Measurements on the difference image that ZTF's packets have of artefacts.

As in the 366 real packets of half 0 of `benchmarks/realism.py`, the ratio of axis to width is exactly that of the two
fields, and the seeing ratio is the image's seeing over the width, at most 2. Widths were set to the 36 objects of them
that the survey scores below 0.8: half are sharper than any star, the others a half to twice as wide as the seeing. The
rest was set to the 16 scored below 0.3: a third have many negative pixels and a low ratio of sums, the others neither.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll.simulate.classes.bogus import BAD_COLUMN, COSMIC_RAY, DIPOLE, GHOST, STAR_RESIDUAL

Array = NDArray[np.float64]
_MAX_SEEING_RATIO = 2.0
_BLUR = 1.2
"""Seeing of exposures with artefacts, over that of others."""


def artefact_shape(kind: Array, kick: Array, seeing: Array, elongation: Array) -> dict[str, NDArray]:
    """Shape columns of detections of these kinds, from normal numbers (points, n) and the seeing [pixels]."""
    seeing = _BLUR * seeing
    width = np.clip(seeing * np.exp(_mean_width(kind, kick[:, 9] > 0.25) + 0.3 * kick[:, 14]), 1.0, 9.0)
    axis = 0.28 * seeing * np.exp(0.35 * kick[:, 8])
    both_signs = kind == DIPOLE
    return {
        "chipsf": 9.0 * np.exp(1.1 * kick[:, 12]),
        "fwhm": width,
        "classtar": logistic(4.3 + 2.0 * kick[:, 13]),
        "seeratio": np.minimum(seeing / width, _MAX_SEEING_RATIO),
        "aimage": axis,
        "bimage": axis / elongation,
        "aimagerat": axis / width,
        "bimagerat": axis / elongation / width,
        "nneg": np.clip(np.rint(np.where(both_signs, 9.5, 3.0) + 2.0 * kick[:, 15]), 0, 15).astype(np.int64),
        "nbad": np.where((kind == BAD_COLUMN) & (kick[:, 15] > -0.5), np.rint(2.0 + kick[:, 15]), 0).astype(np.int64),
        "sumrat": np.where(both_signs, 0.68 + 0.12 * kick[:, 7], 1.0 - 0.02 * kick[:, 7] ** 2).clip(0.3, 1.0),
    }


def logistic(x: Array) -> Array:
    """Numbers from 0 to 1: 1 / (1 + exp(-x))."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(x, -40.0, 40.0))))


def aperture_excess(kick: Array) -> Array:
    """How much fainter an artefact is in the aperture than as a point source [mag]."""
    return np.asarray(0.15 + 0.25 * kick[:, 1])


def _mean_width(kind: Array, is_sharp: NDArray[np.bool_]) -> Array:
    """Logarithm of the width over the seeing: cosmic rays are sharp, ghosts broad, half of what lies at stars sharp."""
    sharp = (kind == COSMIC_RAY) | (is_sharp & ((kind == DIPOLE) | (kind == STAR_RESIDUAL)))
    return np.select([sharp, kind == GHOST, kind == BAD_COLUMN], [-0.75, 0.5, -0.4], 0.0)
