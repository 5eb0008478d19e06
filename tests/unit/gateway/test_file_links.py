"""Links to files in folders: what they allow, until when, and that nobody else can write one."""

from __future__ import annotations

import base64
import string
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genpool_core.errors import SettingsError
from genpool_gateway.pools import file_links
from genpool_gateway.pools.file_links import PATH, TOKEN_LENGTH, FileLinks, Grant, LinkRefused, folder_id

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
KEYS = [b"1" * 32, b"2" * 32]
GET = Grant(
    method="GET", folder=folder_id("/srv/a"), key="tasks/k/日落 1.png", expires=int(NOW.timestamp()) + 60
)
PUT = GET.model_copy(update={"method": "PUT", "content_type": "image/png", "size": 5})


def links(*keys: bytes, seconds: float = 0, base: str = "") -> FileLinks:
    return FileLinks(lambda: keys or KEYS, lambda: NOW + timedelta(seconds=seconds), base=base)


def token(grant: Grant, *keys: bytes) -> str:
    return links(*keys).make(grant).removeprefix(PATH)


def test_a_link_says_what_it_allows() -> None:
    assert links().read(token(GET), "GET") == GET
    assert links().read(token(PUT), "PUT") == PUT
    assert links(base="https://gen.example").make(GET).startswith("https://gen.example/v1/files/")
    assert links().expiry(60.5) == GET.expires


def test_a_link_has_no_path_of_the_machine() -> None:
    assert b"srv" not in base64.urlsafe_b64decode(token(GET).partition(".")[0] + "==")
    assert folder_id("/srv/a/") == folder_id("/srv/a") != folder_id("/srv/b")


def test_the_longest_key_has_a_link() -> None:
    longest = PUT.model_copy(update={"key": "日" * 341, "content_type": f"image/{'x' * 40}"})
    assert len(token(longest)) <= TOKEN_LENGTH
    assert links().read(token(longest), "PUT") == longest


def test_all_keys_are_honoured_and_the_first_is_used() -> None:
    assert links().read(token(GET, KEYS[1]), "GET") == GET
    assert token(GET) == token(GET, KEYS[0])
    with pytest.raises(LinkRefused, match="signature"):
        links(KEYS[1]).read(token(GET, KEYS[0]), "GET")


@pytest.mark.parametrize(("seconds", "valid"), [(59.9, True), (60, False), (1e6, False)])
def test_a_link_expires(seconds: float, *, valid: bool) -> None:
    late = links(seconds=seconds)
    if valid:
        assert late.read(token(GET), "GET") == GET
    else:
        with pytest.raises(
            LinkRefused, match=r"valid until 2026-11-26T12:01:00\+00:00: ask for the task again"
        ):
            late.read(token(GET), "GET")


def test_a_link_is_for_one_method() -> None:
    with pytest.raises(LinkRefused, match="for GET and not for PUT"):
        links().read(token(GET), "PUT")
    with pytest.raises(LinkRefused, match="for PUT and not for GET"):
        links().read(token(PUT), "GET")


def test_no_character_may_be_another() -> None:
    """Also not one that differs in bits alone that base64 leaves unused."""
    good = token(GET)
    for at, character in enumerate(good):
        for other in string.ascii_letters + string.digits + "-_.=+/ ":
            if other != character:
                with pytest.raises(LinkRefused):
                    links().read(f"{good[:at]}{other}{good[at + 1 :]}", "GET")


@pytest.mark.parametrize("added", ["=", "==", " ", "\n", "A", "."])
def test_nothing_may_be_added(added: str) -> None:
    for written in (f"{token(GET)}{added}", f"{added}{token(GET)}", token(GET).replace(".", f"{added}.")):
        with pytest.raises(LinkRefused):
            links().read(written, "GET")


@given(st.text(max_size=200))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(LinkRefused):
        links().read(text, "GET")


@pytest.mark.parametrize("content", [b"{}", b"[]", b"x", b'{"method": "DELETE"}'])
def test_what_another_release_has_signed_is_refused(content: bytes) -> None:
    """As long as the keys are the same, a token of another shape has a good signature."""
    text = base64.urlsafe_b64encode(content).rstrip(b"=").decode()
    with pytest.raises(LinkRefused, match="another release"):
        links().read(f"{text}.{file_links._signature(KEYS[0], text)}", "GET")


def test_keys_that_cannot_be_read_are_told() -> None:
    def fail() -> list[bytes]:
        raise SettingsError("the keys are missing.")

    with pytest.raises(SettingsError):
        FileLinks(fail, lambda: NOW).make(GET)
    with pytest.raises(SettingsError):
        FileLinks(fail, lambda: NOW).read(token(GET), "GET")
