"""10,000 tasks: the gallery opens and scrolls with a few of them."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Request, expect

from genpool_gateway.store.opening import open_store
from genpool_gateway.tasks.ports import NewTask
from genpool_gateway.tasks.record import Submission
from integration.broker import until
from integration.gateway.api import POOL
from integration.gateway.page.visitor import visiting
from integration.gateway.page.world import World
from support.task_changes import accepting

TASKS = 10_000
BATCH = 1_000
PAGE = 100
MOST_TILES = 120


def before(url: str) -> None:
    """Tasks that wait, in an empty task store: through the API they would cost the broker far more than the page."""
    store = open_store(url)
    now = datetime.now(UTC)
    for start in range(0, TASKS, BATCH):
        records = [
            accepting(
                f"many-{number}",
                id=f"{number:040x}",
                pool=POOL,
                created_at=now + timedelta(milliseconds=number - TASKS),
                workflow="text-to-image",
                parameters={"prompt": f"picture {number:05}"},
                submission=Submission(owner="anna", body=b"{}"),
            )
            for number in range(start, start + BATCH)
        ]
        store.accepting.accept([NewTask(record) for record in records], {}, now)
        store.accepting.published([record.id for record in records])
    store.close()


def _tiles(page: Page) -> int:
    return page.locator(".tile").count()


def test_the_gallery_shows_the_newest_and_loads_more_on_the_way_down(browser: Browser, world: World) -> None:
    with visiting(browser, world) as visitor:
        visitor.enter()
        page, asked = visitor.page, []

        def note(request: Request) -> None:
            if urlsplit(request.url).path == "/v1/tasks" and "cursor=" in request.url:
                asked.append(request.url)

        page.on("request", note)
        began = time.monotonic()
        visitor.go("#/gallery")
        expect(page.locator(".tile-title").first).to_have_text(f"picture {TASKS - 1:05}")
        assert time.monotonic() - began < 5
        assert len(asked) <= 1
        assert _tiles(page) < MOST_TILES
        for _ in range(40):
            page.mouse.wheel(0, 2500)
            page.wait_for_timeout(30)
        until(lambda: page.wait_for_timeout(20) or len(asked) >= 5, "more was loaded on the way down")
        assert _tiles(page) < MOST_TILES, "what is far from the window is not in the page"
        assert len(asked) < TASKS / PAGE / 2, "nor is all loaded"
        page.evaluate("scrollTo(0, 0)")
        expect(page.locator(".tile-title").first).to_have_text(f"picture {TASKS - 1:05}")
        page.get_by_role("searchbox").fill("picture 01234")
        expect(page.locator(".tile")).to_have_count(1)
        expect(page.locator(".tile-title")).to_have_text("picture 01234")
