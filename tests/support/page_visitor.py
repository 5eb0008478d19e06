"""Somebody at the page, who sees what a person sees: faults on the console, faults of accessibility, pictures."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from playwright.sync_api import Browser, ConsoleMessage, Page, Response, expect

AXE = Path(__file__).parents[1] / "integration" / "gateway" / "page" / "vendor" / "axe.min.js"
#: Folder for pictures of the pages, for whoever looks or for the documentation; none are taken without it.
PICTURES = os.environ.get("GENPOOL_PAGE_PICTURES")
DESK = (1280, 860)
PHONE = (390, 844)
#: Two cores are shared with everything else that runs.
PATIENCE_MS = 20_000
_SERIOUS = {"serious", "critical"}


@dataclass
class PageVisitor:
    """A browser window of its own."""

    url: str
    """Of the page, without a slash at its end."""
    key: str
    """An API key of an administrator."""
    page: Page
    language: str
    faults: list[str] = field(default_factory=list)
    responses: list[Response] = field(default_factory=list)

    def open(self, where: str = "") -> None:
        """Go to a place of the page by its address."""
        self.page.goto(f"{self.url}/{where}")
        expect(self.page.locator("header.top")).to_be_visible()

    def log_in(self, key: str | None = None) -> None:
        """Show the API key."""
        if not self.page.url.startswith(self.url):
            self.open()
        self.page.locator("#key").fill(key or self.key)
        self.page.locator("form button[type=submit]").click()
        expect(self.page.locator("nav.menu")).to_be_visible()

    def enter(self, where: str = "") -> None:
        """Come back with the cookie of a session."""
        answer = requests.post(f"{self.url}/v1/session", json={"key": self.key}, timeout=10)
        name, _, value = answer.headers["Set-Cookie"].partition(";")[0].partition("=")
        self.page.context.add_cookies([{"name": name, "value": value, "url": self.url}])
        self.open(where)
        expect(self.page.locator("nav.menu")).to_be_visible()

    def go(self, where: str) -> None:
        """Go to a place without a load."""
        self.page.evaluate("to => { location.hash = to }", where)

    def look(self, name: str, *, whole: bool = False) -> None:
        """See that the page is fit for everybody, and take a picture of it."""
        found = self.page.evaluate(
            f"{AXE.read_text(encoding='utf-8')};axe.run(document, {{resultTypes: ['violations']}})"
        )
        bad = [
            f"{name}: {rule['id']}: {_places(rule)}"
            for rule in found["violations"]
            if rule["impact"] in _SERIOUS
        ]
        assert not bad, bad
        width = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert width <= 0, f"{name} is wider than the window by {width} pixels"
        if PICTURES:
            viewport = self.page.viewport_size
            kind = f"{self.language}-{viewport['width'] if viewport else 0}"
            self.page.screenshot(path=str(Path(PICTURES) / f"{name}-{kind}.png"), full_page=whole)

    @property
    def bytes_read(self) -> int:
        """Of the page's own files and pictures, as they came over the network."""
        kinds = {"document", "script", "stylesheet", "image"}
        mine = [each for each in self.responses if each.url.startswith(self.url) and each.ok]
        return sum(
            each.request.sizes()["responseBodySize"] for each in mine if each.request.resource_type in kinds
        )

    def _console(self, message: ConsoleMessage) -> None:
        # Pods of a cluster on this machine come and go with their interfaces. The browser asks again by itself.
        if message.type in {"error", "warning"} and "ERR_NETWORK_CHANGED" not in message.text:
            self.faults.append(message.text)


def _places(rule: dict[str, Any]) -> str:
    return "; ".join(f"{node['target']} {node['failureSummary']}" for node in rule["nodes"])


@contextmanager
def window(
    browser: Browser, language: str = "en", size: tuple[int, int] = DESK, *, dark: bool = False
) -> Iterator[Page]:
    """A window of its own, as somebody with this language and this screen has it."""
    context = browser.new_context(
        locale={"en": "en-US", "zh": "zh-CN"}[language],
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
        has_touch=size == PHONE,
        accept_downloads=True,
    )
    context.set_default_timeout(PATIENCE_MS)
    try:
        yield context.new_page()
    finally:
        context.close()


@contextmanager
def observed(visitor: PageVisitor) -> Iterator[None]:
    """At the end nothing may have been on the console."""
    visitor.page.on("console", visitor._console)
    visitor.page.on("response", lambda response: visitor.responses.append(response))  # noqa: PLW0108 - it marks what it calls
    visitor.page.on("pageerror", lambda error: visitor.faults.append(str(error)))
    yield
    assert not visitor.faults, visitor.faults
