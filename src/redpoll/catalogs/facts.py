"""What is known of a built catalogue, kept in its folder as ``facts.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from redpoll.astro.sky_index_layer import Layer
from redpoll.catalogs.errors import CatalogError

FORMAT = 1
RECIPE, FACTS, VALUES, KEYS = "recipe.toml", "facts.json", "values.arrow", "keys.npy"
ARRAYS = ("hpx", "xyz", "limit", "motion", "buckets")


@dataclass(frozen=True)
class Facts:
    """Facts of a built catalogue.

    Attributes
    ----------
    version
        Eight hexadecimal digits of the source and the recipe: it changes whenever an answer may change.
    rows, skipped
        Rows kept, and rows left out by reason.
    source, sha256
        Name and SHA-256 of the file it was built from.
    built, redpoll
        When (ISO 8601, UTC), and by which version of Redpoll.
    sky_fraction
        Fraction of the sky in whose cells of 3.7 degrees (HEALPix order 4) there is a source; None for
        a catalogue by key.
    n_bytes
        Size of the folder.
    layers
        Parts of the index of positions.
    """

    version: str
    rows: int
    skipped: Mapping[str, int]
    source: str
    sha256: str
    built: str
    redpoll: str
    sky_fraction: float | None
    n_bytes: int
    layers: tuple[Layer, ...] = ()
    format: int = field(default=FORMAT)


def write_facts(facts: Facts, folder: Path) -> None:
    """Keep the facts in a folder."""
    (folder / FACTS).write_text(json.dumps(asdict(facts), indent=2), encoding="utf-8")


def read_facts(folder: Path) -> Facts:
    """The facts in a folder; CatalogError if they are not there, damaged, or of another format."""
    path = folder / FACTS
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
        if tree["format"] != FORMAT:
            raise CatalogError(f"{folder}: is of format {tree['format']}, this is {FORMAT}; {rebuild(folder)}")
        return Facts(**{**tree, "layers": tuple(Layer(**layer) for layer in tree["layers"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CatalogError(f"{path}: cannot be read ({error}); {rebuild(folder)}") from error


def rebuild(folder: Path) -> str:
    """What to do about a damaged catalogue."""
    return f"build it anew: redpoll catalog add {folder.name}"
