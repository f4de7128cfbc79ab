"""The folder of helpers that all tests of the data model share."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "unit" / "schema"))  # for fastavro_oracle and made_up_packets
