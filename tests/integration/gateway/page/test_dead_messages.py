"""Messages of a pool's dead-letter queue that are no tasks, on the page of dead letters."""

from __future__ import annotations

import pika
from playwright.sync_api import Browser, expect

from genpool_core import names
from genpool_core.messages import headers
from integration.broker import until
from integration.gateway.api import PASSWORD, QUEUE, WORKER
from integration.gateway.page.visitor import visiting
from integration.gateway.page.world import World

DEAD = names.dead_queue(QUEUE)


def put_aside(world: World) -> None:
    """Two messages of a worker, and one that RabbitMQ put aside."""
    told = {
        headers.REASON: "InvalidMessage",
        headers.MESSAGE: "the message is not JSON. Send one JSON object.",
    }
    with world.api.process.vhost.raw(WORKER, PASSWORD) as connection:
        for own in (told, told, {}):
            properties = pika.BasicProperties(headers=own, user_id=WORKER, delivery_mode=2)
            connection.channel().basic_publish("", DEAD, b"no json", properties)
    until(lambda: world.api.process.vhost.ready(DEAD) == 3, "all are there")
    world.write_pools(dead=3)


def test_they_are_shown_and_dropped_by_their_kind(world: World, browser: Browser) -> None:
    put_aside(world)
    with visiting(browser, world) as visitor:
        visitor.enter("#/dead")
        page = visitor.page
        expect(page.get_by_text("No task is among the dead letters.")).to_be_visible()
        visitor.go("#/dead?pool=art/text")
        page.get_by_text("Messages of the queue that are no tasks").click()
        messages = page.locator("details.messages .letter")
        expect(messages).to_have_count(3)
        expect(messages.nth(0)).to_contain_text("the message is not JSON.")
        expect(messages.nth(2)).to_contain_text("RabbitMQ put it aside.")
        visitor.look("dead-messages")
        page.locator("details.messages").get_by_role("button", name="Discard all of this kind").click()
        page.get_by_role("dialog").get_by_role("button", name="Discard").click()
        expect(page.locator(".note")).to_contain_text("2 discarded.")
        expect(messages).to_have_count(1)
    assert world.api.process.vhost.ready(DEAD) == 1
