"""Positions on the sky: separations, Galactic and ecliptic coordinates; ICRS degrees in.

>>> galactic_latitude([192.85948], [27.12825]).round(4).tolist()
[90.0]
"""

from __future__ import annotations

from redpoll.astro.sky import ecliptic_latitude, galactic, galactic_latitude, hpx29, separation_arcsec

__all__ = ["ecliptic_latitude", "galactic", "galactic_latitude", "hpx29", "separation_arcsec"]
