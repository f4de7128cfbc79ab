"""What every test may ask for."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("REDPOLL_DATA", ROOT.parent / "shared" / "data"))

hypothesis.settings.register_profile("redpoll", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("redpoll")


def pytest_configure(config: pytest.Config) -> None:
    """Processes that tests start keep the bytecode of what they import, as those of users do."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with a slow test come first, so that no process begins one when the others have nothing left to do."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Bytes are named by their argument: gzip writes the time, and workers that collect a second apart must agree."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture(autouse=True)
def log_as_it_was() -> Iterator[None]:
    """A test that runs a command in this process sets the log's level; the next test finds it as it was."""
    root = logging.getLogger("redpoll")
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real packets, named by REDPOLL_DATA; a test that needs it is skipped where it is absent."""
    if not DATA.is_dir():
        pytest.skip(f"no real packets at {DATA}; name their folder in REDPOLL_DATA")
    return DATA


@pytest.fixture(scope="session")
def ztf_night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a simulated ZTF night of 300 alerts."""
    return _simulated(tmp_path_factory, "ztf", 300)


@pytest.fixture(scope="session")
def rubin_night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a simulated Rubin night of 40 alerts."""
    return _simulated(tmp_path_factory, "rubin", 40)


def _simulated(factory: pytest.TempPathFactory, survey: str, n: int) -> Path:
    from redpoll.simulate import simulate_night

    folder = factory.mktemp(f"{survey}-night")
    simulate_night(folder, survey=survey, n_alerts=n, seed=1)
    return folder
