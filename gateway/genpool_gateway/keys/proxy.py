"""The identity that a trusted proxy names. Pure."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Sequence

from genpool_gateway.keys.access import Caller

_MAX_NAME = 200
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def is_trusted(client: str, proxies: Sequence[Network]) -> bool:
    """Whether a request comes from one of the proxies' networks. ``client``: the connection's address."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return any(
        (mapped or address) in network
        for network in proxies
        if network.version == (mapped or address).version
    )


def caller_of(name: str) -> Caller | None:
    """The caller of a name that a proxy has checked; None where it is none."""
    name = name.strip()
    if not name or len(name) > _MAX_NAME or not name.isprintable():
        return None
    return Caller(id=f"user-{hashlib.sha256(name.encode()).hexdigest()[:16]}", name=name, role="user")
