"""Exceptions of Redpoll.

A message states what is wrong, where, and what to do::

    RedpollError
    ├── UsageError            an invalid command or setting (exit code 2)
    │   ├── ConfigError       an unknown key or wrong type in the configuration
    │   ├── RecipeError       an unknown key or wrong type in a catalogue's recipe
    │   └── BadQuery          a request to the server that cannot be answered as it was made
    ├── SchemaError           a schema or column that does not fit
    │   ├── FieldError        a field of a packet has a value that cannot be used
    │   └── UnknownColumn     a module reads a column that does not exist
    ├── PacketError           one packet that cannot be used; becomes a dead letter
    ├── SourceError           a source of packets, or a file on a server, that cannot be read
    ├── PluginError           a module, filter, source or sink that breaks the contract
    ├── ModelError            a trained model, or its card, that cannot be used
    ├── ExpressionError       an invalid filter expression
    ├── DatasetError          a labelled data set, or a training set, that cannot be read or used
    ├── CatalogError          a catalogue that cannot be fetched, built or opened
    ├── SkyFileError          a watchlist, region, sky map or dust map that cannot be read
    ├── SinkError             a sink that cannot be reached, or does not take its messages
    ├── SinkBackpressure      a sink is full; try again later
    └── StoreError            the store cannot be opened, read or written
        ├── StoreLocked       another run is writing to the store
        ├── StoreTimeout      a query took longer than it may
        └── NotFound          no such object, alert, cutout or dead letter
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

_N_SHOWN, _MAX_TEXT = 20, 100


def near(name: str, known: Iterable[str]) -> str:
    """The end of a message about a name that does not exist: the names most like it, or else all of them if few.

    >>> near("ztff", ["ztf", "rubin"]), near("sdss", ["ztf", "rubin"])
    ('; near: ztf', '; known: rubin, ztf')
    """
    names = sorted(known)
    if found := get_close_matches(name[:_MAX_TEXT], names, n=3, cutoff=0.5):
        return f"; near: {', '.join(found)}"
    return f"; known: {', '.join(names)}" if 0 < len(names) <= _N_SHOWN else ""


class RedpollError(Exception):
    """Base class of all exceptions of Redpoll."""


class UsageError(RedpollError):
    """An invalid command or setting."""


class ConfigError(UsageError):
    """The configuration file has an unknown key or a value of the wrong type."""


class BadQuery(UsageError):
    """A request to the server that cannot be answered as it was made, such as one with a stale cursor."""


class SchemaError(RedpollError):
    """A schema or column that does not fit."""


class FieldError(SchemaError):
    """A field of a packet has a value that cannot be used; other packets of the schema can."""


class UnknownColumn(SchemaError):
    """A module reads a column that no alert field or module provides."""

    def __init__(self, module: str, name: str, available: Sequence[str]) -> None:
        self.module, self.name, self.near = module, name, near(name, available)
        super().__init__(f"{module} reads '{name}', which no alert field or module provides{self.near}")


class PacketError(RedpollError):
    """One packet that cannot be used; the pipeline keeps it as a dead letter."""


class SourceError(RedpollError):
    """A source of packets, or a file on a server, that cannot be read."""


class PluginError(RedpollError):
    """A module, filter, source or sink that breaks the contract."""


class ModelError(RedpollError):
    """A trained model, or its card, that cannot be used."""


class ExpressionError(RedpollError):
    """An invalid filter expression."""


class SinkError(RedpollError):
    """A sink that cannot be reached, or does not take its messages."""


class SinkBackpressure(RedpollError):
    """A sink is full; try again later."""


class StoreError(RedpollError):
    """The store cannot be opened, read or written."""


class StoreLocked(StoreError):
    """Another run is writing to the store."""


class StoreTimeout(StoreError):
    """A query of the store took longer than it may."""


class NotFound(StoreError):
    """No such object, alert, cutout or dead letter."""
