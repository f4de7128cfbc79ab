"""Description of a built catalogue, stored in its folder as ``facts.json``."""

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
    """Description of a built catalogue.

    Attributes
    ----------
    version
        Eight hexadecimal digits of the hash of source and recipe; changes whenever matches may change.
    rows, skipped
        Number of rows kept, and of rows skipped by reason.
    source, sha256
        Name and SHA-256 of the file it was built from.
    built, redpoll
        Time of the build (ISO 8601, UTC), and version of Redpoll.
    sky_fraction
        Fraction of the HEALPix cells of order 4 (3.7 degrees) with a source; None for a catalogue by key.
    n_bytes
        Size of the folder.
    layers
        Layers of the index of positions.
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
    """Write the facts to a folder."""
    (folder / FACTS).write_text(json.dumps(asdict(facts), indent=2), encoding="utf-8")


def read_facts(folder: Path) -> Facts:
    """The facts in a folder; CatalogError if they do not exist, are damaged, or have another format."""
    path = folder / FACTS
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
        if tree["format"] != FORMAT:
            raise CatalogError(f"{folder}: is of format {tree['format']}, this is {FORMAT}; {rebuild(folder)}")
        return Facts(**{**tree, "layers": tuple(Layer(**layer) for layer in tree["layers"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CatalogError(f"{path}: cannot be read ({error}); {rebuild(folder)}") from error


def rebuild(folder: Path) -> str:
    """Remedy for a damaged catalogue, for messages."""
    return f"build it again: redpoll catalog add {folder.name}"
