"""Messages of an intake that became no task, on the page of dead letters."""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from genpool_core import names
from integration.broker import Vhost
from integration.bucket import Bucket
from integration.gateway.api import Api
from integration.gateway.conftest import GatewayProcess
from integration.gateway.page.visitor import visiting
from integration.gateway.page.world import World
from integration.gateway.test_intake import INTAKE, photo, prepare

DEAD = names.dead_queue(INTAKE)


def test_they_say_why_and_go_back_or_away(
    gateway_process: GatewayProcess, vhost: Vhost, bucket: Bucket, browser: Browser
) -> None:
    assert vhost is gateway_process.vhost
    intake = prepare(gateway_process)
    gateway_process.start()
    gateway_process.until_ready()
    intake.send(photo(0, workflow_type="cats.json"), b"no json")
    intake.until_ready(DEAD, 2)
    world = World(Api(gateway_process, gateway_process.key.admin_api_key), bucket)
    with visiting(browser, world) as visitor:
        visitor.enter("#/dead?pool=photos/people")
        page = visitor.page
        page.get_by_text("Messages of the intake").click()
        letters = page.locator("details .letter")
        expect(letters).to_have_count(2)
        unknown = letters.filter(has_text="cats.json")
        expect(unknown).to_contain_text("No pool serves that workflow.")
        visitor.look("intake")
        unknown.get_by_role("button", name="Discard").click()
        page.get_by_role("dialog").get_by_role("button", name="Discard").click()
        expect(page.locator("details .note")).to_contain_text("1 discarded.")
        expect(letters).to_have_count(1)
        letters.get_by_role("button", name="Back into the intake").click()
        expect(page.locator("details .note")).to_contain_text("1 replayed.")
    intake.until_ready(DEAD, 1)
