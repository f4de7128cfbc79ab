"""Filter: moving objects that may be new."""

from __future__ import annotations

from redpoll import alert_filter
from redpoll.conditions import is_solar_system
from redpoll.typing import Bools, Texts


@alert_filter()
def solar_system_candidates(
    is_good: Bools,
    roid: Texts,
    *,
    include_known: bool = False,
) -> Bools:
    """Solar-system candidates that are in no catalogue; the known objects too if include_known is set."""
    return is_good & (is_solar_system(roid) if include_known else roid == "candidate")
