"""A TCP proxy on loopback that a test can cut: connections break, and new ones are refused until it is mended.

It can take TLS from its clients, for a server that speaks none.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import threading

from support.ports import free_port


class TcpProxy:
    """Forwards ``127.0.0.1:port`` to a target; end it with :meth:`close`."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._target = (host, port)
        self._tls = tls
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._hangs = threading.Event()
        self._moves = threading.Event()
        self._server: socket.socket | None = None
        self.port = free_port()
        self.mend()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def hang(self) -> None:
        """Take connections and all that is sent, and give nothing on, until :meth:`mend`."""
        self._hangs.set()

    def stall(self) -> None:
        """Move nothing until :meth:`mend`; what is sent meanwhile arrives then, as when a network loses packets."""
        self._moves.clear()

    def mend(self) -> None:
        """Take connections (again), on the same port."""
        self._hangs.clear()
        self._moves.set()
        if self._server is not None:
            return
        self._server = server = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(server,), name="tcp-proxy", daemon=True).start()

    def cut(self) -> None:
        """Break every connection and refuse new ones."""
        server, self._server = self._server, None
        if server is not None:
            # A shutdown wakes the thread that waits in accept; a close alone does not.
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            server.close()
        self._moves.set()
        self.break_connections()

    def break_connections(self) -> None:
        """Break every connection; new ones are taken."""
        with self._lock:
            for item in self._open:
                with contextlib.suppress(OSError):
                    item.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """The end."""
        self.cut()

    def _accept(self, server: socket.socket) -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=self._forward, args=(client,), name="tcp-proxy", daemon=True).start()

    def _forward(self, client: socket.socket) -> None:
        with contextlib.ExitStack() as stack:
            stack.enter_context(client)
            try:
                if self._tls is not None:
                    client = stack.enter_context(self._tls.wrap_socket(client, server_side=True))
                target = stack.enter_context(socket.create_connection(self._target, timeout=5))
            except OSError:
                return
            target.settimeout(None)
            with self._lock:
                self._open |= {client, target}
            with contextlib.suppress(OSError):
                _pump(client, target, self._hangs, self._moves)
            with self._lock:
                self._open -= {client, target}


def _pump(left: socket.socket, right: socket.socket, hangs: threading.Event, moves: threading.Event) -> None:
    """Move bytes both ways until one side ends."""
    with selectors.DefaultSelector() as selector:
        selector.register(left, selectors.EVENT_READ, right)
        selector.register(right, selectors.EVENT_READ, left)
        while True:
            found = selector.select()
            moves.wait()
            for key, _ in found:
                source = key.fileobj
                assert isinstance(source, socket.socket)
                data = source.recv(1 << 16)
                # What TLS has read already makes no event.
                while isinstance(source, ssl.SSLSocket) and source.pending():
                    data += source.recv(1 << 16)
                if not data:
                    return
                if not hangs.is_set():
                    key.data.sendall(data)
