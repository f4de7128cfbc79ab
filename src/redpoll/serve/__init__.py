"""Pages and API over a store, to read while a run writes."""

from redpoll.serve.app import create_app
from redpoll.serve.run import serve

__all__ = ["create_app", "serve"]
