"""Running the server."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import uvicorn

from redpoll.errors import UsageError
from redpoll.serve.app import create_app


def serve(
    store_path: Path, host: str = "127.0.0.1", port: int = 8700, ready: Callable[[str], None] | None = None
) -> None:
    """Serve the store at an address until Ctrl-C or SIGTERM.

    Parameters
    ----------
    store_path
        Folder of the store; it need not exist yet.
    host, port
        Where to listen; port 0 takes a free one.
    ready
        Called with the address, such as ``http://127.0.0.1:8700``, once requests are answered.

    Raises
    ------
    UsageError
        If the address cannot be listened on, because it is taken or not of this machine.
    """
    listener = _listen(host, port)
    address = f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
    config = uvicorn.Config(create_app(store_path), log_level="warning", access_log=False, server_header=False)
    with listener, suppress(KeyboardInterrupt):  # uvicorn ends in good order, and then raises it again
        _Server(config, address, ready).run(sockets=[listener])


class _Server(uvicorn.Server):
    """uvicorn's server, with a call when it has begun to answer."""

    def __init__(self, config: uvicorn.Config, address: str, ready: Callable[[str], None] | None) -> None:
        super().__init__(config)
        self._address, self._ready = address, ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, then call `ready`."""
        await super().startup(sockets)
        if self._ready is not None and self.started:
            self._ready(self._address)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise UsageError(f"cannot listen on {host} port {port}: {error}; choose another with --port") from error
    listener.set_inheritable(True)
    return listener
