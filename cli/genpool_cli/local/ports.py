"""Ports of the loopback address: free ones, and those that a folder keeps from one start to the next."""

from __future__ import annotations

import json
import socket
from contextlib import ExitStack, closing

from genpool_cli.errors import CliError
from genpool_cli.local.folder import Folder, write

HOST = "127.0.0.1"
_OWN = ("amqp", "management", "mapper", "distribution", "gateway", "worker")


def kept_ports(folder: Folder, api: int) -> dict[str, int]:
    """Ports of this folder: the same at each start where they are still free. Raises CliError."""
    path = folder.data / "ports.json"
    known: dict[str, int] = json.loads(path.read_text(encoding="ascii")) if path.exists() else {}
    if not all(is_free(known.get(name, 0)) for name in _OWN):
        known = dict(zip(_OWN, free_ports(len(_OWN)), strict=True))
        write(path, json.dumps(known))
    if not is_free(api):
        raise CliError(f"Port {api} is taken: name another one for the API by --port.", reason="PortTaken")
    return {**known, "api": api}


def is_free(port: int) -> bool:
    """Whether a server may listen there; never so for 0."""
    if not port:
        return False
    try:
        with closing(socket.create_server((HOST, port))):
            return True
    except OSError:
        return False


def free_ports(count: int) -> list[int]:
    """Different ports that are free now. Raises OSError."""
    with ExitStack() as stack:
        taken = [stack.enter_context(closing(socket.create_server((HOST, 0)))) for _ in range(count)]
        return [int(one.getsockname()[1]) for one in taken]
