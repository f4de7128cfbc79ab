"""The server starts, says where it is, and stops when told to."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from redpoll.errors import UsageError
from redpoll.serve import serve

PROGRAM = """
import sys
from pathlib import Path
from redpoll.serve import serve
serve(Path(sys.argv[1]), port=0, ready=lambda address: print(address, flush=True))
"""


def test_it_says_its_address_and_stops_clean_at_ctrl_c(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            assert httpx.get(f"{address}/healthz").json()["status"] == "ok"
            os.kill(process.pid, signal.SIGINT)
            assert process.wait(20) == 0
        finally:
            process.kill()


def test_a_taken_port_is_reported(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UsageError, match="choose another with --port"):
            serve(tmp_path, port=taken.getsockname()[1])


def test_an_impossible_port_is_reported(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot listen"):
        serve(tmp_path, port=70_000)
