"""The link that ``genpool local`` prints opens the page, logged in, once."""

from __future__ import annotations

import hashlib

from playwright.sync_api import Browser, expect

from genpool_core import names
from integration.gateway.page.world import World

WORD = f"{names.LOGIN_WORD_PREFIX}{'0123456789abcdef' * 2}"


def test_the_link_logs_in_once(world: World, browser: Browser) -> None:
    logins = world.api.process.folder / names.LOGIN_WORDS
    logins.mkdir()
    (logins / hashlib.sha256(WORD.encode()).hexdigest()).touch()
    link = f"{world.api.url}/#login={WORD}"
    first, second = browser.new_context(locale="en"), browser.new_context(locale="en")
    try:
        page = first.new_page()
        page.goto(link)
        expect(page.get_by_role("link", name="Gallery")).to_be_visible()
        assert WORD not in page.url
        # With a cookie the link is nothing but the page's address.
        page.goto(link)
        page.reload()
        expect(page.get_by_role("link", name="Gallery")).to_be_visible()
        late = second.new_page()
        late.goto(link)
        expect(late.locator("#key")).to_be_visible()
        assert WORD not in late.url
    finally:
        first.close()
        second.close()
    assert WORD not in world.api.process.log
