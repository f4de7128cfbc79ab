"""Science module: probability of a kilonova, by a model from the registry."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll import Model, class_scores, probability, science_module
from redpoll.conditions import is_solar_system
from redpoll.sky import galactic_latitude
from redpoll.typing import Floats, Ints, Texts

FEATURES = (
    "mag", "age", "n_detections", "latitude", "fade", "fade_err", "has_fade", "rate", "rate_err", "has_rate",
    "colour_g_r", "has_colour_g_r", "colour_r_i", "has_colour_r_i", "faded", "has_faded", "star_score", "has_star",
)  # fmt: skip
"""Features of the model, in this order. A number that may be unknown is 0 where it is, and has a feature `has_...`
beside it, 1 or 0, so that the model needs no NaN."""
OUTPUTS = {"p_kilonova": probability("0..1; null for old or often detected sources.", assigns="kilonova")}


def features(
    mag: Floats, age: Floats, n_detections: Ints, latitude: Floats, fade: Floats, fade_err: Floats,
    rate: Floats, rate_err: Floats, colour_g_r: Floats, colour_r_i: Floats, faded: Floats, star_score: Floats,
) -> NDArray[np.float32]:  # fmt: skip
    """Matrix of shape (n, len(FEATURES)); a row with an unknown magnitude, age or count holds NaN there.

    >>> one = [np.array([x]) for x in (20.0, 1.0, 3, -40.0, 0.5, 0.1, np.nan, np.nan, 0.3, np.nan, 0.4, np.nan)]
    >>> dict(zip(FEATURES, features(*one)[0].tolist()))["has_rate"]
    0.0
    """
    always = [mag, age, n_detections, np.abs(latitude)]
    sometimes = [(fade, fade_err), (rate, rate_err), (colour_g_r,), (colour_r_i,), (faded,), (star_score,)]
    columns = [np.asarray(x, np.float32) for x in always]
    for group in sometimes:
        is_known = np.isfinite(group[0])
        columns += [np.where(is_known, np.nan_to_num(x), 0.0).astype(np.float32) for x in group]
        columns.append(is_known.astype(np.float32))
    return np.column_stack(columns)


@science_module(version="1", model="kilonova", features=FEATURES, outputs=OUTPUTS)
def kilonova_score(
    ra: Floats,
    dec: Floats,
    mag: Floats,
    age: Floats,
    n_detections: Ints,
    roid: Texts,
    kilonova_fade: Floats,
    kilonova_fade_err: Floats,
    mag_rate: Floats,
    mag_rate_err: Floats,
    colour_g_r: Floats,
    colour_r_i: Floats,
    faded_mag: Floats,
    star_score: Floats,
    model: Model,
    *,
    max_age: float = 20.0,
    min_detections: int = 2,
    max_detections: int = 20,
) -> Floats:
    """Probability of the model's last class for sources with `min_detections` or more, at most `max_age` days old.

    The features are colours, rates, Galactic latitude and the score of a catalogued star. Those of Biswas et al. (three
    principal components of the flux in each of two bands) contain none of these, and stars contaminate their sample.

    References
    ----------
    Biswas et al. 2023, A&A 677, A77 (arXiv:2210.17433).
    """
    may_be = (
        (age <= max_age) & (n_detections >= min_detections) & (n_detections <= max_detections) & ~is_solar_system(roid)
    )
    matrix = features(
        mag, age, n_detections, galactic_latitude(ra, dec), kilonova_fade, kilonova_fade_err, mag_rate, mag_rate_err,
        colour_g_r, colour_r_i, faded_mag, star_score,
    )  # fmt: skip
    matrix[~may_be] = np.nan
    return class_scores(model, *matrix.T)
