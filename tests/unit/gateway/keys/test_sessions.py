"""Browsers' sessions: who a cookie is, until when, and when the cookie is for encrypted connections alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from genpool_core import timing
from genpool_gateway.keys.cookie import is_secure
from genpool_gateway.keys.identify import KeyRing
from genpool_gateway.keys.secret import new_key
from genpool_gateway.keys.sessions import SessionRing, csrf_token, is_csrf_token
from unit.gateway.keys.key_fakes import FIRST, KEY, MemoryKeys
from unit.gateway.samples import NOW


class World:
    def __init__(self) -> None:
        self.store, self.seconds, self.first, self.now = MemoryKeys(), 0.0, (FIRST,), NOW
        keys = KeyRing(self.store, lambda: self.first, clock=lambda: self.seconds)
        self.ring = SessionRing(self.store, keys, lambda: self.now, clock=lambda: self.seconds)

    def begin(self, key: str) -> str:
        begun = self.ring.begin(key)
        assert begun is not None
        return begun.cookie


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize(("key", "role"), [(KEY, "user"), (FIRST, "admin")], ids=["made", "first"])
def test_a_cookie_is_its_keys_caller(world: World, key: str, role: str) -> None:
    caller = world.ring.look_up(world.begin(key))
    assert caller is not None
    assert caller.role == role


def test_no_key_begins_no_session(world: World) -> None:
    assert world.ring.begin(new_key()) is None
    assert world.ring.begin("something") is None
    assert world.store.sessions == {}


def test_neither_cookie_nor_key_is_stored(world: World) -> None:
    cookie = world.begin(KEY)
    (stored,) = world.store.sessions.values()
    kept = f"{stored.digest} {stored.key_digest}"
    assert cookie not in kept
    assert KEY not in kept
    assert stored.digest not in repr(stored)


def test_a_session_is_over_after_its_time(world: World) -> None:
    cookie = world.begin(KEY)
    world.now = NOW + timedelta(seconds=timing.SESSION_SECONDS - 1)
    assert world.ring.look_up(cookie) is not None
    world.now = NOW + timedelta(seconds=timing.SESSION_SECONDS)
    assert world.ring.look_up(cookie) is None


def test_a_session_is_over_when_its_key_is_revoked(world: World) -> None:
    cookie = world.begin(KEY)
    assert world.ring.look_up(cookie) is not None
    world.store.stored = [replace(world.store.stored[0], revoked_at=NOW)]
    world.seconds = timing.KEY_CACHE_SECONDS
    assert world.ring.known(cookie) is None
    assert world.ring.look_up(cookie) is None


def test_a_session_is_over_when_the_installations_key_was_replaced(world: World) -> None:
    cookie = world.begin(FIRST)
    world.first = (new_key(),)
    assert world.ring.look_up(cookie) is None


def test_a_session_that_was_ended_is_over_at_once(world: World) -> None:
    cookie = world.begin(KEY)
    world.ring.look_up(cookie)
    world.ring.end(cookie)
    assert world.ring.known(cookie) is None
    assert world.ring.look_up(cookie) is None


def test_a_token_belongs_to_one_cookie(world: World) -> None:
    one, other = world.begin(KEY), world.begin(KEY)
    assert is_csrf_token(csrf_token(one), one)
    assert not is_csrf_token(csrf_token(one), other)
    assert not is_csrf_token(None, one)
    assert not is_csrf_token("ü", one)


@pytest.mark.parametrize(
    ("scheme", "host", "forwarded", "public_url", "secure"),
    [
        ("http", "localhost:8000", None, "", False),
        ("http", "127.0.0.1:8000", None, "", False),
        ("http", "127.9.9.9", None, "", False),
        ("http", "[::1]:8000", None, "", False),
        ("https", "localhost", None, "", True),
        ("http", "gateway.art.svc:8000", None, "", True),
        ("http", "192.168.1.4:8000", None, "", True),
        ("http", "localhost.example.org", None, "", True),
        ("http", "127.0.0.1.example.org", None, "", True),
        ("http", "", None, "", True),
        ("http", "[::1", None, "", True),
        ("http", "localhost", "https", "", True),
        ("https", "localhost", "http", "", False),
        ("http", "localhost", None, "https://localhost", True),
        ("http", "localhost:8000", None, "https://genpool.example.org", False),
    ],
)
def test_the_cookie_is_secure_but_for_plain_http_on_loopback(
    scheme: str, host: str, forwarded: str | None, public_url: str, *, secure: bool
) -> None:
    found = is_secure(scheme=scheme, host=host, forwarded=forwarded, public_url=public_url)
    assert found is secure
