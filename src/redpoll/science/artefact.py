"""Science module: whether the alert is a flaw of the image or of the subtraction, from its cutout and light curve."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll import Column, science_module
from redpoll.astro.cutouts import Look, look_at, read_cutouts
from redpoll.astro.photometry import flux_from_mag
from redpoll.astro.ragged import by_band, owners, taken
from redpoll.schema.bands import BANDS, DETECTION, LOW_QUALITY
from redpoll.schema.light_curve import LightCurves

Array = NDArray[np.float64]
_RADIUS = {"ztf": 4.0, "rubin": 8.0}
_SHARP = {"ztf": (0.7, 0.85), "rubin": (0.5, 0.7)}
_CUTOUT = "of the difference cutout; null without a whole one."
OUTPUTS = {
    "cutout_snr": Column("float32", doc=f"Signal over noise in the middle {_CUTOUT}", indexed=False),
    "cutout_peak_snr": Column("float32", doc=f"Brightest pixel over the noise, middle {_CUTOUT}", indexed=False),
    "cutout_sharpness": Column(
        "float32", doc=f"1 for a single bright pixel, 0 for a plain: peak {_CUTOUT}", indexed=False
    ),
    "cutout_fwhm": Column("float32", "pixel", f"Full width of the source in the middle {_CUTOUT}", indexed=False),
    "cutout_elongation": Column(
        "float32", doc=f"Long over short axis of the source in the middle {_CUTOUT}", indexed=False
    ),
    "cutout_offset": Column("float32", "pixel", f"Distance of its centroid from the middle {_CUTOUT}", indexed=False),
    "cutout_negative_fraction": Column(
        "float32", doc=f"Share of light of the opposite sign, middle {_CUTOUT}", indexed=False
    ),
    "cutout_line_snr": Column("float32", doc=f"Signal over noise of a row or column, middle {_CUTOUT}", indexed=False),
    "cutout_masked_fraction": Column(
        "float32", doc="Share of the difference cutout's pixels without a value.", indexed=False
    ),
    "flux_sign_changes": Column(
        "int16", doc="How often the flux changes its sign between detections in the band.", indexed=False
    ),
    "constant_chi2": Column(
        "float32",
        doc="Chi-square per degree of freedom of a constant flux in the alert's band; null with one point.",
        indexed=False,
    ),
    "artefact_score": Column(
        "float32", doc="0 (nothing speaks for an artefact) to 1; a rule's score, no probability.", indexed=False
    ),
    "artefact_reason": Column(
        "string", doc="What speaks the most for an artefact; null if the score is below 0.5.", indexed=False
    ),
    "is_artefact": Column(
        "bool", doc="Score of at least 0.5; false where it cannot be told.", assigns="artefact", indexed=False
    ),
}


@science_module(version="1", outputs=OUTPUTS, compile_group="statistics")
def artefact(
    survey: NDArray[Any],
    cutout_difference: NDArray[Any],
    light_curve: LightCurves,
    flux: NDArray[np.float32],
    flux_err: NDArray[np.float32],
    is_dipole: NDArray[np.bool_],
    reference_mag: NDArray[np.float32],
    reference_distance_arcsec: NDArray[np.float32],
    star_score: NDArray[np.float32],
    star_distance_arcsec: NDArray[np.float32],
    *,
    max_reference_arcsec: float = 3.0,
    reference_bright: float = 17.0,
    max_noise_snr: float = 8.0,
) -> dict[str, NDArray[Any]]:
    """Signs of a flaw, each between 0 and 1, put together as if each were enough: 1 - product of (1 - sign).

    In the cutout: a lobe of the opposite sign (dipole), a peak sharper than the seeing (cosmic ray), light along a row
    or column (line), a cut-away or masked part (edge), far less light than the survey's flux asks for (empty).
    Beside it: a change below 1 % of a source in the template brighter than `reference_bright` within
    `max_reference_arcsec`, unless that is a galaxy (star_residual); a flux that changes its sign time and again while
    no point exceeds `max_noise_snr` (alternating). The survey's own real-bogus score is another witness, and not
    asked. Thresholds were set on real ZTF cutouts.

    References
    ----------
    Duev et al. 2019, MNRAS 489, 3582; Bloom et al. 2012, PASP 124, 1175 (features of difference cutouts).
    """
    radius = np.array([_RADIUS.get(name, 4.0) for name in survey])
    look = look_at(read_cutouts(cutout_difference), radius)
    changes, chi2, highest_snr = _steadiness(light_curve)
    reference = np.where(reference_distance_arcsec > max_reference_arcsec, np.nan, flux_from_mag(reference_mag))
    is_galaxy = (star_score < 0.5) & (star_distance_arcsec <= max_reference_arcsec)
    is_bright = ~is_galaxy & (reference > flux_from_mag(reference_bright))
    signs = _signs_in_cutout(survey, look, np.abs(flux) / flux_err)
    signs["dipole"] = np.maximum(signs["dipole"], np.where(is_dipole, 0.6, 0.0))
    signs["star_residual"] = np.where(is_bright, 0.9 * _ramp(-np.abs(flux) / reference, -0.02, -0.002), 0.0)
    signs["alternating"] = np.where(highest_snr < max_noise_snr, 0.8 * _ramp(changes, 1, 5), 0.0)
    return _measured(look) | {"flux_sign_changes": changes, "constant_chi2": chi2} | _verdict(signs)


def _signs_in_cutout(survey: NDArray[Any], look: Look, claimed_snr: NDArray[Any]) -> dict[str, Array]:
    low, high = np.array([_SHARP.get(name, _SHARP["ztf"]) for name in survey]).reshape(-1, 2).T
    is_seen = look.peak_snr > 5.0
    # noise makes a peak look sharper: two of its errors are given away
    sharpness = look.sharpness - 2.1 / look.peak_snr
    expected = 0.5 * claimed_snr  # an aperture sees less of the noise's weight than a fit of the seeing
    return {
        "dipole": np.where(is_seen, _ramp(look.negative_fraction, 0.1, 0.3), 0.0),
        "cosmic_ray": np.where(is_seen, _ramp(sharpness, low, high), 0.0),
        "line": _ramp(look.line_snr, 5.0, 9.0),
        "edge": _ramp(look.masked_fraction, 0.1, 0.3),
        "empty": _ramp(expected - look.snr, 2.0, 3.5) * _ramp(-look.snr / expected, -0.5, -0.25),
    }


def _ramp(value: NDArray[Any], low: Any, high: Any) -> Array:
    """0 up to `low`, 1 from `high` on; 0 where unknown."""
    return np.asarray(np.nan_to_num(np.clip((value - low) / (high - low), 0.0, 1.0)))


def _verdict(signs: dict[str, Array]) -> dict[str, NDArray[Any]]:
    names, values = np.array(list(signs), object), np.stack(list(signs.values()))
    score = 1.0 - np.prod(1.0 - values, axis=0)
    is_artefact = score >= 0.5
    reason = np.where(is_artefact, names[values.argmax(axis=0)], None)
    return {"artefact_score": score, "artefact_reason": reason, "is_artefact": is_artefact}


def _measured(look: Look) -> dict[str, NDArray[Any]]:
    return {f"cutout_{name}": values for name, values in look._asdict().items() if name != "noise"}


def _steadiness(curve: LightCurves) -> tuple[NDArray[np.int64], Array, Array]:
    """Sign changes, chi-square of a constant and highest signal to noise of the detections in the alert's band."""
    row, n = owners(curve.offsets), len(curve)
    own = curve.triggering
    keep = np.isin(curve.kind, (DETECTION, LOW_QUALITY)) & (curve.band == taken(curve.band, own)[row])
    keep &= np.isfinite(curve.flux) & (curve.flux_err > 0)
    order, _ = by_band(curve.offsets, curve.band, keep, len(BANDS))
    who, flux, err = row[order], curve.flux[order].astype(np.float64), curve.flux_err[order].astype(np.float64)
    is_change = (np.diff(who) == 0) & (np.sign(flux[1:]) != np.sign(flux[:-1]))
    highest = np.zeros(n)
    np.maximum.at(highest, who, np.abs(flux) / err)
    points, weight = np.bincount(who, minlength=n), np.bincount(who, err**-2, minlength=n)
    mean = np.bincount(who, flux / err**2, minlength=n) / weight
    chi2 = np.bincount(who, ((flux - mean[who]) / err) ** 2, minlength=n)
    return np.bincount(who[1:][is_change], minlength=n), chi2 / np.where(points > 1, points - 1, np.nan), highest
