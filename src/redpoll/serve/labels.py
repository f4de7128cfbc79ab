"""Labels of columns for people: "Peak magnitude" for ``peak_mag``."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

from redpoll.schema.bands import BANDS
from redpoll.schema.taxonomy import taxonomy

BAND_COLUMN = re.compile(rf"(?P<stem>\w+)_(?P<band>[{''.join(BANDS)}])")
"""Name of a column that exists once per band."""
_WORDS = {
    "2mass": "2MASS name",
    "4lac": "4LAC",
    "agn": "AGN",
    "arcsec": "distance",
    "chi2": "χ²",
    "ctao": "CTAO",
    "cv": "CV",
    "dec": "in Dec",
    "drw": "DRW",
    "fom": "figure of merit",
    "fwhm": "FWHM",
    "gaia": "Gaia",
    "gcvs": "GCVS",
    "glade": "GLADE",
    "hsp": "3HSP",
    "hyperleda": "HyperLEDA",
    "mag": "magnitude",
    "mangrove": "Mangrove",
    "max": "maximum",
    "milliquas": "Milliquas",
    "min": "minimum",
    "mjd": "MJD",
    "mulens": "microlensing",
    "ned": "NED",
    "pgc": "PGC number",
    "pm": "proper motion",
    "ra": "in RA",
    "sed": "SED",
    "simbad": "SIMBAD",
    "sn": "supernova",
    "snr": "signal-to-noise ratio",
    "spicy": "SPICY",
    "sso": "Solar-System object",
    "tde": "TDE",
    "tns": "TNS",
    "vsx": "VSX",
}
"""Parts of names that are not words yet."""


def label_of(name: str, declared: str = "") -> str:
    """The label of a column: the declared one, else that of the table, else one derived from the name.

    >>> label_of("peak_mag"), label_of("mean_g"), label_of("p_sn_ia"), label_of("my_mag_err")
    ('Peak magnitude', 'Mean (g)', 'Probability: Supernova of type Ia', 'Error of my magnitude')
    >>> label_of("peak_mag", "Brightest so far")
    'Brightest so far'
    """
    if declared:
        return declared
    if name in known_labels():
        return known_labels()[name]
    if match := BAND_COLUMN.fullmatch(name):
        return f"{label_of(match['stem'])} ({match['band']})"
    return _derived(name)


@cache
def known_labels() -> dict[str, str]:
    """Label per column, or per column without its band, of the table ``labels.toml``."""
    tables = tomllib.loads(Path(__file__).with_name("labels.toml").read_text(encoding="utf-8"))
    return {name: label for table in tables.values() for name, label in table.items()}


def _derived(name: str) -> str:
    prefix, _, rest = name.partition("_")
    if prefix == "p" and rest:
        known = taxonomy().classes.get(rest)
        return f"Probability: {known.title if known else _words(rest)}"
    if prefix == "anomaly" and rest:
        return label_of(rest)
    if prefix == "n" and rest:
        return f"Number of {_words(rest)}"
    if prefix == "pass" and rest:
        return f"Passes filter {_words(rest)}"
    if name.endswith("_err"):
        return f"Error of {_lower(label_of(name.removesuffix('_err')))}"
    text = _words(rest if prefix in ("is", "has") and rest else name)
    return text[:1].upper() + text[1:]


def _words(name: str) -> str:
    return " ".join(_WORDS.get(part, part) for part in name.split("_") if part) or name


def _lower(text: str) -> str:
    """The text with a small first letter, unless its first word is an abbreviation or a name.

    >>> _lower("Supernova of type Ia"), _lower("AGN candidate"), _lower("RR Lyrae star")
    ('supernova of type Ia', 'AGN candidate', 'RR Lyrae star')
    """
    first = text.split(" ", 1)[0]
    is_name = first[1:] != first[1:].lower() or first.lower() in _WORDS or any(c.isdigit() for c in first)
    return text if is_name else text[:1].lower() + text[1:]
