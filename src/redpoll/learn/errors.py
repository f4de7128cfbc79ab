"""Errors of data sets and training sets."""

from __future__ import annotations

from redpoll.errors import RedpollError


class DatasetError(RedpollError):
    """A labelled data set, or a training set, that cannot be read or used."""
