"""Logging to stderr, with one logger per module and data as fields."""

from __future__ import annotations

import logging

from rich.console import Console
from rich.logging import RichHandler


def configure_logging(*, verbose: bool = False) -> None:
    """Send Redpoll's log to stderr: warnings, or with `verbose` also INFO."""
    handler = RichHandler(console=Console(stderr=True), show_path=False, markup=False)
    root = logging.getLogger("redpoll")
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO if verbose else logging.WARNING)
