from __future__ import annotations

import pytest

from genpool_adapters.address_filter import allowed_addresses
from genpool_core.api.security import HostRule
from genpool_core.errors import RefusedInput

HOST = "images.example.com"
INSIDE = HostRule(host=HOST, cidrs=["10.1.0.0/16", "fd00::/8"])


@pytest.mark.parametrize(
    ("resolved", "allow", "kept"),
    [
        (["93.184.216.34"], [], ["93.184.216.34"]),
        (["93.184.216.34", "93.184.216.34"], [], ["93.184.216.34"]),
        (["10.1.2.3", "93.184.216.34"], [], ["93.184.216.34"]),
        (["10.1.2.3"], [INSIDE], ["10.1.2.3"]),
        (["fd00::1", "10.1.2.3"], [INSIDE], ["fd00::1", "10.1.2.3"]),
        (["10.2.0.1", "10.1.0.1"], [INSIDE], ["10.1.0.1"]),
    ],
)
def test_only_allowed_addresses_are_kept_in_order(
    resolved: list[str], allow: list[HostRule], kept: list[str]
) -> None:
    assert allowed_addresses(HOST, resolved, allow) == kept


@pytest.mark.parametrize(
    ("resolved", "allow"),
    [
        ([], []),
        (["127.0.0.1"], []),
        (["::1"], []),
        (["169.254.169.254"], []),
        (["10.0.0.1", "192.168.0.1", "172.16.0.1"], []),
        (["100.64.0.1"], []),
        (["0.0.0.0"], []),  # noqa: S104 - an answer of a resolver
        (["224.0.0.1"], []),
        (["::ffff:127.0.0.1"], []),
        (["64:ff9b::7f00:1"], []),
        (["2002:7f00:1::"], []),
        (["fe80::1%eth0"], []),
        (["93.184.216.34"], [INSIDE]),
        (["10.1.2.3"], [HostRule(host="other.example.com", cidrs=["10.1.0.0/16"])]),
        (["not an address"], []),
    ],
)
def test_a_host_without_an_allowed_address_is_refused(resolved: list[str], allow: list[HostRule]) -> None:
    with pytest.raises(RefusedInput) as caught:
        allowed_addresses(HOST, resolved, allow)
    assert caught.value.reason == "AddressNotAllowed"
    assert not caught.value.retryable
