"""Dipper: a star that dust dims for days to months, otherwise constant.

Eight of ten are old stars with one event, of 5 to 70 % and days to months, as Boyajian's star (Boyajian et al. 2016,
MNRAS 457, 3988: up to 22 %, days to weeks) and the deeper events of ASAS-SN (JoHantgen et al. 2025: 0.3 mag and more).
The others are young stars with a disc, which dim by 10 to 50 % for 0.5 to 2 d every few days, not quite periodically
(Cody et al. 2014, AJ 147, 82; Ansdell et al. 2016; Hedges et al. 2018). The optical depth goes as wavelength^-g, with g
from 0, grey, to 1.5; the ratio 1.94 of B to i in the dips of Boyajian's star (Boyajian et al. 2018, ApJ 853, L8) is
g = 1.2.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll.simulate.blackbody import EFFECTIVE_WAVELENGTH
from redpoll.simulate.classes.contract import Array, Environment, Epochs, Parameters, Window
from redpoll.simulate.classes.stars import difference_flux, draw_mag, stellar_mags

_R = 2
_ONCE = 1e5  # d
_GOLDEN = 0.6180339887


def dip_shape(t: Array, ingress: Array, egress: Array) -> Array:
    """Optical depth over the deepest, at times `t` [d] since it: half cosines with their own widths at half depth [d].

    >>> dip_shape(np.array([-4.0, -2.0, 0.0, 6.0]), np.array([2.0]), np.array([6.0])).round(2).tolist()
    [0.0, 0.5, 1.0, 0.5]
    """
    phase = np.clip(np.abs(t) / (2.0 * np.where(t < 0, ingress, egress)), 0.0, 1.0)
    return np.asarray(0.5 * (1.0 + np.cos(np.pi * phase)))


class Dipper:
    """Dipper; see the module."""

    name, moves = "dipper", False
    environment: Environment = "star"

    def draw(self, rng: np.random.Generator, n: int, window: Window) -> Parameters:
        """Largest loss of light in r, ingress and egress [d at half depth], time, recurrence [d], dust, star."""
        is_young = rng.random(n) < 0.2
        young_days, days = rng.uniform(0.5, 2.0, n), 10.0 ** rng.uniform(np.log10(3.0), np.log10(120.0), n)
        days = np.where(is_young, young_days, days)
        skew = np.exp(rng.normal(0.0, 0.4, n))
        ingress = days / (1.0 + skew)
        depth = np.where(is_young, rng.uniform(0.1, 0.5, n), np.exp(rng.uniform(np.log(0.05), np.log(0.7), n)))
        return {
            "is_young": is_young.astype(np.float64),
            "dip_depth": depth,
            "ingress_days": ingress,
            "egress_days": days - ingress,
            "dip_mjd": rng.uniform(window.start - 1.5 * days, window.end + days),
            "recurrence_days": np.where(is_young, days * rng.uniform(3.0, 6.0, n), _ONCE),
            "dust_slope": rng.uniform(0.0, 1.5, n),
            "mean_mag": draw_mag(rng, n, window, beyond=-2.0),
            "g_minus_r": np.where(is_young, rng.normal(1.2, 0.2, n), rng.normal(0.6, 0.2, n)).clip(0.2, 1.6),
        }

    def flux(self, parameters: Parameters, epochs: Epochs, rng: np.random.Generator) -> Array:
        """Flux [nJy] below the undimmed star; dips that come back have depths of their own, and come early or late."""
        p = {key: value[epochs.index] for key, value in parameters.items()}
        cycle = np.rint((epochs.mjd - p["dip_mjd"]) / p["recurrence_days"])
        order = np.mod(cycle * _GOLDEN + p["dust_slope"], 1.0)  # irregular, from 0 to 1
        late = np.where(p["is_young"] > 0, 0.3 * (np.mod(7.0 * order, 1.0) - 0.5), 0.0)
        t = epochs.mjd - p["dip_mjd"] - (cycle + late) * p["recurrence_days"]
        strength = np.where(p["is_young"] > 0, 0.3 + 0.7 * order, cycle == 0)
        tau = -np.log1p(-p["dip_depth"]) * strength * dip_shape(t, p["ingress_days"], p["egress_days"])
        tau *= (EFFECTIVE_WAVELENGTH[epochs.band] / EFFECTIVE_WAVELENGTH[_R]) ** -p["dust_slope"]
        return difference_flux(self.reference_mag(parameters), tau * 2.5 / np.log(10.0), epochs)

    def reference_mag(self, parameters: Parameters) -> NDArray[np.float64]:
        """Magnitudes of the undimmed star."""
        return stellar_mags(parameters["mean_mag"], parameters["g_minus_r"])
