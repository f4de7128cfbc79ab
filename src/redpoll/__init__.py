"""Redpoll, an alert broker for time-domain surveys.

The names below are the public interface; everything else may change.
"""

from redpoll.errors import RedpollError
from redpoll.plugin.contract import alert_filter, science_module
from redpoll.schema.column import Column

__all__ = ["Column", "RedpollError", "__version__", "alert_filter", "open", "science_module"]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name != "open":
        raise AttributeError(f"module 'redpoll' has no attribute '{name}'")
    from importlib import import_module

    return import_module("redpoll.client").open  # on demand: a module of science needs no store
