"""The folder of helpers that all tests of the data model share."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "unit" / "schema"))  # fastavro_oracle, synthetic_packets
sys.path.insert(0, str(Path(__file__).parent))  # real_packets and the slow twins
