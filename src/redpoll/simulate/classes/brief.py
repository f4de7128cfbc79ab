"""The one exposure that shows a brief event."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll.simulate.classes.contract import Array, Epochs


def chosen_epoch(moment: Array, epochs: Epochs, weight: Array | float = 1.0) -> NDArray[np.int64]:
    """Index of one epoch of the window for each object, by a number `moment` from 0 to 1; the heavier the likelier."""
    so_far = np.cumsum(np.where(epochs.in_window, weight, 0.0))
    total = np.concatenate([[0.0], so_far])[epochs.offsets]
    wanted = total[:-1] + moment * np.diff(total)
    return np.asarray(np.searchsorted(so_far, wanted, side="right").clip(max=epochs.offsets[1:] - 1))
