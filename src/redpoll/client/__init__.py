"""Python client: alerts, objects, light curves and cutouts of a store, for scripts and notebooks.

Light to import; `redpoll.open` is the same function.

>>> import tempfile
>>> from redpoll.store import open_store
>>> with tempfile.TemporaryDirectory() as folder:
...     open_store(folder, mode="write").close()
...     with open(folder) as client:
...         len(client.alerts("mag < 18", night=20260310))
0
"""

from __future__ import annotations

from redpoll.client.client import Client, open
from redpoll.client.result import QueryResult

__all__ = ["Client", "QueryResult", "open"]
