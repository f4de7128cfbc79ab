"""Everything that a store answers about its alerts and objects, for tests that compare two stores."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from redpoll.store import Store
from redpoll.store.stored_columns import TOPICS

__all__ = ["contents"]
_N_WHOLE = 12


def contents(store: Store) -> dict[str, Any]:
    """Alerts with every column and its maker, objects with their classifications, counts of topics and classes.

    Of the newest dozen alerts, all columns are read from the archive as well. Values that are null, false or empty are
    left out, because a store may have columns that none of its alerts has values in.
    """
    names = [*store.alerts.schema().names, TOPICS]
    table = store.alerts.scan(list(dict.fromkeys([*names, "classes"])), order_by="newest").to_table()
    rows = [_values(table.slice(i, 1)) for i in range(table.num_rows)]
    keys = list(zip(table["survey"].to_pylist(), table["alert_id"].to_pylist(), strict=True))
    makers = [store.alerts.provenance(alert_id, survey) for survey, alert_id in keys]
    whole = [_values(store.alerts.get(alert_id, survey)) for survey, alert_id in keys[:_N_WHOLE]]
    return {
        "alerts": dict(zip(keys, rows, strict=True)),
        "makers": [{name: made[name] for name in row if name in made} for row, made in zip(rows, makers, strict=True)],
        "archived": whole,
        "objects": {name: _object(store, name) for name in sorted(set(table["object_id"].to_pylist()))},
        "topics": {name: n for name, n in store.ledger.topics().items() if n},
        "classes": {name: n for name, n in store.ledger.classes().items() if n},
    }


def _values(row: pa.Table) -> dict[str, str]:
    """Columns of one row; floats as text with all their digits."""
    found = {name: row[name][0].as_py() for name in row.column_names}
    return {name: repr(value) for name, value in found.items() if value not in (None, False, [])}


def _object(store: Store, name: str) -> list[Any]:
    summary = store.objects.get(name).to_rows()[0]
    known = {key: repr(value) for key, value in summary.items() if value is not None}
    return [known, *sorted(map(repr, store.objects.classifications(name).to_rows()))]
