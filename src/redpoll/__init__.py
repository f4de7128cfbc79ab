"""Redpoll, an alert broker for time-domain surveys.

Public are the names below and those of the modules `redpoll.light_curves`, `redpoll.photometry`,
`redpoll.curve_fitting`, `redpoll.statistics`, `redpoll.cutouts`, `redpoll.sky`, `redpoll.conditions`, `redpoll.typing`
and, for those who read a store, `redpoll.client`. The built-in science modules and filters import nothing else.
Everything else may change.
"""

from redpoll.errors import RedpollError, UsageError
from redpoll.plugin.contract import alert_filter, science_module
from redpoll.plugin.declare import feature, flag, probability
from redpoll.plugin.ports import Model
from redpoll.plugin.scores import class_scores
from redpoll.schema.column import Column

__all__ = [
    "Column",
    "Model",
    "RedpollError",
    "UsageError",
    "__version__",
    "alert_filter",
    "class_scores",
    "feature",
    "flag",
    "open",
    "probability",
    "science_module",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name != "open":
        raise AttributeError(f"module 'redpoll' has no attribute '{name}'")
    from importlib import import_module

    return import_module("redpoll.client").open  # on demand: a module of science needs no store
