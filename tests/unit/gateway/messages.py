"""Callback messages for tests."""

from __future__ import annotations

import json
from typing import Any

from genpool_core.messages.amqp import Delivery, Properties
from genpool_core.names import gateway_user, worker_user

WORKER = worker_user("2b7f", "0a1b2c3d")
OWN = gateway_user("0a1b2c3d")
URL = "https://receiver.example/hook?key=s3cr3t"


def message(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """A callback message as a worker writes it."""
    return {
        "schema_version": 1,
        "id": "8d0f1a52-7c35-5d6e-9a71-3a3c4d4e5f60",
        "url": URL,
        "allow": [{"host": "receiver.example"}],
        "body": {
            "schema_version": 1,
            "type": "task.ended",
            "task_id": "task_12345",
            "task_key": "ab" * 20,
            "run": 1,
            "outcome": "succeeded",
            "reason": "Succeeded",
            "message": "1 file.",
            "workflow": "DDColor人物黑白修复.json",
            "outputs": [],
            "ended_at": "2026-05-01T10:00:00Z",
            "pool": {"namespace": "art", "name": "photos", "uid": "2b7f"},
        },
        **changes,
    }


def delivery(
    body: bytes | None = None, user_id: str | None = WORKER, headers: dict[str, object] | None = None
) -> Delivery:
    """A delivery of that message."""
    raw = json.dumps(message()).encode() if body is None else body
    return Delivery(raw, headers or {}, Properties(user_id=user_id, message_id="m-1"))
