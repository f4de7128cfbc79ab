"""Which objects are kept out of training: by a hash of their names, so that they stay when others come or go."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from redpoll.errors import UsageError

_TEST_SEED = 0


def in_test(objects: NDArray[np.str_], fraction: float) -> NDArray[np.bool_]:
    """Which rows are of objects that are kept out of training, by a hash of the object's name.

    >>> int(in_test(np.array([f"ZTF{n}" for n in range(1000)]), 0.25).sum())
    242
    """
    if not 0 < fraction < 1:
        raise UsageError(f"test fraction {fraction}: use a number between 0 and 1")
    is_test = {name: uniform_of(name, _TEST_SEED) < fraction for name in np.unique(objects).tolist()}
    return np.array([is_test[name] for name in objects.tolist()], bool)


def uniform_of(name: str, seed: int) -> float:
    """A number from 0 to 1 that depends on a name and a seed alone.

    >>> round(uniform_of("ZTF18aabssth", 0), 3) == round(uniform_of("ZTF18aabssth", 0), 3)
    True
    """
    digest = blake2b(f"{seed} {name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2.0**64
