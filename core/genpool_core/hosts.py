"""Which hosts and addresses may be reached. Pure: the adapter resolves and connects, and asks here before each step."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

from genpool_core.api.security import HostRule
from genpool_core.errors import RefusedInput

DEFAULT_PORTS = (80, 443)
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def redact(url: str) -> str:
    """A URL for logs and messages: without user, password, query and fragment, which may be secrets."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "(a URL that cannot be read)"
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


def check_url(url: str, allow: Sequence[HostRule]) -> tuple[str, int]:
    """Host and port of a URL that may be asked for, before its name is resolved.

    Raises
    ------
    RefusedInput
        It is no http(s) URL, carries a password, or its host or port is not allowed.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise RefusedInput("the URL cannot be read: send an http or https URL.") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise RefusedInput(f"{redact(url)} is no http or https URL: send one.")
    if parts.username is not None or parts.password is not None:
        raise RefusedInput(f"{redact(url)} carries a user or password: send a URL without.")
    port = port or (443 if parts.scheme == "https" else 80)
    host = parts.hostname.lower().rstrip(".")
    rule = _rule_for(host, allow)
    if rule is None and allow:
        raise RefusedInput(f"host {host} is not on the pool's list of allowed hosts.")
    if port not in ((rule.ports if rule else ()) or DEFAULT_PORTS):
        raise RefusedInput(f"port {port} of host {host} is not allowed by the pool.")
    return host, port


def address_allowed(host: str, address: Address, allow: Sequence[HostRule]) -> bool:
    """Whether ``host`` may be reached at ``address``: a public one, or one in a network that the host's entry names."""
    address = _plain(address)
    rule = _rule_for(host.lower().rstrip("."), allow)
    if rule is not None and any(address in ipaddress.ip_network(cidr, strict=False) for cidr in rule.cidrs):
        return True
    if rule is not None and rule.cidrs:
        return False
    return address.is_global and not address.is_multicast


def _plain(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one (mapped, NAT64 or 6to4), which is where the packet goes."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped
        if address.sixtofour:
            return address.sixtofour
        if address in ipaddress.ip_network("64:ff9b::/96"):
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _rule_for(host: str, allow: Sequence[HostRule]) -> HostRule | None:
    exact = [rule for rule in allow if rule.host.lower() == host]
    below = [rule for rule in allow if rule.host.startswith("*.") and host.endswith(rule.host[1:].lower())]
    return next(iter(exact + below), None)
