"""A task as it goes into its work queue, and the event that tells of it. Pure."""

from __future__ import annotations

from genpool_core import identity, names
from genpool_core.messages import arrival, headers
from genpool_core.messages.amqp import OutgoingMessage, Properties
from genpool_core.messages.base import SCHEMA_VERSION
from genpool_core.messages.events import TaskAccepted
from genpool_gateway.tasks.record import TaskRecord


def task_message(record: TaskRecord, queue: str) -> OutgoingMessage:
    """The message of a task that has a submission; any worker of the pool can do it."""
    submission = record.submission
    if submission is None:
        raise ValueError(f"task {record.id} was not accepted here: there is nothing to publish")
    own: dict[str, headers.HeaderValue] = {
        headers.SCHEMA: SCHEMA_VERSION,
        headers.OWNER: submission.owner,
        headers.POOL: record.former_pool or record.pool.uid,
        # As the broker's interceptor would: the property has whole seconds only.
        arrival.INTERCEPTOR: int(record.created_at.timestamp() * 1000),
    }
    if record.position.run > 1:
        own[headers.RUN] = record.position.run
    return OutgoingMessage(
        exchange="",
        routing_key=queue,
        body=submission.body,
        headers=own,
        properties=Properties(
            content_type="application/json",
            message_id=record.id,
            priority=record.priority,
            timestamp=int(record.created_at.timestamp()),
            type="task",
        ),
    )


def accepted_event(record: TaskRecord) -> OutgoingMessage:
    """Tells that a task was accepted; nobody need hear it."""
    run = record.position.run
    event = TaskAccepted(
        id=identity.accepted_event_id(record.id, run),
        pool=record.pool,
        worker="",
        time=record.created_at,
        task_id=record.task_id,
        task_key=record.id,
        run=run,
        attempt=0,
        workflow=record.workflow,
    )
    return OutgoingMessage(
        exchange=names.EVENTS_EXCHANGE,
        routing_key=names.event_routing_key(event.pool.uid, event.type),
        body=event.model_dump_json().encode(),
        properties=Properties(message_id=event.id, type=event.type),
        mandatory=False,
    )
