"""The folder of helpers that all tests of the data model share."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # for fastavro_oracle and synthetic_packets
