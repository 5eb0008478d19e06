"""Commands: who is believed, what is done."""

from __future__ import annotations

import json

import pytest

from genpool_core import names
from genpool_core.identity import TaskRef
from genpool_core.messages.amqp import Delivery, Properties
from genpool_core.messages.commands import AnyCommand, CancelTask, Who
from genpool_worker.cancel import Cancellation
from genpool_worker.messaging.commands import CommandListener, read_command

GATEWAY = names.gateway_user("0a1b2c3d")
CANCEL = CancelTask(task_key="key", run=2, message="why")
CANCEL_BODY = CANCEL.model_dump_json().encode()


def sent(body: bytes, user_id: str | None = GATEWAY) -> Delivery:
    return Delivery(body, properties=Properties(user_id=user_id))


@pytest.mark.parametrize(
    ("body", "command"),
    [
        (CANCEL_BODY, CANCEL),
        (b'{"type": "cancel", "task_key": "key", "run": 2, "message": "why", "later": 1}', CANCEL),
        (b'{"type": "who"}', Who()),
        (b'{"type": "who", "schema_version": 2}', Who(schema_version=2)),
        (b'{"type": "cordon"}', None),
        (b'{"type": "cancel", "task_key": "key"}', None),
        (b'{"type": "cancel", "task_key": "key", "run": 0}', None),
        (json.dumps({"type": "cancel", "task_key": "key", "run": 1, "message": "x" * 501}).encode(), None),
        (b'{"type": "who", "more": "' + b"x" * (16 << 10) + b'"}', None),
        (b"[]", None),
        (b"\xff", None),
        (b"", None),
    ],
)
def test_what_a_message_commands(body: bytes, command: AnyCommand | None) -> None:
    assert read_command(sent(body)) == command


@pytest.mark.parametrize(
    "user_id", [None, "", "producer", "genpool.worker.uid.0a1b2c3d", "genpool.gateway", "genpool.gateway.0"]
)
def test_nobody_else_commands(user_id: str | None) -> None:
    assert read_command(sent(CANCEL_BODY, user_id)) is None


def test_what_is_done() -> None:
    cancellation = Cancellation()
    beats: list[str] = []
    listener = CommandListener(cancellation, lambda: beats.append("beat"))
    with cancellation.holding(TaskRef("t", "key", 2)):
        listener.receive(sent(CANCEL_BODY, "producer"))
        listener.receive(sent(b"no json"))
        listener.receive(sent(b'{"type": "who"}'))
        assert (beats, cancellation.asked) == (["beat"], False)
        listener.receive(sent(CANCEL_BODY))
        assert cancellation.asked
    assert beats == ["beat"]
