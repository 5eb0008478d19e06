"""Cancelled and overdue tasks on a real broker and bucket: one end each, with no worker up, and after a crash."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from contextlib import closing

import pytest
import requests
import yaml

from genpool_core import identity, names
from genpool_core.messages.announcements import ended_event
from genpool_core.messages.commands import COMMAND, AnyCommand, CancelTask
from integration.broker import until
from integration.gateway.api import POOL, QUEUE, pool_manifest
from integration.gateway.ends.pool import Pool


@pytest.mark.parametrize("queue_type", ["quorum", "classic"])
def test_queued_tasks_are_cancelled_without_a_worker(pool: Pool) -> None:
    keep = pool.submit("kept")
    tasks = [pool.submit(f"lake {number}")["id"] for number in range(5)]
    last = pool.submit("kept too")
    started = time.monotonic()
    for task in tasks:
        status, view = pool.cancel(task)
        assert status == 202
        assert view["status"] in {"canceling", "canceled"}
    for task in tasks:
        end = pool.until_ended(task)
        assert (end.outcome, end.reason, end.attempt, end.worker) == ("cancelled", "Cancelled", 0, "")
        assert end.owner
        assert pool.api.until_status(task, "canceled")["error"]["reason"] == "Cancelled"
    assert time.monotonic() - started < 5
    for task in tasks:
        until(lambda task=task: pool.delivered(task), "the callback's delivery")  # type: ignore[misc]
        assert {event.id for event in pool.ended(task)} == {identity.end_id(task, 1)}
        assert {each.id for each in pool.callbacks(task)} == {identity.end_id(task, 1)}
        assert pool.cancel(task)[0] == 200
    # Nobody consumes the queue: the messages of the five go, and the others stay in their order.
    until(lambda: pool.vhost.ready(QUEUE) == 2, "the messages are taken out", 15)
    until(lambda: pool.backlogs()[-1:] == [0], "the last backlog", 10)
    assert max(pool.backlogs()) >= 1
    until(lambda: len(pool.vhost.connections("genpool-gateway-take-out")) == 0, "the look is over")
    assert [body["parameters"]["prompt"] for _, body in pool.api.queued()] == ["kept", "kept too"]
    assert {pool.api.task(task["id"])["status"] for task in (keep, last)} == {"queued"}


def test_a_running_task_is_cancelled_by_its_worker(pool: Pool) -> None:
    task = pool.submit("a lake")
    pool.vhost.queue("commands")
    pool.vhost.bind(names.CONTROL_EXCHANGE, "commands", names.command_key(POOL.uid, "pod-1"))
    pool.claim(task)
    pool.api.claimed(task)
    pool.api.until_status(task["id"], "running")
    assert pool.cancel(task["id"])[1]["status"] == "canceling"
    commands: list[AnyCommand] = []

    def heard(count: int) -> bool:
        while (message := pool.vhost.get("commands")) is not None:
            assert names.is_gateway_user(message[0].user_id)
            commands.append(COMMAND.validate_json(message[1]))
        return len(commands) >= count

    until(lambda: heard(1), "the command", 2)
    until(lambda: heard(2), "the command once more", 6)
    assert {(one.task_key, one.outcome) for one in commands if isinstance(one, CancelTask)} == {
        (task["id"], "cancelled")
    }
    assert pool.end(task["id"]) is None
    pool.api.ended(task, "cancelled", reason="Cancelled")
    pool.api.until_status(task["id"], "canceled")


def test_where_somebody_consumes_the_worker_drops_the_message_and_says_so(pool: Pool) -> None:
    pool.submit("in hand")
    with pool.vhost.raw() as connection:
        channel = connection.channel()
        channel.basic_qos(prefetch_count=1)
        channel.basic_consume(QUEUE, lambda *_: None)
        connection.process_data_events(time_limit=1)
        task = pool.submit("a lake")
        pool.cancel(task["id"])
        end = pool.until_ended(task["id"])
        until(lambda: pool.backlogs()[-1:] == [1], "the message is counted")
        until(lambda: len(pool.backlogs()) > 3, "it still is, some looks later")
        assert set(pool.backlogs()) == {1}
        assert pool.vhost.ready(QUEUE) == 1
        pool.api.announce(ended_event(end, POOL))
        until(lambda: pool.backlogs()[-1:] == [0], "it is dropped")


def test_a_task_that_does_not_begin_in_time_expires(pool: Pool) -> None:
    task = pool.submit("a lake", start_within_seconds=1)
    begun = pool.submit("a hill", start_within_seconds=1)
    pool.claim(begun)
    end = pool.until_ended(task["id"], 8)
    assert (end.outcome, end.reason) == ("expired", "StartDeadlineExceeded")
    assert pool.api.until_status(task["id"], "expired")["error"]["reason"] == "StartDeadlineExceeded"
    assert pool.end(begun["id"]) is None


def test_a_gateway_that_is_killed_in_the_middle_finishes_after_its_restart(pool: Pool) -> None:
    """At whatever step: the tasks were noted, and nothing else is needed."""
    process = pool.api.process
    tasks = [pool.submit(f"lake {number}")["id"] for number in range(12)]
    for task in tasks:
        assert pool.cancel(task)[0] == 202
    assert process.process is not None
    os.kill(process.process.pid, signal.SIGKILL)
    process.process.wait()
    pool.restart()
    for task in tasks:
        pool.until_ended(task, 10)
        pool.api.until_status(task, "canceled")
        assert {event.id for event in pool.ended(task)} == {identity.end_id(task, 1)}
        assert {each.id for each in pool.callbacks(task)} == {identity.end_id(task, 1)}


@pytest.fixture
def unlisted(pool: Pool) -> Pool:
    """The same with a gateway that may not write into the bucket."""
    process = pool.api.process
    assert process.stop() == 0
    del process.environment["GENPOOL_STORES_FILE"]
    pool.restart()
    return pool


def test_where_the_bucket_is_not_listed_only_running_tasks_are_cancelled(unlisted: Pool) -> None:
    task = unlisted.submit("a lake")
    status, problem = unlisted.cancel(task["id"])
    assert (status, problem["reason"]) == (409, "StoreNotListed")
    assert unlisted.bucket.name in problem["detail"]
    assert unlisted.api.task(task["id"])["status"] == "queued"
    unlisted.api.claimed(task)
    unlisted.api.until_status(task["id"], "running")
    assert unlisted.cancel(task["id"])[0] == 202


def test_a_task_whose_pool_was_deleted_is_cancelled_and_expires(pool: Pool) -> None:
    waits = pool.submit("waits")
    folder = pool.api.process.folder

    def place_is_known() -> bool:
        with closing(sqlite3.connect(folder / "tasks.db")) as store:
            return bool(store.execute("SELECT 1 FROM pool_places").fetchone())

    until(place_is_known, "the gateway has noted where the pool's tasks lie")
    late = pool.submit("late", start_within_seconds=10)
    other = pool_manifest(pool.vhost.name)
    other["metadata"] |= {"name": "other", "uid": "another"}
    (folder / "pool.yaml").write_text(yaml.safe_dump(other), encoding="utf-8")
    path = f"/v1/pools/{POOL.namespace}/{POOL.name}"
    until(lambda: pool.api.call("GET", path).status_code != requests.codes["ok"], "the pool is gone")
    assert pool.cancel(waits["id"])[0] == 202
    for task, status, reason in (
        (waits, "canceled", "Cancelled"),
        (late, "expired", "StartDeadlineExceeded"),
    ):
        assert pool.api.until_status(task["id"], status)["error"]["reason"] == reason
        end = pool.end(task["id"])
        assert end is not None
        assert (end.reason, end.worker) == (reason, "")
    assert pool.events() == [event for event in pool.events() if event.type != "task.ended"]
