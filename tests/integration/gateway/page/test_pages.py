"""Gallery, pools, dead letters, usage and keys, in a real browser: in both languages, at a desk and on a phone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Route, expect

from integration.broker import until
from integration.gateway.page.pictures import lake
from integration.gateway.page.visitor import DESK, PHONE, Visitor, visiting
from integration.gateway.page.world import PHOTO, World

PROMPTS = (
    "a lake between hills",
    "a quiet bay at dusk",
    "hills in the morning",
    "the last light",
    "a pale sun",
    "evening",
)
REASONS = (
    ("OutOfMemory", "KSampler (17) needed 13.2 GiB, and 9.8 GiB are free."),
    ("NodeFailed", "VAEDecode (8): the tensor has the wrong shape."),
)


@pytest.fixture(scope="module", autouse=True)
def _tasks(world: World) -> None:
    """Something to see: results, tasks that wait and run, dead letters, pools of several kinds."""
    for number, prompt in enumerate(PROMPTS):
        world.done(number + 10, prompt)
    running = world.api.submit("waves on a shore", workflow="text-to-image")
    world.api.claimed(running)
    world.step(running, 12)
    world.api.submit("a boat that waits", workflow="text-to-image")
    for reason, message in (*REASONS, REASONS[0]):
        world.dead(reason, message)
    others = [
        world.other_pool(n, ready=n != 3, waiting=n * 7 % 40, replicas=n % 5, dead=int(n == 3))
        for n in range(1, 200)
    ]
    world.write_pools(*others, waiting=2, replicas=3, dead=3)
    until(lambda: len(world.api.call("GET", "/v1/pools").json()["pools"]) == 200, "the pools are read")


@pytest.fixture
def visitor(browser: Browser, world: World) -> Iterator[Visitor]:
    with visiting(browser, world) as made:
        made.enter()
        yield made


@pytest.mark.parametrize(
    ("language", "size", "dark"),
    [("en", DESK, True), ("zh", DESK, False), ("zh", PHONE, False), ("en", PHONE, True)],
)
def test_each_page_is_fit_to_be_read(
    browser: Browser, world: World, language: str, size: tuple[int, int], *, dark: bool
) -> None:
    with visiting(browser, world, language, size, dark=dark) as visitor:
        visitor.enter()
        page = visitor.page
        visitor.go("#/gallery")
        expect(page.locator(".tile")).not_to_have_count(0)
        visitor.look("gallery")
        visitor.go("#/pools?sort=-waiting")
        expect(page.locator("tbody tr")).to_have_count(200)
        visitor.look("pools")
        visitor.go("#/pool/art/text")
        expect(page.locator(".conditions li")).not_to_have_count(0)
        visitor.look("pool")
        visitor.go("#/dead?pool=art/text")
        expect(page.locator(".letter")).to_have_count(3)
        page.locator(".letter summary").first.click()
        expect(page.locator(".letter table")).to_contain_text("pod-1")
        visitor.look("dead")
        visitor.go("#/usage")
        expect(page.locator(".bars li")).to_have_count(30)
        visitor.look("usage")
        visitor.go("#/keys")
        expect(page.locator(".keys form")).to_be_visible()
        visitor.look("keys")


def test_the_gallery_filters_searches_and_downloads(visitor: Visitor) -> None:
    page = visitor.page
    visitor.go("#/gallery")
    page.get_by_role("button", name="Done", exact=True).click()
    expect(page.locator(".tile")).to_have_count(len(PROMPTS))
    assert "status=succeeded" in page.url
    page.get_by_role("searchbox").fill("quiet BAY")
    expect(page.locator(".tile")).to_have_count(1)
    page.get_by_role("searchbox").fill("no such thing")
    expect(page.locator(".empty")).to_contain_text("No task is like that.")
    page.get_by_role("searchbox").fill("")
    expect(page.locator(".tile")).to_have_count(len(PROMPTS))
    page.locator(".filters select").select_option(PHOTO)
    expect(page.locator(".empty")).to_be_visible()
    # Who is quick: the words are looked for a moment after the last key.
    page.get_by_role("searchbox").fill("lake")
    page.locator(".filters select").select_option("text-to-image")
    expect(page.locator(".tile")).to_have_count(1)
    assert "workflow=text-to-image" in page.url
    visitor.go("#/gallery?status=succeeded")
    expect(page.locator(".tile")).to_have_count(len(PROMPTS))
    for tick in page.locator(".tick input").all()[:2]:
        tick.check()
    saved: list[str] = []
    page.on("download", lambda download: saved.append(download.suggested_filename))
    page.get_by_role("button", name="Download all 2").click()
    until(lambda: page.wait_for_timeout(50) or len(saved) == 2, "both results are saved")
    page.locator(".tile-link").first.click()
    expect(page.locator("article.task h1")).to_be_visible()
    page.locator("summary").click()
    expect(page.locator(".details")).to_contain_text("GPU time")
    visitor.look("task")


def test_pools_are_found_and_sorted(visitor: Visitor) -> None:
    page = visitor.page
    visitor.go("#/pools")
    expect(page.locator(".pools")).to_contain_text("200 pools")
    expect(page.locator(".pools")).to_contain_text("1 not ready")
    page.get_by_role("link", name="Waiting", exact=True).click()
    first = page.locator("tbody tr").first
    expect(first.locator("td").nth(1)).to_have_text("39")
    page.get_by_role("searchbox").fill("team-3/pool-003")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(first).to_contain_text("ImagePullBackOff")
    first.get_by_role("link", name="pool-003").click()
    expect(page.locator(".conditions li").first).to_contain_text("Correct comfyui.image")


def test_dead_letters_are_replayed_and_discarded(visitor: Visitor) -> None:
    world, page = visitor.world, visitor.page
    more = [world.dead("TimedOut", "the run took longer than 600 s.") for _ in range(2)]
    one = world.dead("Wedged", "ComfyUI did not get on.")
    visitor.go("#/dead?pool=art/text&reason=TimedOut")
    expect(page.locator(".letter")).to_have_count(2)
    page.get_by_role("button", name="Replay all of this kind").click()
    expect(page.locator(".note")).to_contain_text("2 replayed.")
    expect(page.locator(".letter")).to_have_count(0)
    assert {world.api.task(task["id"])["run"] for task in more} == {2}
    visitor.go("#/dead?pool=art/text&reason=Wedged")
    letter = page.locator(f".letter[data-task='{one['id']}']")
    letter.get_by_role("button", name="Discard").click()
    page.get_by_role("dialog").get_by_role("button", name="No").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    letter.get_by_role("button", name="Discard").click()
    page.get_by_role("dialog").get_by_role("button", name="Discard").click()
    expect(page.locator(".note")).to_contain_text("1 discarded.")
    expect(letter).to_have_count(0)


def test_usage_sums_up(visitor: Visitor) -> None:
    page = visitor.page
    visitor.go("#/usage?days=7")
    expect(page.locator(".bars li")).to_have_count(7)
    table = page.get_by_role("region", name="By workflow")
    expect(table).to_contain_text("text-to-image")
    expect(page.get_by_role("region", name="By key")).to_contain_text("installation")
    expect(page.locator(".figures")).to_contain_text("%")


def test_keys_are_made_used_and_revoked(browser: Browser, visitor: Visitor) -> None:
    world, page = visitor.world, visitor.page
    visitor.go("#/keys")
    page.get_by_label("For whom").fill("family album")
    page.locator(".keys form input").nth(1).fill("art/text")
    page.get_by_role("button", name="Make a key").click()
    key = page.locator(".made code").inner_text()
    with visiting(browser, world) as other:
        other.log_in(key)
        expect(other.page.locator("nav.menu a")).to_have_count(4)
        other.go("#/pools")
        expect(other.page.locator("tbody tr")).to_have_count(1)
        row = page.get_by_role("row", name="family album")
        row.get_by_role("button", name="Revoke").click()
        page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
        expect(row).to_contain_text("revoked")
        other.go("#/gallery")
        expect(other.page.locator("#key")).to_be_visible()
        other.faults.clear()  # The browser itself notes each 401.


def test_a_new_key_is_shown_whole_on_a_phone(browser: Browser, world: World) -> None:
    with visiting(browser, world, "zh", PHONE) as visitor:
        visitor.enter("#/keys")
        page = visitor.page
        page.locator(".keys form input").first.fill("the-album-of-a-family-with-a-very-long-name-indeed")
        page.locator(".keys form button[type=submit]").click()
        expect(page.locator(".made code")).to_be_visible()
        visitor.look("keys-made")
        page.get_by_role("row", name="the-album").get_by_role("button").click()
        page.get_by_role("dialog").get_by_role("button").last.click()
        expect(page.get_by_role("row", name="the-album").get_by_role("button")).to_have_count(0)
        visitor.look("keys-revoked")


def test_the_way_out_and_the_choices_that_stay(visitor: Visitor) -> None:
    page = visitor.page
    page.locator(".pick select").first.select_option("zh")
    expect(page.locator("h1")).to_have_text("创作")
    page.get_by_role("button", name="切换到深色").click()
    page.reload()
    expect(page.locator("h1")).to_have_text("创作")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.get_by_role("button", name="退出登录").click()
    expect(page.locator("#key")).to_be_visible()
    page.reload()
    expect(page.locator("#key")).to_be_visible()


def test_the_way_out_gives_up_what_is_under_way(visitor: Visitor) -> None:
    held: list[Route] = []
    visitor.page.route("**/v1/pools*", lambda route: held.append(route))  # noqa: PLW0108 - it marks what it calls
    with visitor.page.expect_request("**/v1/pools*"):
        visitor.go("#/pools")
    visitor.page.get_by_role("button", name="Log out").click()
    expect(visitor.page.locator("#key")).to_be_visible()
    assert held
    # Too late: the gateway would refuse it, and the browser would note that.
    for route in held:
        route.continue_()
    visitor.page.reload()
    expect(visitor.page.locator("#key")).to_be_visible()


def test_a_way_out_that_does_not_reach_the_gateway_is_said(visitor: Visitor) -> None:
    page = visitor.page
    page.context.set_offline(True)
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("alert").first).to_contain_text("does not answer")
    page.context.set_offline(False)
    page.get_by_role("button", name="Log out").click()
    expect(page.locator("#key")).to_be_visible()
    # The browser itself notes each request that fails.
    assert [fault for fault in visitor.faults if "ERR_INTERNET_DISCONNECTED" not in fault] == []
    visitor.faults.clear()


def test_a_login_leads_to_where_somebody_wanted_to_go(browser: Browser, world: World) -> None:
    with visiting(browser, world) as visitor:
        visitor.open("#/pools?search=pool-003")
        visitor.log_in()
        expect(visitor.page.locator("tbody tr")).to_have_count(1)
        assert visitor.page.url == f"{world.url}/#/pools?search=pool-003"
        # A session that ends meanwhile leads back to the same place, too.
        visitor.page.context.clear_cookies()
        expect(visitor.page.locator("#key")).to_be_visible()
        visitor.log_in()
        expect(visitor.page.locator("tbody tr")).to_have_count(1)
        visitor.faults.clear()  # The browser itself notes each 401.


def test_everything_is_reached_by_keyboard(visitor: Visitor) -> None:
    page = visitor.page
    page.locator("#workflow").select_option(label="text-to-image")
    page.keyboard.press("Home")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.locator("#field-prompt").focus()
    page.keyboard.type("by keyboard alone")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "send":
            break
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid", "the focus is seen"
    page.keyboard.press("Enter")
    expect(page.locator("article.task")).to_contain_text("by keyboard alone")
    task = visitor.world.newest()
    visitor.world.api.claimed(task)
    visitor.world.finish(task, lake(30))
    expect(page.locator("article.task")).to_have_attribute("data-status", "succeeded")
