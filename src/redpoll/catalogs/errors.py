"""Errors of the catalogues."""

from __future__ import annotations

from redpoll.errors import RedpollError, UsageError


class CatalogError(RedpollError):
    """A catalogue that cannot be fetched, built or opened."""


class RecipeError(UsageError):
    """A catalogue's recipe has an unknown key, a value of the wrong type, or lacks something."""
