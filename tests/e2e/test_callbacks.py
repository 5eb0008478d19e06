"""Callbacks: every end is announced, signed, under one id; again when the receiver was away."""

from __future__ import annotations

import pytest
import requests

from e2e.lab import Lab, Receiver
from e2e.manifests import task
from genpool_dev.stack.bucket import RunRecord
from genpool_dev.stack.servers.receiver import Delivery
from genpool_gateway.tasks.status import OUTCOMES
from genpool_gateway.tasks.view import TaskView
from support.waiting import wait_until


@pytest.mark.together
def test_each_task_has_one_signed_callback(lab: Lab) -> None:
    with lab.warm() as scene:
        steady = lab.receivers[0]
        commands = {"called-back": (), "called-back-too": (), "called-back-dead": ("fail-node",)}
        scene.send(*(task(name, *words, callback_url=steady.url(name)) for name, words in commands.items()))
        runs = scene.wait_ends(*commands)
        ids = {name: _one_callback(steady, name, run) for name, run in runs.items()}
        assert len(set(ids.values())) == len(commands)


@pytest.mark.together
def test_a_receiver_that_was_away_is_told_under_the_same_id(lab: Lab) -> None:
    with lab.warm() as scene:
        fickle = lab.receivers[1]
        _send_away(fickle, 600)
        scene.send(task("away", callback_url=fickle.url("away")))
        run = scene.wait_ends("away")["away"]
        wait_until(
            lambda: _refused(fickle), bool, "callbacks: a delivery to a receiver that is away", seconds=60
        )
        _send_away(fickle, 0)
        _one_callback(fickle, "away", run)


@pytest.mark.together
def test_links_in_a_callback_lead_to_the_result(lab: Lab) -> None:
    with lab.warm() as scene:
        steady = lab.receivers[0]
        scene.send(task("linked", callback_url=steady.url("linked")))
        run = scene.wait_ends("linked")["linked"]
        _one_callback(steady, "linked", run)
        body = TaskView.model_validate(_delivered(steady, "linked")[0].body)
        assert run.end is not None
        assert [output.sha256 for output in body.outputs] == [output.sha256 for output in run.end.outputs]
        for output, stored in zip(body.outputs, run.end.outputs, strict=True):
            assert output.url is not None
            with requests.Session() as session:
                session.trust_env = False
                answer = session.get(output.url, timeout=10)
            assert answer.ok, answer.text
            assert answer.content == lab.bucket.read(stored.key)


def _one_callback(receiver: Receiver, path: str, run: RunRecord) -> str:
    """Wait for the callback of a task and check it; returns its id."""
    wait_until(lambda: _delivered(receiver, path), bool, f"callbacks: one to /{path}", seconds=90)
    every = receiver.deliveries(path)
    assert all(delivery.verified for delivery in every), every
    ids = {delivery.webhook_id for delivery in every}
    assert len(ids) == 1, every
    body = TaskView.model_validate(_delivered(receiver, path)[0].body)
    assert run.end is not None
    assert (body.task_id, body.id, body.status) == (run.end.task_id, run.task_key, OUTCOMES[run.end.outcome])
    assert (body.error is None) == (run.end.outcome == "succeeded")
    assert body.error is None or body.error.reason == run.end.reason
    return ids.pop()


def _delivered(receiver: Receiver, path: str) -> list[Delivery]:
    return [
        delivery for delivery in receiver.deliveries(path) if delivery.status == requests.codes["no_content"]
    ]


def _refused(receiver: Receiver) -> list[Delivery]:
    return [
        delivery
        for delivery in receiver.deliveries("away")
        if delivery.status != requests.codes["no_content"]
    ]


def _send_away(receiver: Receiver, seconds: float) -> None:
    with requests.Session() as session:
        session.trust_env = False
        url = f"{receiver.server.url}/control"
        session.put(url, json={"unavailable_seconds": seconds}, timeout=10).raise_for_status()
