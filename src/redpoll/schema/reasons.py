"""How the reasons in the ledger begin."""

from __future__ import annotations

CUT = "cut: "
"""Beginning of the reason of every alert that a quality cut rejected; the column, comparison and threshold follow."""
