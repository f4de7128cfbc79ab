"""One measurement per exposure and band, one point after the other: the slow twin of `schema.merging`."""

from __future__ import annotations

import itertools
import math

RANK = {0: 0, 1: 1, 3: 2, 2: 3, -1: 4}  # detection, forced, low quality, upper limit, unknown


def is_blank(flux, flux_err, kind):
    """Whether a point measures nothing."""
    if kind == 2:
        return not (math.isfinite(flux_err) and flux_err > 0)
    return math.isinf(flux) or math.isinf(flux_err) or (kind == 1 and (math.isnan(flux) or flux == 0))


def kept(points, own=None):
    """Indices of the points (mjd, band, flux, flux_err, kind, known) to keep; `own` is the triggering detection's."""
    rest = [i for i in range(len(points)) if i == own or not is_blank(*points[i][2:5])]
    chosen = []
    for band in {points[i][1] for i in rest}:
        ordered = sorted((i for i in rest if points[i][1] == band), key=lambda i: points[i][0])
        exposures = [[i] for i in ordered[:1]]
        for before, i in itertools.pairwise(ordered):
            if points[i][0] - points[before][0] <= 1e-5:
                exposures[-1].append(i)
            else:
                exposures.append([i])
        chosen += [max(exposure, key=lambda i: order(points[i], i == own)) for exposure in exposures]
    return sorted(chosen)


def order(point, is_own):
    """Larger is better."""
    mjd, _, flux, flux_err, kind, known = point
    value = [-math.inf if math.isnan(x) else x for x in (flux, flux_err)]
    return (is_own, -RANK[kind], known, mjd, *value)
