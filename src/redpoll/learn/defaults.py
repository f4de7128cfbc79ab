"""Which models Redpoll trains by itself, and on what: simulated nights of both surveys."""

from __future__ import annotations

_TRANSIENTS = (
    "sn_ia:50,sn_ii:25,sn_ibc:15,slsn:6,pisn:5,tde:8,kilonova:7,m_dwarf_flare:15,orphan_afterglow:5,microlensing:10,"
    "cataclysmic_variable:30,young_star:10"
)
DATA_SETS = (
    "simulate://ztf?alerts=12000&seed=101",
    "simulate://ztf?alerts=12000&seed=102",
    f"simulate://ztf?alerts=12000&seed=103&fractions={_TRANSIENTS}",
    "simulate://rubin?alerts=4000&seed=104",
    f"simulate://rubin?alerts=4000&seed=105&fractions={_TRANSIENTS}",
)
"""Two nights with every class, one with transients alone in the same proportions, and the like of Rubin."""
MODELS = ("early_sn_ia", "sn_vs_rest", "sn_types", "kilonova", "periodic_class")
"""Models that `redpoll train all` makes and the wheel holds."""
