"""Cameras of the surveys, and their error model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from redpoll.astro.photometry import flux_err_from_limiting_mag

Survey = Literal["ztf", "rubin"]


@dataclass(frozen=True)
class Instrument:
    """A survey's camera and its precision.

    ``half_width`` of a field [deg]; ``pixel_scale`` [arcsec] and ``detector_pixels``; ``cutout`` size of a cutout
    [pixels]; ``depth`` and ``bright`` the useful magnitudes; ``history_days`` the length of a packet's history.
    ``noise_factor``, ``excess``, ``photon_limit``, ``floor`` and ``template_light`` are explained in `flux_error`;
    ``scatter`` is how far measurements scatter, in units of that error; ``misfit`` is 1 if the error grows where a
    point source fits badly, 0 if it comes from the noise alone; ``gain`` is photons a count of a cutout, and ``noon``
    the fraction of the MJD day at which a night's date begins.
    """

    survey: Survey
    half_width: float
    n_detectors: int
    detector_pixels: int
    pixel_scale: float
    cutout: int
    depth: float
    bright: float
    history_days: float
    noise_factor: float
    excess: float
    photon_limit: float | None
    floor: float
    template_light: float
    scatter: float
    misfit: float
    gain: float
    noon: float

    def flux_error(
        self, flux: NDArray[np.float64], limiting_mag: NDArray[np.float64], template: NDArray[np.float64] | float = 0.0
    ) -> NDArray[np.float64]:
        """One-sigma error [nJy] of a difference flux [nJy] in an image of this five-sigma depth.

        Three parts in quadrature: the image's noise, photon noise that grows as the root of the flux (and of the
        light of the `template` under the source, nJy), and a relative floor. ZTF's were set to the sigmapsf of real
        packets at each magnitude and depth, with the floor of SNe Ia at 16 mag; their photon noise does not depend
        on the image's depth, but on ``photon_limit``. Rubin's follow from its photon rate in 30 s.
        """
        lights = np.abs(flux) + self.template_light * np.asarray(template)
        noise = self.noise_factor * flux_err_from_limiting_mag(limiting_mag)
        scale = (
            noise if self.photon_limit is None else self.noise_factor * flux_err_from_limiting_mag(self.photon_limit)
        )
        photons = self.excess**2 * lights * 5.0 * scale
        return np.asarray(np.sqrt(noise**2 + photons + (self.floor * flux) ** 2))


ZTF = Instrument(
    survey="ztf",
    half_width=3.6,
    n_detectors=64,
    detector_pixels=3072,
    pixel_scale=1.012,
    cutout=63,
    depth=20.5,
    bright=12.8,
    history_days=30.0,
    noise_factor=0.87,
    excess=0.14,
    photon_limit=20.5,
    floor=0.025,
    template_light=0.0,
    scatter=0.58,  # of SNe Ia after 30 d, about the line between neighbours; of simulated ones at 1.0 it is 0.95
    misfit=1.0,
    gain=6.2,
    noon=0.0,
)
RUBIN = Instrument(
    survey="rubin",
    half_width=1.75,
    n_detectors=189,
    detector_pixels=4072,
    pixel_scale=0.2,
    cutout=31,
    depth=23.8,
    bright=16.0,
    history_days=365.0,
    noise_factor=1.0,
    excess=0.021,
    photon_limit=None,
    floor=0.002,
    template_light=1.0,
    scatter=1.0,
    misfit=0.0,
    gain=1.6,
    noon=0.5,
)
INSTRUMENTS: dict[str, Instrument] = {"ztf": ZTF, "rubin": RUBIN}
