"""Somebody at the page of the tests' own gateway."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Browser

from integration.gateway.page.world import World
from support.page_visitor import DESK, PHONE, PageVisitor, observed, window

__all__ = ["DESK", "PHONE", "Visitor", "visiting"]


@dataclass(kw_only=True)
class Visitor(PageVisitor):
    """A browser window of its own."""

    world: World


@contextmanager
def visiting(
    browser: Browser, world: World, language: str = "en", size: tuple[int, int] = DESK, *, dark: bool = False
) -> Iterator[Visitor]:
    """A visitor who has not logged in; at the end nothing may have been on the console."""
    with window(browser, language, size, dark=dark) as page:
        made = Visitor(url=world.url, key=world.api.key, page=page, language=language, world=world)
        with observed(made):
            yield made
