"""The contract of a store, as cases that every adapter runs.

An adapter is tested by a subclass that opens its stores::

    class TestMyStore(StoreCases):
        def url(self, tmp_path: Path) -> str:
            return new_database()

        def open(self, url: str, mode: str) -> Store:
            return my_open_store(url, mode=mode)
"""

from __future__ import annotations

from redpoll.testing.store_suite.alerts import AlertCases
from redpoll.testing.store_suite.cases import StoreCases, add, moved_to
from redpoll.testing.store_suite.classes import ClassCases
from redpoll.testing.store_suite.ledger import LedgerCases
from redpoll.testing.store_suite.maintenance import MaintenanceCases
from redpoll.testing.store_suite.objects import ObjectCases
from redpoll.testing.store_suite.rejected import RejectedCases
from redpoll.testing.store_suite.revisions import RevisionCases
from redpoll.testing.store_suite.scan import ScanCases
from redpoll.testing.store_suite.writing import WritingCases

__all__ = ["StoreCases", "StoreSuite", "add", "moved_to"]


class StoreSuite(
    WritingCases,
    AlertCases,
    ClassCases,
    ObjectCases,
    LedgerCases,
    RejectedCases,
    RevisionCases,
    MaintenanceCases,
    ScanCases,
):
    """All cases."""
