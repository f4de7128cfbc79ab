"""Errors of the cross-match stage; those of catalogues are in `redpoll.catalogs.errors`."""

from __future__ import annotations

from redpoll.errors import RedpollError


class SkyFileError(RedpollError):
    """A watchlist, region, sky map or dust map that cannot be read."""
