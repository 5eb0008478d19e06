"""Which of a name's addresses to connect to. Pure; the guarded HTTP session asks here after it has resolved a name."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from genpool_core.api.security import HostRule
from genpool_core.egress_policy import address_allowed
from genpool_core.errors import RefusedInput


def allowed_addresses(host: str, resolved: Sequence[str], allow: Sequence[HostRule]) -> list[str]:
    """Those of ``resolved`` that may be connected to, in the resolver's order and once each.

    Raises
    ------
    RefusedInput
        None of them may be reached.
    """
    unique = dict.fromkeys(resolved)
    allowed = [text for text in unique if _allowed(host, text, allow)]
    if not allowed:
        raise RefusedInput(
            f"host {host} has no address that GenPool may connect to: a private address needs an entry with cidrs in "
            "the pool's list of allowed hosts.",
            reason="AddressNotAllowed",
        )
    return allowed


def _allowed(host: str, text: str, allow: Sequence[HostRule]) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:  # a scoped address such as fe80::1%eth0 is of this link only
        return False
    return address_allowed(host, address, allow)
