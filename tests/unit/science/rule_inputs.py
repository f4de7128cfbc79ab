"""Inputs of a rule for one quiet, empty alert after another, some of them changed."""

from __future__ import annotations

from typing import Any

import numpy as np

_USUAL: dict[str, Any] = {
    "is_good": True, "roid": "not_sso", "age": 1.0, "n_detections": 3.0, "survey": "ztf", "is_positive": True,
    "is_streak": False, "is_dipole": False, "has_bad_pixels": False, "ra": 180.0, "dec": 60.0, "flux": 1e5,
    "flux_err": 1e3, "sso_name": None, "cutout_difference": None, "cutout_science": None, "cutout_template": None,
    "spicy_class": None, "simbad_type": None, "vsx_type": None, "mag": 18.9, "is_artefact": False,
}  # fmt: skip


def answers(module: Any, n: int = 1, /, **changed: Any) -> Any:
    """What a module says of `n` alerts; a setting is given as is, a column as one value for all or one for each."""
    given = {}
    for name in module.inputs:
        value = changed.pop(name, _USUAL.get(name, np.nan))
        given[name] = value if name.endswith("light_curve") else _column(name, value, n)
    with np.errstate(all="ignore"):
        return module(**given, **changed)


def _column(name: str, value: Any, n: int) -> Any:
    array = np.empty(n, object)
    array[:] = value if isinstance(value, list) else [value] * n
    usual = _USUAL.get(name, np.nan)
    return array if usual is None or isinstance(usual, str) else array.astype(type(usual))
