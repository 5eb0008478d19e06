"""Create, in a real browser: from the form to the result, and what can be done with it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, FilePayload, expect

from integration.broker import until
from integration.gateway.page.pictures import lake
from integration.gateway.page.visitor import DESK, PHONE, Visitor, visiting
from integration.gateway.page.world import PHOTO, World

WAITS = {"en": "Next in the queue.", "zh": "下一个就是它。"}
PROMPTS = {"en": "a lake between hills at dawn, still water", "zh": "清晨群山之间的湖，水面平静"}
DONE = {"en": "Done", "zh": "已完成"}


@pytest.fixture
def visitor(browser: Browser, world: World) -> Iterator[Visitor]:
    with visiting(browser, world) as made:
        made.enter("#/create/text-to-image")
        yield made


@pytest.mark.parametrize(("language", "size"), [("en", DESK), ("zh", DESK), ("zh", PHONE)])
def test_a_picture_from_its_prompt_to_its_end(
    browser: Browser, world: World, language: str, size: tuple[int, int]
) -> None:
    with visiting(browser, world, language, size) as visitor:
        visitor.open()
        visitor.look("login")
        visitor.log_in()
        page = visitor.page
        page.locator("#workflow").select_option(label="text-to-image")
        page.locator("#field-prompt").fill(PROMPTS[language])
        page.locator("#field-seed").fill("18446744073709551615")
        page.locator("#field-steps").fill("25")
        page.locator("#send").click()
        panel = page.locator("article.task")
        expect(panel).to_contain_text(WAITS[language])
        task = world.newest()
        assert task["parameters"]["seed"] == 18446744073709551615, "all digits of a seed arrive"
        assert task["parameters"]["steps"] == 25
        visitor.look("create-queued")
        world.api.claimed(task)
        expect(panel).to_have_attribute("data-status", "running")
        world.step(task, 8, 25)
        world.preview(task, lake(1, 64))
        expect(panel.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "32")
        expect(panel.locator("img.preview")).to_be_visible()
        visitor.look("create-running")
        world.finish(task, lake(1), lake(2))
        expect(panel).to_have_attribute("data-status", "succeeded")
        expect(panel.locator("header")).to_contain_text(DONE[language])
        expect(panel.locator("figure img")).to_have_count(2)
        until(
            lambda: panel.locator("figure img").first.evaluate("image => image.naturalWidth") == 384,
            "the result is shown",
        )
        page.locator("main").evaluate("() => scrollTo(0, 0)")
        visitor.look("create-done")
        # Its name is that of the file, also where the store gives none: "true" was a word of the program.
        expect(panel.locator("a.save").first).to_have_attribute("download", "")
        with page.expect_download() as saved:
            panel.locator("a.save").first.click()
        assert saved.value.suggested_filename == "picture-1.png"
        assert 100_000 < visitor.bytes_read < 300_000, "the first view is small"


def test_photos_become_a_task_each_and_are_compared(visitor: Visitor) -> None:
    world, page = visitor.world, visitor.page
    page.locator("#workflow").select_option(label=PHOTO)
    files = [
        FilePayload(name=f"湖边 {1956 + n}.png", mimeType="image/png", buffer=lake(n, grey=True))
        for n in range(3)
    ]
    page.locator("input[type=file]").set_input_files(files)
    expect(page.locator(".photos li")).to_have_count(3)
    odd = [
        FilePayload(name=name, mimeType=kind, buffer=b"<svg/>")
        for name, kind in (("drawing.svg", "image/svg+xml"), ("notes.txt", "text/plain"))
    ]
    page.locator("input[type=file]").set_input_files(odd)
    expect(page.get_by_role("alert")).to_contain_text(
        "no PNG, JPEG, WebP, GIF or BMP file: drawing.svg, notes.txt"
    )
    expect(page.locator(".photos li")).to_have_count(3)
    page.locator("input[type=file]").set_input_files(
        [FilePayload(name="one more.png", mimeType="image/png", buffer=lake(3, grey=True))]
    )
    expect(page.get_by_role("alert")).to_have_count(0)
    page.get_by_role("button", name="Remove one more.png").click()
    expect(page.locator(".photos li")).to_have_count(3)
    visitor.look("create-photos")
    page.locator("#send").click()
    expect(page.locator(".note")).to_contain_text("3 tasks sent")
    tasks = world.api.call("GET", "/v1/tasks?limit=3").json()["tasks"]
    assert {task["workflow"] for task in tasks} == {PHOTO}
    task = next(
        task for task in tasks if task["id"] == page.locator("article.task").get_attribute("data-task")
    )
    world.api.claimed(task)
    world.finish(task, lake(int(task["metadata"]["file"][3:7]) - 1956))
    expect(page.locator(".compare")).to_be_visible()
    before = page.locator(".compare .before")
    until(
        lambda: before.evaluate("image => image.naturalWidth") == 384, "the photo is shown beside its result"
    )
    page.get_by_role("slider", name="Compare before and after").fill("30")
    assert "70%" in (before.get_attribute("style") or "")
    page.get_by_role("slider", name="Compare before and after").fill("50")
    visitor.look("create-compare")


def test_a_task_goes_on_while_the_page_is_closed(visitor: Visitor) -> None:
    world = visitor.world
    visitor.page.locator("#field-prompt").fill("a ship under sail")
    visitor.page.locator("#send").click()
    expect(visitor.page.locator("article.task")).to_contain_text("a ship under sail")
    where = visitor.page.url
    visitor.page.goto("about:blank")
    task = world.newest()
    world.api.claimed(task)
    world.finish(task, lake(4))
    visitor.page.goto(where)
    expect(visitor.page.locator("article.task")).to_have_attribute("data-status", "succeeded")
    expect(visitor.page.locator("#field-prompt")).to_have_value("a ship under sail")


def test_cancel_again_replay_and_delete(visitor: Visitor) -> None:
    world, page = visitor.world, visitor.page
    panel = page.locator("article.task")
    page.locator("#field-prompt").fill("first words")
    page.locator("#send").click()
    expect(panel).to_have_attribute("data-status", "queued")
    first = panel.get_attribute("data-task")
    assert first is not None
    panel.get_by_role("button", name="Cancel").click()
    expect(panel).to_have_attribute("data-status", "canceled")
    panel.get_by_role("link", name="Again with changes").click()
    expect(page.locator("#field-prompt")).to_have_value("first words")
    world.api.submit("somebody else's", workflow="text-to-image")
    expect(page.locator(".recent").get_by_title("somebody else's")).to_be_visible()
    expect(panel).to_have_attribute("data-task", first)  # nothing slips under the hand
    page.locator("#field-prompt").fill("other words")
    page.get_by_role("button", name="Random").click()
    page.locator("#send").click()
    expect(panel).not_to_have_attribute("data-task", first)
    task = world.newest()
    assert task["parameters"]["prompt"] == "other words"
    assert task["parameters"]["seed"] != 42
    world.api.claimed(task)
    world.finish(task, lake(5))
    expect(panel).to_have_attribute("data-status", "succeeded")
    panel.get_by_role("button", name="Replay").click()
    expect(panel).to_have_attribute("data-status", "queued")
    again = world.api.task(task["id"])
    assert again["run"] == 2
    world.api.claimed(again)
    world.finish(again, lake(6))
    expect(panel).to_have_attribute("data-status", "succeeded")
    panel.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(panel).to_contain_text("Its contents were deleted")


def test_a_failed_task_says_why_and_what_to_do(visitor: Visitor) -> None:
    world, page = visitor.world, visitor.page
    page.locator("#field-prompt").fill("too much")
    page.locator("#send").click()
    panel = page.locator("article.task")
    expect(panel).to_have_attribute("data-status", "queued")
    task = world.newest()
    world.api.claimed(task)
    world.fail(task, "OutOfMemory", "KSampler (17) needed 13.2 GiB, and 9.8 GiB are free.")
    expect(panel.locator(".trouble")).to_contain_text("ran out of memory")
    expect(panel.locator(".trouble")).to_contain_text("Ask for a smaller size")
    visitor.look("create-failed")


def test_what_cannot_be_sent_is_said_at_its_field(visitor: Visitor) -> None:
    page = visitor.page
    page.locator("#workflow").select_option(label=PHOTO)
    page.locator("#send").click()
    expect(page.locator("form .trouble")).to_contain_text("Add a photo")
    page.locator("#workflow").select_option(label="text-to-image")
    page.locator("#field-prompt").fill("a lake")
    page.locator("#field-seed").fill("99999999999999999999")
    page.locator("#send").click()
    expect(page.locator(".field.wrong")).to_contain_text("18446744073709551615")
    visitor.faults.clear()  # The browser itself notes that the gateway answered 422.
