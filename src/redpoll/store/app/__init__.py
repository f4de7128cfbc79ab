"""The application database of a store: labels, models, saved filters, watchlists, anomaly models.

It is written by serve, the command and learning at any time, also while a run holds the writer's lock.
"""

from __future__ import annotations

from redpoll.store.app.app import App, open_app
from redpoll.store.app.ports import AnomalyLabel, AnomalyModel, BaseRows, Label, LabelQuery, NewModel

__all__ = ["AnomalyLabel", "AnomalyModel", "App", "BaseRows", "Label", "LabelQuery", "NewModel", "open_app"]
