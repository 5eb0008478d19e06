"""JSON Schemas of what our programs send and store, for those who read it in another language."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel

from genpool_core.ledger.records import Claim, EndRecord
from genpool_core.messages.callbacks import CallbackMessage
from genpool_core.messages.commands import CancelTask, Who
from genpool_core.messages.events import (
    GatewayBacklog,
    MessageRejected,
    TaskAccepted,
    TaskClaimed,
    TaskEnded,
    TaskOutput,
    TaskPreview,
    TaskProgress,
    TaskRetried,
    WorkerHeartbeat,
)
from genpool_gateway.tasks.view import TaskView

_MODELS: dict[str, type[BaseModel]] = {
    "event.gateway.backlog": GatewayBacklog,
    "event.task.accepted": TaskAccepted,
    "event.task.claimed": TaskClaimed,
    "event.task.output": TaskOutput,
    "event.task.preview": TaskPreview,
    "event.task.progress": TaskProgress,
    "event.task.retried": TaskRetried,
    "event.task.ended": TaskEnded,
    "event.message.rejected": MessageRejected,
    "event.worker.heartbeat": WorkerHeartbeat,
    "callback.body": TaskView,
    "callback.message": CallbackMessage,
    "command.cancel": CancelTask,
    "command.who": Who,
    "record.claim": Claim,
    "record.end": EndRecord,
}


def schema_files() -> dict[Path, str]:
    """One file for each message and record."""
    return {
        Path(f"docs/reference/schemas/{name}.schema.json"): _text(name, model)
        for name, model in _MODELS.items()
    }


def _text(name: str, model: type[BaseModel]) -> str:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": f"Generated from {_source(model)} by `make generate`. Do not edit.",
        "$id": f"https://genpool.dev/schemas/{name}.v1.json",
        **model.model_json_schema(mode="serialization"),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _source(model: type[BaseModel]) -> str:
    package = model.__module__.partition(".")[0]
    return "gateway/genpool_gateway" if package == "genpool_gateway" else "core/genpool_core"
