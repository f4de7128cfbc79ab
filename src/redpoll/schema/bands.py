"""Names of the bands and of the kinds of light-curve point, in the order of their codes."""

from __future__ import annotations

BANDS = ("u", "g", "r", "i", "z", "y")
KINDS = ("detection", "forced", "upper_limit", "low_quality")
DETECTION, FORCED, UPPER_LIMIT, LOW_QUALITY = range(len(KINDS))
SURVEYS = ("ztf", "rubin", "elasticc")
