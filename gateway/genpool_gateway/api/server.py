"""The HTTP server of the API: uvicorn in a thread of its own, on a socket that is bound before anything starts."""

from __future__ import annotations

import socket
import threading
from functools import partial

import uvicorn
from fastapi import FastAPI

from genpool_adapters.settings import variable
from genpool_core import timing
from genpool_core.errors import SettingsError
from genpool_gateway.api.protocol import BoundedHead
from genpool_gateway.events.hub import Hub

_BACKLOG = 1024


class ApiServer:
    """Serves an application. Its constructor takes the port (0: any free one); raises SettingsError where it cannot."""

    def __init__(
        self,
        app: FastAPI,
        hub: Hub,
        *,
        port: int,
        host: str = "",
        headers_seconds: float = timing.HEADERS_SECONDS,
    ) -> None:
        self._hub = hub
        try:
            # Dual stack, where the machine has IPv6 at all.
            self._socket = (
                socket.create_server(
                    (host, port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=_BACKLOG
                )
                if not host and socket.has_dualstack_ipv6()
                else socket.create_server((host, port), backlog=_BACKLOG)
            )
        except OSError as error:
            raise SettingsError(
                f"port {port} for the API cannot be used ({error.strerror}): set {variable('api_port')} to a free one."
            ) from error
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                http=partial(BoundedHead, seconds=headers_seconds),  # type: ignore[arg-type] # it makes one
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=True,
                proxy_headers=False,
                timeout_graceful_shutdown=int(timing.API_DRAIN_SECONDS),
                timeout_keep_alive=int(timing.API_KEEP_ALIVE_SECONDS),
            )
        )
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="api", daemon=True
        )

    @property
    def port(self) -> int:
        """Port that it listens on."""
        return int(self._socket.getsockname()[1])

    def start(self) -> None:
        """Serve until :meth:`stop`; returns at once."""
        self._thread.start()

    def unready(self) -> str | None:
        """Why no request is answered now; None when they are."""
        return None if self._server.started else "the API has not started yet."

    def unhealthy(self) -> str | None:
        """Why this process should be restarted; None when it works."""
        alive = self._thread.is_alive() or self._server.should_exit
        return None if alive else "the thread of the API has ended: see the log."

    def stop(self, seconds: float) -> None:
        """Take no more requests, end those who watch, and wait for the rest, at most so long."""
        self._hub.close_soon()
        self._server.should_exit = True
        self._thread.join(seconds)
