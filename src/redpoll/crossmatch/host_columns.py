"""Columns of the context ``hosts``, importable without its dependencies."""

from __future__ import annotations

from redpoll.schema.column import Column

CATALOGUES = ("mangrove", "glade", "hyperleda")
"""Catalogues of galaxies that are used if built; the last for names and sizes only."""
COLUMNS = {
    "host_name": Column("string", doc="Name of the likely host; null if it has none, or no host.", ucd="meta.id"),
    "host_catalogue": Column(
        "string", doc="Catalogue the host is from; null without a host.", ucd="meta.dataset", indexed=False
    ),
    "host_arcsec": Column("float32", "arcsec", "Angle to the centre of the host.", "pos.angDistance"),
    "host_kpc": Column(
        "float32", "kpc", "Projected distance to the centre at the host's distance.", "pos.distance", indexed=False
    ),
    "host_d_dlr": Column(
        "float32", doc="Distance to the centre over the host's half-light radius in that direction.", ucd="arith.ratio"
    ),
    "host_redshift": Column("float32", doc="Redshift of the host as its catalogue gives it.", ucd="src.redshift"),
    "host_redshift_err": Column(
        "float32", doc="Its error; 0.01 and more is a photometric one. Null if not known.", indexed=False,
        ucd="stat.error;src.redshift",
    ),
    "host_distance_modulus": Column("float32", "mag", "Distance modulus of the host.", "phot.mag.distMod"),
    "host_chance": Column(
        "float32", doc="Chance that a galaxy at least as bright lies as near to a random position.", indexed=False,
        ucd="stat.probability",
    ),
}  # fmt: skip
