"""Redpoll, an alert broker for time-domain surveys.

The names below are the public interface; everything else may change.
"""

from redpoll.errors import RedpollError
from redpoll.plugin.contract import alert_filter, science_module
from redpoll.schema.column import Column

__all__ = ["Column", "RedpollError", "__version__", "alert_filter", "science_module"]
__version__ = "0.1.0"
