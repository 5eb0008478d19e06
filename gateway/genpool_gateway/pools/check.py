"""The check of a task at the door: the pool it is for, and the message that an unmodified worker accepts. Pure.

A task may have the API's own words, or either shape that producers send to a queue:

==================  ======================================================================================
field               meaning
==================  ======================================================================================
``pool``            ``namespace/name``, or ``name`` where it is the only one
``workflow``        name or alias; also ``workflow_type``
``parameters``      values by name; each must be a parameter of the workflow
``callback_url``    where the end is announced; also ``webhook_url``
``task_id``         the sender's word for the task; made where it is absent
``priority``        0 to 9
``metadata``        the sender's own words, given back and never read
any other           in the message as it is: ``prompt``, ``image_url``, ``width`` and the like are parameters
==================  ======================================================================================

``priority`` and ``metadata`` are no part of the message, so they are none of the task's identity.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from genpool_core.canonical import canonical_json
from genpool_core.errors import InvalidTask, RefusedTask
from genpool_core.identity import task_key
from genpool_core.jsontypes import JsonObject, JsonValue
from genpool_core.messages.task import task_id_of
from genpool_core.shown import kind_of, shown
from genpool_core.strict_json import JsonFault, refuse_unwritable
from genpool_core.tasks.check import ValidatedTask, validate
from genpool_gateway.pools.directory import PoolDirectory, require_serving
from genpool_gateway.pools.errors import NotServed
from genpool_gateway.pools.pool import ServedPool, Serving

HIGHEST_PRIORITY = 9
#: Fields of the API that have another name in a message.
_RENAMED = {"workflow": "workflow_type", "webhook_url": "callback_url"}
#: Fields that a message does not have.
_NOT_SENT = frozenset({"pool", "priority", "metadata"})


@dataclass(frozen=True)
class CheckedTask:
    """A task that a worker of the pool accepts."""

    pool: ServedPool
    serving: Serving
    body: JsonObject
    """Of the message; it has a ``task_id``."""
    content: bytes = field(repr=False)
    """The body as it is published."""
    task_id: str
    validated: ValidatedTask
    priority: int | None = None
    metadata: JsonObject = field(default_factory=dict)

    def key(self, owner: str) -> str:
        """The task's key, which is its id in the API, when this API key's owner sends it."""
        return task_key(self.pool.ref.uid, self.task_id, self.body, tenant=owner)

    def without_callback(self) -> CheckedTask:
        """The same task with no ``callback_url`` in its message: nobody who ends it announces that there."""
        body = {key: value for key, value in self.body.items() if key != "callback_url"}
        return replace(self, body=body, content=canonical_json(body))


def check_request(
    directory: PoolDirectory, request: JsonObject, *, new_id: str, owner: str | None = None
) -> CheckedTask:
    """Check a task as it was sent to the gateway.

    ``directory``: only the pools that the sender may use. ``new_id``: the task's id where the request has none.
    ``owner``: the sender, whose uploads it may use.

    Raises
    ------
    InvalidTask, RefusedInput
        No worker of the pool could do it; or a field is not what it must be.
    NotServed
        No pool, or more than one, fits.
    PoolUnavailable
        The pool takes no task now.
    """
    try:
        return _checked(directory, request, new_id, owner)
    except RefusedTask as error:
        _name_as_sent(error, request)
        raise


def message_body(request: JsonObject, new_id: str) -> JsonObject:
    """The message for a request.

    Raises
    ------
    InvalidTask
        Two names of one field are there with two values.
    """
    body = {key: value for key, value in request.items() if key not in _NOT_SENT and key not in _RENAMED}
    for ours, theirs in _RENAMED.items():
        value = request.get(ours)
        if _absent(value):
            continue
        if not _absent(body.get(theirs)) and body[theirs] != value:
            message = f"{ours} and {theirs} mean the same and differ: send one of them."
            raise InvalidTask(message, parameter=ours, sent=shown(value, url=ours == "webhook_url"))
        body[theirs] = value
    for key in ("workflow_type", "callback_url", "parameters"):
        if _absent(body.get(key)) or body.get(key) == {}:
            body.pop(key, None)
    if _absent(body.get("task_id")):
        body["task_id"] = new_id
    return body


def _checked(directory: PoolDirectory, request: JsonObject, new_id: str, owner: str | None) -> CheckedTask:
    try:
        refuse_unwritable(request)
    except JsonFault as fault:
        place = ".".join(map(str, fault.path))
        raise InvalidTask(
            f"{place or 'the task'} {fault.what}. {fault.advice}", parameter=place or None
        ) from None
    body = message_body(request, new_id)
    priority, metadata = _priority(request.get("priority")), _metadata(request.get("metadata"))
    task_id = task_id_of(body) or new_id
    pool = _pool(directory, request.get("pool"), body)
    serving = require_serving(pool)
    validated = validate(body, serving.config, serving.catalog, owner=owner, as_sent=True)
    content = canonical_json(body)
    return CheckedTask(pool, serving, body, content, task_id, validated, priority, metadata)


def _pool(directory: PoolDirectory, name: JsonValue, body: JsonObject) -> ServedPool:
    if not _absent(name):
        if not isinstance(name, str):
            message = f"pool is {kind_of(name)}: send namespace/name."
            raise InvalidTask(message, parameter="pool", expected={"type": "string"}, sent=shown(name))
        return directory.find(name)
    workflow = body.get("workflow_type")
    if isinstance(workflow, str):
        return directory.find_serving(workflow)
    if workflow is not None:
        message = f"workflow is {kind_of(workflow)}: send the name of one."
        raise InvalidTask(
            message, parameter="workflow_type", expected={"type": "string"}, sent=shown(workflow)
        )
    if len(directory.pools) == 1:
        return directory.pools[0]
    if not directory.pools:
        raise NotServed("there is no pool that takes tasks. Make a GenerationPool.", reason="PoolUnknown")
    known = ", ".join(directory.workflow_names) or "none"
    raise NotServed(
        f"neither pool nor workflow is given: send one of them. Workflows: {known}.",
        parameter="workflow",
        expected={"enum": [*directory.workflow_names]},
    )


def _priority(value: JsonValue) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= HIGHEST_PRIORITY:
        raise InvalidTask(
            f"priority: send a whole number from 0 to {HIGHEST_PRIORITY}, or leave it out.",
            parameter="priority",
            expected={"type": "integer", "minimum": 0, "maximum": HIGHEST_PRIORITY},
            sent=shown(value),
        )
    return value


def _metadata(value: JsonValue) -> JsonObject:
    if value is None:
        return {}
    if not isinstance(value, dict):
        message = f"metadata is {kind_of(value)}: send an object."
        raise InvalidTask(message, parameter="metadata", expected={"type": "object"}, sent=shown(value))
    return value


def _name_as_sent(error: RefusedTask, request: JsonObject) -> None:
    """The worker's checks know a message's names; the sender may have used the API's."""
    for ours, theirs in _RENAMED.items():
        if error.parameter == theirs and _absent(request.get(theirs)):
            error.parameter = ours


def _absent(value: JsonValue) -> bool:
    return value is None or value == ""
