"""Ports of the loopback address: free ones, and those that a folder keeps from one start to the next."""

from __future__ import annotations

import json
import random
import socket
from contextlib import closing

from genpool_cli.errors import CliError
from genpool_cli.local.folder import Folder, write

HOST = "127.0.0.1"
#: Ports that a server keeps while it is away. The system gives none of these to a connection that goes out (Linux: from
#: 32768, ``net.ipv4.ip_local_port_range``; others from 49152), which would hold it for as long as it likes; from 30000
#: on a local cluster has its node ports.
SERVER_PORTS = range(20_000, 30_000)
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


def free_ports(count: int, among: range = SERVER_PORTS) -> list[int]:
    """Different ports that are free now. Raises OSError where there are not so many."""
    found: list[int] = []
    for port in random.sample(among, len(among)):
        if len(found) == count:
            break
        if is_free(port):
            found.append(port)
    if len(found) < count:
        raise OSError(f"Of ports {among.start} to {among.stop - 1} of {HOST}, {count} are not free.")
    return found
