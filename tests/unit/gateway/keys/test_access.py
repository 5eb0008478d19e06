from __future__ import annotations

import ipaddress

import pytest

from genpool_core.messages.base import PoolRef
from genpool_gateway.keys.access import Caller, Role
from genpool_gateway.keys.proxy import caller_of, is_trusted
from genpool_gateway.keys.secret import digest_of, is_key, new_key

OWN, FOREIGN = PoolRef(namespace="art", name="text", uid="1"), PoolRef(namespace="art", name="photo", uid="2")


@pytest.mark.parametrize(
    ("role", "pools", "pool", "owner", "sees"),
    [
        ("user", None, OWN, "me", True),
        ("user", None, OWN, "other", False),
        ("user", None, OWN, None, False),
        ("user", {"art/photo"}, OWN, "me", False),
        ("user", set(), OWN, "me", False),
        ("operator", {"art/text"}, OWN, "other", True),
        ("operator", {"art/text"}, OWN, None, True),
        ("operator", {"art/text"}, FOREIGN, "me", False),
        ("admin", None, FOREIGN, None, True),
        ("admin", {"art/text"}, FOREIGN, None, False),
    ],
)
def test_who_sees_which_task(
    role: Role, pools: set[str] | None, pool: PoolRef, owner: str | None, sees: object
) -> None:
    caller = Caller("me", "me", role, None if pools is None else frozenset(pools))
    assert caller.may_see(pool, owner) is sees


def test_keys_are_long_and_never_the_same() -> None:
    keys = {new_key() for _ in range(100)}
    assert len(keys) == 100
    assert all(is_key(key) for key in keys)
    assert len({digest_of(key) for key in keys}) == 100


@pytest.mark.parametrize(
    "text", ["", "gpk_", "gpk_" + "a" * 42, "gpk_" + "a" * 44, "x" * 47, "gpk_" + "ä" * 43]
)
def test_what_is_no_key(text: str) -> None:
    assert not is_key(text)


@pytest.mark.parametrize(
    ("client", "trusted"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("11.0.0.1", False),
        ("fd00::1", True),
        ("fe80::1", False),
        ("", False),
        ("unix:", False),
    ],
)
def test_only_listed_networks_are_believed(client: str, trusted: object) -> None:
    networks = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8"))
    assert is_trusted(client, networks) is trusted


def test_nobody_is_believed_where_no_network_is_listed() -> None:
    assert not is_trusted("127.0.0.1", ())


def test_a_named_user_is_the_same_each_time_and_no_other_ones() -> None:
    ann, again, bob = (
        caller_of("ann@example.com"),
        caller_of(" ann@example.com "),
        caller_of("bob@example.com"),
    )
    assert ann == again
    assert ann is not None
    assert bob is not None
    assert ann.id != bob.id
    assert (ann.role, ann.pools) == ("user", None)


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 201])
def test_what_names_nobody(name: str) -> None:
    assert caller_of(name) is None
