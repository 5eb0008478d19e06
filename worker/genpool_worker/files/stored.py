"""Inputs of a task that lie in the pool's bucket: uploads, and what came inside the task and was too large for it."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from genpool_core.errors import InvalidTask, RefusedInput
from genpool_core.ledger import keys
from genpool_core.strict_json import JsonFault, read_json
from genpool_core.tasks.check import ValidatedTask, checked_graph
from genpool_worker.context import WorkerContext


def upload(context: WorkerContext, key: str) -> bytes:
    """One upload; its size was signed, and is checked all the same. Raises RefusedInput."""
    name, most = key.rpartition("/")[2], context.config.max_input_bytes
    stored = context.retry.until_stored(lambda: context.store.get(key))
    if stored is None:
        raise RefusedInput(
            f"the upload {name} is not in the bucket: PUT the file to the upload's url, then send the task."
        )
    if len(stored.data) > most:
        raise RefusedInput(f"the upload {name} has more than {most:,} bytes: send a smaller file.")
    return stored.data


def own_input(context: WorkerContext, task_key: str, digest: str, name: str) -> bytes:
    """What the gateway has put into the task's place for parameter ``name``. Raises RefusedInput."""
    key = keys.input_key(context.config.store.prefix, task_key, digest)
    stored = context.retry.until_stored(lambda: context.store.get(key))
    if stored is None:
        raise RefusedInput(
            f"{name} came with the task and is not in the bucket any more: send the task again."
        )
    # Who else may write into the bucket changes no task by it.
    if hashlib.sha256(stored.data).hexdigest() != digest:
        raise RefusedInput(f"{name} came with the task and was changed in the bucket: send the task again.")
    return stored.data


def with_graph(context: WorkerContext, validated: ValidatedTask, task_key: str) -> ValidatedTask:
    """The task with its graph, where that lies in the bucket. Raises RefusedInput, or InvalidTask for no graph."""
    if validated.graph_digest is None:
        return validated
    data = own_input(context, task_key, validated.graph_digest, "prompt")
    try:
        return replace(validated, graph=checked_graph(read_json(data.decode())))
    except (UnicodeDecodeError, JsonFault):
        raise InvalidTask(
            "prompt in the bucket is no JSON: send the graph again.", parameter="prompt"
        ) from None
