"""Callback messages for tests."""

from __future__ import annotations

import json
from typing import Any

from genpool_core.messages.amqp import Delivery, Properties
from genpool_core.messages.base import PoolRef
from genpool_core.names import gateway_user, worker_user

WORKER = worker_user("2b7f", "0a1b2c3d")
OWN = gateway_user("0a1b2c3d")
PHOTOS = PoolRef(namespace="art", name="photos", uid="2b7f")
OUTPUT = {
    "key": "tasks/a/runs/1/a1-n/a.png",
    "bucket": "results",
    "node": "9",
    "kind": "images",
    "content_type": "image/png",
    "bytes": 5,
    "sha256": "ab",
}
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


def with_end(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """The same of a worker of today, which writes the end record too; ``changes`` of the record."""
    told = message()
    signed = "https://worker.example/a.png?X-Amz-Date=20260501T100000Z&X-Amz-Expires=3600"
    told["body"]["outputs"] = [{**OUTPUT, "url": signed}]
    fields = ("task_id", "task_key", "run", "outcome", "reason", "message", "workflow", "ended_at")
    end = {
        **{name: told["body"][name] for name in fields},
        "attempt": 1,
        "nonce": "n",
        "worker": "pod-1",
        "seed": 42,
        "parameters": {"size": 680, "seed": 42},
        "started_at": "2026-05-01T09:59:00Z",
        "outputs": [OUTPUT],
        **changes,
    }
    return {**told, "end": end}


def of_event(**event: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """The gateway's own message about a start or an output."""
    told = message()
    del told["body"]
    about = {
        "type": "task.claimed",
        "id": told["id"],
        "pool": PHOTOS.model_dump(),
        "worker": "pod-1",
        "time": "2026-05-01T09:59:00Z",
        "task_id": "task_12345",
        "task_key": "ab" * 20,
        "run": 1,
        "attempt": 1,
    }
    return {**told, "event": {**about, **event}}


def delivery(
    body: bytes | None = None, user_id: str | None = WORKER, headers: dict[str, object] | None = None
) -> Delivery:
    """A delivery of that message."""
    raw = json.dumps(message()).encode() if body is None else body
    return Delivery(raw, headers or {}, Properties(user_id=user_id, message_id="m-1"))
