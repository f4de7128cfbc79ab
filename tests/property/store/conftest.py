"""The slow rule of one measurement per exposure, which tests of the data model and of the store share."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "unit" / "schema"))  # exposure_oracle
