"""What RabbitMQ dead-letters by itself: one end, one event, one callback, one dead letter."""

from __future__ import annotations

import json

from genpool_core import identity, names
from genpool_core.identity import task_key
from genpool_core.messages.headers import REASON, TASK_KEY
from integration.broker import until
from integration.gateway.api import POOL, QUEUE
from integration.gateway.ends.pool import Pool


def test_a_message_that_expires_has_one_end(pool: Pool) -> None:
    body = {"task_id": "task_12345", "prompt": "a lake", "callback_url": pool.receiver.url("200")}
    task = task_key(POOL.uid, "task_12345", body)
    pool.send(body, expiration="50")
    end = pool.until_ended(task)
    assert (end.outcome, end.reason, end.worker, end.workflow) == ("expired", "Expired", "", "text-to-image")
    until(lambda: pool.delivered(task), "the callback's delivery")
    until(lambda: pool.vhost.ready(names.JANITOR_QUEUE) == 0, "it is acknowledged")
    assert [event.id for event in pool.ended(task)] == [identity.end_id(task, 1)]
    assert [each.id for each in pool.callbacks(task)] == [identity.end_id(task, 1)]
    ((properties, sent),) = pool.dead_letters()
    assert json.loads(sent) == body
    assert (properties.headers[REASON], properties.headers[TASK_KEY]) == ("Expired", task)
    assert properties.expiration is None
    assert pool.api.until_status(task, "expired")
    # The same message once more: it is announced again, and no more.
    pool.send(body, expiration="50")
    until(lambda: len(pool.ended(task)) == len(pool.callbacks(task)) == 2, "both once more")
    assert {(event.id, event.time) for event in pool.ended(task)} == {
        (identity.end_id(task, 1), end.ended_at)
    }
    assert {each.id for each in pool.callbacks(task)} == {identity.end_id(task, 1)}
    assert pool.dead_letters() == []


def test_what_a_stranger_rejected_is_dead_and_what_is_no_task_has_no_end(pool: Pool) -> None:
    task = pool.submit("a lake")
    with pool.vhost.raw() as connection:
        channel = connection.channel()
        method, _, _ = channel.basic_get(QUEUE)
        channel.basic_reject(method.delivery_tag, requeue=False)
    end = pool.until_ended(task["id"])
    assert (end.outcome, end.reason) == ("dead", "RejectedByConsumer")
    assert end.owner
    assert pool.api.until_status(task["id"], "failed")
    assert [properties.headers[REASON] for properties, _ in pool.dead_letters()] == ["RejectedByConsumer"]
    # What is no task at all.
    pool.send(b"no json", expiration="50")
    letters = until(pool.dead_letters, "the dead letter")
    assert letters[0][0].headers[REASON] == "InvalidMessage"
