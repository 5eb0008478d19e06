"""The page of one pool: plots over time with gaps, read by pointer and by keys; the pods with what each does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from integration.broker import until
from integration.gateway.page.past import GAP, MINUTES, write_past
from integration.gateway.page.visitor import DESK, PHONE, Visitor, visiting
from integration.gateway.page.world import World

before = write_past
WAITING = 14
POOL = "#/pool/art/text"


@pytest.fixture(scope="module")
def task(world: World) -> dict[str, Any]:
    """A task that runs."""
    world.write_pools(waiting=WAITING, replicas=3, dead=0)
    made = world.api.submit("waves on a shore", workflow="text-to-image")
    world.api.claimed(made)
    return made


@pytest.fixture(autouse=True)
def _pods(world: World, task: dict[str, Any]) -> None:
    """Three pods: one works, one is idle, one waits for its ComfyUI. The gateway may not listen yet."""
    message = "ComfyUI at http://127.0.0.1:8188 does not answer: it is still starting."

    def told() -> bool:
        world.step(task, 12)
        world.beat("genpool-text-7f9c-2", "busy", task_key=task["id"])
        world.beat("genpool-text-7f9c-4", "idle")
        world.beat("genpool-text-7f9c-5", "unready", reason="ComfyUIUnavailable", message=message)
        pool = world.api.call("GET", "/v1/pools/art/text").json()
        pods = pool["pods"]
        return (
            pool["queue"]["waiting"] == WAITING and len(pods) == 3 and pods[0]["task"]["progress"] is not None
        )

    until(told, "the pods are heard")


@pytest.fixture
def visitor(browser: Browser, world: World) -> Iterator[Visitor]:
    with visiting(browser, world) as made:
        made.enter(POOL)
        expect(made.page.locator(".plot")).to_have_count(4)
        yield made


@pytest.mark.parametrize(
    ("language", "size", "dark"),
    [("en", DESK, False), ("zh", DESK, True), ("zh", PHONE, False), ("en", PHONE, True)],
)
def test_it_is_fit_to_be_read(
    browser: Browser, world: World, language: str, size: tuple[int, int], *, dark: bool
) -> None:
    with visiting(browser, world, language, size, dark=dark) as visitor:
        visitor.enter(POOL)
        expect(visitor.page.locator(".plot")).to_have_count(4)
        expect(visitor.page.locator(".pods tbody tr")).to_have_count(3)
        visitor.look("pool-over-time", whole=True)


def test_what_nobody_knew_is_a_gap_in_the_line_and_a_dash_in_the_table(visitor: Visitor) -> None:
    page = visitor.page
    line = page.locator(".plot").first.locator(".line.first").get_attribute("d") or ""
    page.get_by_text("As a table").click()
    cells = (
        page.get_by_role("region", name="As a table").locator("tbody tr td:nth-child(2)").all_inner_texts()
    )
    assert len(cells) == MINUTES
    unknown = "".join("–" if text == "–" else "n" for text in cells)
    assert "n" + len(GAP) * "–" + "n" in unknown
    assert line.count("M") == len(re.findall("n+", unknown)), "nothing is drawn between the runs"
    visitor.look("pool-table")


def test_values_are_read_by_keys_in_all_plots_at_once(visitor: Visitor) -> None:
    page = visitor.page
    sliders = page.get_by_role("slider")
    first = sliders.first
    first.focus()
    page.keyboard.press("Home")
    expect(first).to_have_attribute("aria-valuenow", "0")
    page.keyboard.press("ArrowRight")
    expect(first).to_have_attribute("aria-valuenow", "1")
    said = first.get_attribute("aria-valuetext") or ""
    assert "Waiting " in said
    assert "Running " in said
    expect(sliders.nth(1)).to_have_attribute("aria-valuenow", "1")
    page.keyboard.press("End")
    expect(first).to_have_attribute("aria-valuenow", str(MINUTES - 1))
    page.keyboard.press("Tab")
    expect(page.locator(".plot .cursor")).to_have_count(0)


def test_values_are_read_by_pointer(visitor: Visitor) -> None:
    page = visitor.page
    area = page.get_by_role("slider").nth(1)
    box = area.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 20)
    expect(page.locator(".plot .cursor")).to_have_count(4)
    expect(area).to_have_attribute("aria-valuenow", str(MINUTES // 4))
    page.mouse.move(2, 2)
    expect(page.locator(".plot .cursor")).to_have_count(0)


def test_another_span_is_in_the_address(visitor: Visitor) -> None:
    page = visitor.page
    page.get_by_role("button", name="7 days").click()
    expect(page.get_by_role("slider").first).to_have_attribute("aria-valuemax", "167")
    assert page.url.endswith("?hours=168")
    page.reload()
    expect(page.get_by_role("slider").first).to_have_attribute("aria-valuemax", "167")


def test_pods_say_what_they_do(visitor: Visitor) -> None:
    busy, idle, unready = _rows(visitor.page)
    assert "Busy" in busy
    assert "text-to-image" in busy
    assert "60%" in busy
    assert "Waits for a task." in idle
    assert "it is still starting" in unready
    visitor.page.locator(".pods a").click()
    expect(visitor.page.locator("article.task")).to_contain_text("waves on a shore")


def test_a_pool_that_is_not_there_is_said_so(visitor: Visitor) -> None:
    visitor.go("#/pool/art/none")
    expect(visitor.page.locator(".empty")).to_contain_text("There is no pool art/none")
    visitor.faults.clear()  # The browser itself notes each 404.


def _rows(page: Page) -> list[str]:
    expect(page.locator(".pods tbody tr")).to_have_count(3)
    return page.locator(".pods tbody tr").all_inner_texts()
