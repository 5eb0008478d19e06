"""Which hosts and addresses may be reached. Pure: the adapter resolves and connects, and asks here before each step."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Sequence
from urllib.parse import urlsplit

from genpool_core.api.security import HostRule
from genpool_core.errors import RefusedInput
from genpool_core.hostnames import host_fault

MAX_URL = 4096
DEFAULT_PORTS = (80, 443)
#: Shown instead of what cannot be read as a URL.
UNREADABLE = "(a URL that cannot be read)"
#: Last label of a host that resolvers take for an IPv4 address: no name of the public DNS ends so.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

#: All IPv6 addresses that are given out (RFC 4291); outside lie IPv4-compatible, site-local and translated ones.
_IPV6_UNICAST = ipaddress.ip_network("2000::/3")
#: Documentation (RFC 9637), which older Pythons take for public.
_IPV6_EXAMPLES = ipaddress.ip_network("3fff::/20")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
#: Protocol assignments (RFC 6890): some reach the network's own NAT device.
_IPV4_PROTOCOLS = ipaddress.ip_network("192.0.0.0/24")


def redact(url: str) -> str:
    """A URL for logs and messages: without user, password, query and fragment, which may be secrets."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return UNREADABLE
    if not parts.scheme or not host:
        # Not even the shape of a URL: what stands where is unknown, a password perhaps.
        return UNREADABLE
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}{'' if port is None else f':{port}'}{parts.path}"


def check_url(url: str, allow: Sequence[HostRule]) -> tuple[str, int]:
    """Host and port of a URL that may be asked for, before its name is resolved.

    Raises
    ------
    RefusedInput
        It is no http(s) URL, names a host that cannot be, carries a password, or its host, port or address is not
        allowed.
    """
    _check_text(url)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise RefusedInput("the URL cannot be read: send an http or https URL.") from None
    host = (parts.hostname or "").lower()
    if parts.scheme not in {"http", "https"} or not host:
        raise RefusedInput(f"{redact(url)} is not an http or https URL: send one.")
    if parts.username is not None or parts.password is not None:
        raise RefusedInput(f"{redact(url)} carries a user or password: send a URL without.")
    # A bracket holds an IPv6 address; the standard knows another kind, and nobody else does.
    fault = host_fault(f"{host}:" if "[" in parts.netloc and ":" not in host else host)
    if fault is not None:
        raise RefusedInput(f"host {host!r:.80} cannot be: {fault}. Send an http or https URL.")
    host = host.rstrip(".")
    if port is None:
        port = 443 if parts.scheme == "https" else 80
    rule = _rule_for(host, allow)
    if rule is None and allow:
        raise RefusedInput(f"host {host} is not on the pool's list of allowed hosts.")
    if port not in ((rule.ports if rule else ()) or DEFAULT_PORTS):
        raise RefusedInput(f"port {port} of host {host} is not allowed by the pool.")
    _check_address(host, allow)
    return host, port


def _check_address(host: str, allow: Sequence[HostRule]) -> None:
    """Refuse a host that is an address itself, where that may not be reached: nothing has to be resolved for it."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        if _NUMBER.fullmatch(host.rpartition(".")[2]):
            raise RefusedInput(
                f"host {host:.80} is an address in a form that programs read differently: send four decimal numbers.",
                reason="AddressNotAllowed",
            ) from None
        return
    if not address_allowed(host, address, allow):
        raise RefusedInput(
            f"address {host} may not be reached: a private address needs an entry with cidrs in the pool's list of "
            "allowed hosts.",
            reason="AddressNotAllowed",
        )


def _check_text(url: str) -> None:
    """Refuse what no URL is, before readers of URLs disagree about it: some drop a line break, others encode it."""
    if len(url) > MAX_URL:
        raise RefusedInput(f"the URL is longer than {MAX_URL} characters: send a shorter one.")
    if any(unicodedata.category(char) in {"Cc", "Cs"} for char in url):
        raise RefusedInput("the URL holds a line break or another control character: send it without.")


def address_allowed(host: str, address: Address, allow: Sequence[HostRule]) -> bool:
    """Whether ``host`` may be reached at ``address``: a public one, or one in a network that the host's entry names."""
    address = _plain(address)
    rule = _rule_for(host.lower().rstrip("."), allow)
    if rule is not None and rule.cidrs:
        return any(address in ipaddress.ip_network(cidr, strict=False) for cidr in rule.cidrs)
    return _is_public(address)


def _is_public(address: Address) -> bool:
    """Whether an address is public. Stricter than ``is_global``, which is a list of exceptions."""
    if not address.is_global or address.is_multicast:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        return address in _IPV6_UNICAST and address not in _IPV6_EXAMPLES
    return address not in _IPV4_PROTOCOLS


def _plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 one embeds (mapped, NAT64 or 6to4): the packet goes there."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped
        if address.sixtofour:
            return address.sixtofour
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _rule_for(host: str, allow: Sequence[HostRule]) -> HostRule | None:
    """The entry for a host: the one with its name, else the longest wildcard above it."""
    exact = [rule for rule in allow if rule.host.lower().rstrip(".") == host]
    below = [rule for rule in allow if rule.host.startswith("*.") and host.endswith(rule.host[1:].lower())]
    return next(iter(exact + sorted(below, key=lambda rule: -len(rule.host))), None)
