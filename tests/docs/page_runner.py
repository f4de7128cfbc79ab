"""Run the examples of a Markdown page in an empty folder, as a reader would.

Blocks of ``console`` are commands after ``$``, blocks of ``python`` scripts; a block whose first line is
``# file: NAME`` is that file (``, continued`` appends). A block of ``text`` right after commands is what they print:
each of its lines must be there. A server is started, waited for, and stopped with Ctrl-C at the end. ``make`` is only
asked whether it knows the target, and shell lines that set up a terminal are passed over.

A page works in a folder of its own: it begins with ``mkdir NAME && cd NAME`` and ends with ``cd .. && rm -r NAME``, so
that pages work in any order and leave nothing behind.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(console|python|toml)\n(.*?)^```$(?:\n\n```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)
OWN_FOLDER = re.compile(r"mkdir (?P<name>[\w-]+) && cd (?P=name)")
DONE = re.compile(r"cd \.\. && rm -r (?P<name>[\w-]+)")
FILE = re.compile(r"# file: (?P<name>[\w./-]+)(?P<continued>, continued)?\n")
SECONDS = 300


@dataclass
class PageRunner:
    """Runs the blocks of pages in ``folder``; ``output`` is all that commands wrote to standard output."""

    folder: Path
    output: list[str] = field(default_factory=list)
    servers: list[tuple[subprocess.Popen[bytes], str]] = field(default_factory=list)

    def run(self, page: Path) -> None:
        """Run every block of a page, in order; AssertionError names what failed."""
        for language, text, printed in BLOCK.findall(page.read_text(encoding="utf-8")):
            before = len(self.output)
            if found := FILE.match(text):
                self._write(found, text)
            elif language == "python":
                self._finish([sys.executable, "-W", "error", "-c", text])
            elif language == "console":
                self._console(text)
            self._compare(printed, "".join(self.output[before:]))
        self._stop_servers()

    def _compare(self, shown: str, printed: str) -> None:
        lines = {line.rstrip() for line in printed.splitlines()}
        missing = [line for line in shown.splitlines() if line.rstrip() not in lines]
        assert not missing, f"the page shows what was not printed: {missing}\n{printed}"

    def _write(self, found: re.Match[str], text: str) -> None:
        with (self.folder / found["name"]).open("a" if found["continued"] else "w", encoding="utf-8") as file:
            file.write(text[found.end() :])

    def _console(self, text: str) -> None:
        for line in text.splitlines():
            if line.startswith("$ "):
                self._command(line[2:])

    def _command(self, line: str) -> None:
        words = shlex.split(line)
        if found := OWN_FOLDER.fullmatch(line):
            self.folder = self.folder / found["name"]
            self.folder.mkdir()
        elif found := DONE.fullmatch(line):
            self._leave(found["name"])
        elif words[0] == "make":
            subprocess.run([*words, "--dry-run"], cwd=ROOT, check=True, capture_output=True)
        elif words[:2] == ["redpoll", "serve"]:
            self._serve(words)
        elif words[0] != ".":
            self._finish(["bash", "-c", line])

    def _leave(self, name: str) -> None:
        assert self.folder.name == name, f"the page works in {self.folder.name}, not in {name}"
        self._stop_servers()
        shutil.rmtree(self.folder)
        self.folder = self.folder.parent

    def _finish(self, words: list[str]) -> None:
        done = subprocess.run(
            words, cwd=self.folder, env=environment(self.folder), capture_output=True, text=True, timeout=SECONDS
        )
        assert done.returncode == 0, f"{words[-1]}\n{done.stdout}\n{done.stderr}"
        self.output.append(done.stdout)

    def _serve(self, words: list[str]) -> None:
        port = free_port()
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        command = [*words, "--port", str(port)]
        server = subprocess.Popen(command, cwd=self.folder, env=environment(self.folder), **quiet)
        self.servers.append((server, f"http://127.0.0.1:{port}/"))

    def _stop_servers(self) -> None:
        for server, address in self.servers:
            status = answer(address, server)
            server.send_signal(signal.SIGINT)
            assert (status, server.wait(30)) == (200, 0), f"the server at {address}"
        self.servers.clear()


def environment(folder: Path) -> dict[str, str]:
    """The reader's environment: the commands of this Python first, the reader's folder importable, no test plugin."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return os.environ | {"PATH": path, "PYTHONPATH": str(folder), "COLUMNS": "100"}


def free_port() -> int:
    """A port on which no server listens."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


def answer(address: str, server: subprocess.Popen[bytes], seconds: float = 60) -> int:
    """HTTP status of an address, once the server answers."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and server.poll() is None:
        try:
            with urlopen(address) as response:
                return int(response.status)
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"{address} did not answer")
