from __future__ import annotations

from dataclasses import replace

import pytest

from genpool_core import timing
from genpool_gateway.keys.identify import FIRST_KEY, KeyRing
from genpool_gateway.keys.secret import new_key
from unit.gateway.keys.key_fakes import FIRST, KEY, MemoryKeys
from unit.gateway.samples import NOW


class World:
    def __init__(self) -> None:
        self.store, self.now, self.first = MemoryKeys(), 0.0, (FIRST,)
        self.ring = KeyRing(self.store, lambda: self.first, clock=lambda: self.now)


@pytest.fixture
def world() -> World:
    return World()


def test_a_key_gives_its_caller(world: World) -> None:
    caller = world.ring.look_up(KEY)
    assert caller is not None
    assert (caller.id, caller.role, caller.pools, caller.max_queued) == (
        "key-1",
        "user",
        frozenset({"art/text"}),
        10,
    )


def test_the_key_of_the_installation_needs_no_database(world: World) -> None:
    world.store.failing = True
    caller = world.ring.look_up(FIRST)
    assert caller is not None
    assert (caller.id, caller.role) == (FIRST_KEY, "admin")


def test_an_unknown_key_and_what_is_none_give_nobody(world: World) -> None:
    assert world.ring.look_up(new_key()) is None
    assert world.ring.look_up("something") is None
    assert world.store.looks == 1, "what is no key is not looked up"


def test_a_role_that_this_release_does_not_know_gives_nobody(world: World) -> None:
    world.store.stored = [replace(world.store.stored[0], role="owner")]
    assert world.ring.look_up(KEY) is None


def test_a_key_is_believed_for_a_few_seconds_and_then_looked_up(world: World) -> None:
    world.ring.look_up(KEY)
    world.store.stored = [replace(world.store.stored[0], revoked_at=NOW)]
    world.now = timing.KEY_CACHE_SECONDS - 0.1
    assert world.ring.known(KEY) is not None
    world.now = timing.KEY_CACHE_SECONDS
    assert world.ring.known(KEY) is None
    assert world.ring.look_up(KEY) is None


def test_a_key_that_was_revoked_here_ends_at_once(world: World) -> None:
    world.ring.look_up(KEY)
    world.ring.forget()
    assert world.ring.known(KEY) is None


def test_a_first_key_that_was_replaced_ends(world: World) -> None:
    world.ring.look_up(FIRST)
    world.first = (new_key(),)
    world.now = timing.KEY_CACHE_SECONDS
    assert world.ring.known(FIRST) is None
    assert world.ring.look_up(FIRST) is None
