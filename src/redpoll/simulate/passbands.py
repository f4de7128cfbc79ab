"""The six passbands as top hats: where they lie and how wide they are.

ZTF's g, r, i and Rubin's differ by up to 35 nm; the simulator uses one set for both surveys.
"""

from __future__ import annotations

import numpy as np

EFFECTIVE_WAVELENGTH = np.array([367.0, 482.0, 622.0, 755.0, 869.0, 971.0])
"""Centre of u, g, r, i, z, y [nm]."""
WIDTH = np.array([48.0, 128.0, 138.0, 122.0, 102.0, 82.0])
"""Full width of u, g, r, i, z, y [nm]."""
