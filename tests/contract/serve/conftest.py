"""A served store, asked without a network."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for the synthetic night, which two folders of tests share

from served import Get, client
from synthetic_night import make_store


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a synthetic night."""
    return make_store(tmp_path_factory.mktemp("serve") / "store")


@pytest.fixture(scope="session")
def get(store: Path) -> Get:
    """Ask the application over the synthetic night."""
    return client(store)
