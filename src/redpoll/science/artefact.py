"""Science module: artefacts of the image or of the subtraction, from the cutout and the light curve."""

from __future__ import annotations

from typing import Any

import numpy as np

from redpoll import Column, feature, flag, science_module
from redpoll.cutouts import CutoutMeasurements, measure_cutouts, read_cutouts
from redpoll.light_curves import DETECTION, LOW_QUALITY, LightCurves, highest_of_each, in_alert_band, owners
from redpoll.photometry import flux_from_mag, reference_flux
from redpoll.typing import Arrays, Bools, Floats, Ints, Texts

_RADIUS = {"ztf": 4.0, "rubin": 8.0, "elasticc": 8.0}
_SHARP = {"ztf": (0.7, 0.85), "rubin": (0.5, 0.7), "elasticc": (0.5, 0.7)}
_CENTRE = "at the centre of the difference cutout; null without a complete one."
OUTPUTS = {
    "cutout_snr": feature("", f"Signal over noise {_CENTRE}"),
    "cutout_peak_snr": feature("", f"Brightest pixel over the noise {_CENTRE}"),
    "cutout_sharpness": feature("", f"Contrast of the brightest pixel, 1 if it stands alone, {_CENTRE}"),
    "cutout_fwhm": feature("pixel", f"Full width at half maximum of the source {_CENTRE}"),
    "cutout_elongation": feature("", f"Long over short axis of the source {_CENTRE}"),
    "cutout_offset": feature("pixel", f"Distance of the source's centroid from the middle, {_CENTRE}"),
    "cutout_negative_fraction": feature("", f"Fraction of light of the opposite sign {_CENTRE}"),
    "cutout_line_snr": feature("", f"Signal over noise of a row or column {_CENTRE}"),
    "cutout_masked_fraction": feature("", "Fraction of the difference cutout's pixels without a value."),
    "cutout_aperture_masked_fraction": feature("", f"The same of the pixels {_CENTRE}"),
    "flux_sign_changes": Column(
        "int16", doc="Changes of the flux's sign between neighbouring detections in the band.", indexed=False
    ),
    "constant_chi2": feature("", "Reduced chi2 of a constant flux in the alert's band; null with one point."),
    "artefact_score": feature("", "0 (no sign of an artefact) to 1; a score by rule, not a probability."),
    "artefact_reason": Column(
        "string", doc="The strongest sign of an artefact; null if the score is below 0.5.", indexed=False
    ),
    "is_artefact": flag("Score of at least 0.5; false if unknown.", assigns="artefact"),
}


@science_module(version="4", outputs=OUTPUTS, compile_group="statistics")
def artefact(
    survey: Texts,
    cutout_difference: Texts,
    packet_light_curve: LightCurves,
    flux: Floats,
    flux_err: Floats,
    is_dipole: Bools,
    reference_mag: Floats,
    reference_distance_arcsec: Floats,
    star_score: Floats,
    star_distance_arcsec: Floats,
    *,
    max_reference_arcsec: float = 3.0,
    reference_bright: float = 17.0,
    max_noise_snr: float = 6.0,
) -> Arrays:
    """Signs of an artefact, each from 0 to 1, combined as independent ones: 1 - product of (1 - sign).

    In the cutout: a lobe of the opposite sign (dipole), a peak sharper than the seeing (cosmic ray), light along a row
    or column (line), masked pixels (masked), far less light than the survey's flux implies (empty). Besides:
    a change below 1 % of a template source brighter than `reference_bright` within `max_reference_arcsec` that is no
    galaxy (star_residual); repeated changes of the flux's sign while no point exceeds `max_noise_snr` (alternating).
    The survey's own real-bogus score is independent of this one and is not used. Thresholds were set on real ZTF
    cutouts. A source near an edge of its image is no artefact for that: only pixels at the centre count.

    The packet's measurements alone are used: a star that varies for years changes its sign often without being an
    artefact.

    References
    ----------
    Duev et al. 2019, MNRAS 489, 3582; Bloom et al. 2012, PASP 124, 1175 (features of difference cutouts).
    """
    radius = np.array([_RADIUS.get(name, _RADIUS["ztf"]) for name in survey])
    measured = measure_cutouts(read_cutouts(cutout_difference), radius)
    changes, chi2, highest_snr = _scatter(packet_light_curve)
    reference = reference_flux(reference_mag, reference_distance_arcsec, max_reference_arcsec)
    is_galaxy = (star_score < 0.5) & (star_distance_arcsec <= max_reference_arcsec)
    is_bright = ~is_galaxy & (reference > flux_from_mag(reference_bright))
    signs = _signs_in_cutout(survey, measured, np.abs(flux) / flux_err)
    signs["dipole"] = np.maximum(signs["dipole"], 0.6 * is_dipole)
    signs["star_residual"] = np.where(is_bright, 0.9 * _ramp(-np.abs(flux) / reference, -0.02, -0.002), 0.0)
    signs["alternating"] = np.where(highest_snr < max_noise_snr, 0.8 * _ramp(changes, 1, 5), 0.0)
    columns = {f"cutout_{name}": values for name, values in measured._asdict().items() if name != "noise"}
    return columns | {"flux_sign_changes": changes, "constant_chi2": chi2} | _verdict(signs)


def _signs_in_cutout(survey: Texts, measured: CutoutMeasurements, claimed_snr: Floats) -> Arrays:
    low, high = np.array([_SHARP.get(name, _SHARP["ztf"]) for name in survey]).reshape(-1, 2).T
    is_seen = measured.peak_snr > 5.0
    # noise makes a peak look sharper: two sigma are subtracted
    sharpness = measured.sharpness - 2.1 / measured.peak_snr
    expected = 0.5 * claimed_snr  # an aperture has a lower signal to noise than a fit of the seeing
    return {
        "dipole": is_seen * _ramp(measured.negative_fraction, 0.1, 0.3),
        "cosmic_ray": is_seen * _ramp(sharpness, low, high),
        "line": _ramp(measured.line_snr, 5.0, 9.0),
        "masked": _ramp(measured.aperture_masked_fraction, 0.1, 0.3),
        "empty": _ramp(expected - measured.snr, 2.0, 3.5) * _ramp(-measured.snr / expected, -0.5, -0.25),
    }


def _ramp(value: Any, low: Any, high: Any) -> Floats:
    """0 up to `low`, 1 from `high` on, linear between; 0 where unknown."""
    return np.asarray(np.nan_to_num(np.clip((value - low) / (high - low), 0.0, 1.0)))


def _verdict(signs: Arrays) -> Arrays:
    names, values = np.array(list(signs), object), np.stack(list(signs.values()))
    score = 1.0 - np.prod(1.0 - values, axis=0)
    is_artefact = score >= 0.5
    reason = np.where(is_artefact, names[values.argmax(axis=0)], None)
    return {"artefact_score": score, "artefact_reason": reason, "is_artefact": is_artefact}


def _scatter(curve: LightCurves) -> tuple[Ints, Floats, Floats]:
    """Sign changes, reduced chi2 of a constant and highest signal to noise of the detections in the alert's band."""
    keep = np.isin(curve.kind, (DETECTION, LOW_QUALITY)) & in_alert_band(curve)
    seen = curve.kept(keep & np.isfinite(curve.flux) & (curve.flux_err > 0))
    row, n = owners(seen.offsets), len(seen)
    flux, err = seen.flux.astype(np.float64), seen.flux_err.astype(np.float64)
    is_change = (np.diff(row) == 0) & (np.sign(flux[1:]) != np.sign(flux[:-1]))
    highest = highest_of_each(seen, np.abs(flux) / err, np.ones(len(row), bool))
    points, weight = np.diff(seen.offsets), np.bincount(row, err**-2, minlength=n)
    mean = np.bincount(row, flux / err**2, minlength=n) / weight
    chi2 = np.bincount(row, ((flux - mean[row]) / err) ** 2, minlength=n)
    return np.bincount(row[1:][is_change], minlength=n), chi2 / np.where(points > 1, points - 1, np.nan), highest
