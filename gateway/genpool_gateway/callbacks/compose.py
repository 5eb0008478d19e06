"""What a receiver gets: the task as the API shows it, as a CloudEvent, built at each delivery.

CloudEvents 1.0, binary mode: the attributes are headers ``ce-…``, the body is the task. So a link is as fresh as the
delivery. A message of a release that did not write the end record is sent as that release wrote it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

from genpool_core.messages.callbacks import CallbackBody, CallbackMessage
from genpool_core.messages.events import TaskOutput
from genpool_gateway.callbacks.callback import Callback
from genpool_gateway.callbacks.ports import WebhookRequest
from genpool_gateway.pools.links import Links
from genpool_gateway.tasks.change import change_of
from genpool_gateway.tasks.ports import TaskReader
from genpool_gateway.tasks.record import TaskRecord
from genpool_gateway.tasks.told import ended_record, running_record
from genpool_gateway.tasks.view import Beside, Link, view_of

_AMZ_TIME = "%Y%m%dT%H%M%SZ"
#: Name of an event by what it is about.
_TYPES = {"task.claimed": "started", "task.output": "output"}


@dataclass(frozen=True)
class Composer:
    """Composes what is sent. Used by many threads."""

    reader: TaskReader
    links: Links
    public_url: str = ""
    check_store: Callable[[], None] = lambda: None
    """Raises TaskStoreError while the task store was not opened yet."""

    def compose(self, callback: Callback) -> WebhookRequest | None:
        """The request to send; None where the task's sender asked for no callback of this kind.

        Raises
        ------
        TaskStoreError, PoolsUnknown
            It cannot be told now.
        """
        message = callback.message
        pool = self.links.pools.snapshot().by_uid(message.pool.uid)
        request = callback.request
        hosts = None if pool is None else pool.callback_hosts
        if hosts is not None:
            # The pool's rules of today count, whatever its worker says.
            request = replace(request, allow=hosts)
        if message.end is None and message.event is None:
            return request
        self.check_store()
        known = self._known(message)
        if not _wanted(known, message):
            return None
        record, beside, about = self._told(message, known)
        beside = replace(
            beside, base=self.public_url, retention_seconds=None if pool is None else pool.retention_seconds
        )
        body = view_of(record, beside).model_dump_json().encode()
        return replace(request, body=body, headers=self._headers(message, *about))

    def _known(self, message: CallbackMessage) -> TaskRecord | None:
        """What the store knows of the task, unless it is another pool's, of which the sender may not speak."""
        record = self.reader.get(message.task_key)
        return record if record is not None and record.pool.uid == message.pool.uid else None

    def _told(
        self, message: CallbackMessage, known: TaskRecord | None
    ) -> tuple[TaskRecord, Beside, tuple[str, datetime]]:
        """The task, what is shown beside it, and the event's kind and time."""
        if message.end is not None:
            record = ended_record(known, message.end, message.pool)
            outputs = [] if record.end is None else record.end.outputs
            links = {**links_of_worker(message.body), **self.links.sign(message.pool.uid, outputs)}
            return record, Beside(links=links), ("ended", message.end.ended_at)
        event = message.event
        change = None if event is None else change_of(event)
        assert event is not None  # noqa: S101 - the message has an end or an event
        assert change is not None  # noqa: S101 - both kinds of event are changes
        landed = (event.output,) if isinstance(event, TaskOutput) else ()
        beside = Beside(outputs=landed, links=self.links.sign(message.pool.uid, landed))
        return running_record(known, change), beside, (_TYPES[event.type], event.time)

    def _headers(self, message: CallbackMessage, kind: str, time: datetime) -> Mapping[str, str]:
        pool = message.pool
        return {
            "ce-specversion": "1.0",
            "ce-id": message.id,
            "ce-type": f"dev.genpool.task.{kind}",
            "ce-source": self.public_url or f"/pools/{pool.namespace}/{pool.name}",
            "ce-subject": message.task_key,
            "ce-time": time.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        }


def _wanted(known: TaskRecord | None, message: CallbackMessage) -> bool:
    """Whether it may be sent: an erased task tells its end only, and that where it was asked for."""
    if known is None:
        return True
    if message.event is not None:
        return known.erased_at is None
    # A plain producer that gives a URL asks for the end.
    return known.submission is None or "end" in known.submission.callback_events


def links_of_worker(body: CallbackBody | None) -> dict[str, Link]:
    """The links that the worker signed at the end, by object key."""
    outputs = [] if body is None else body.outputs
    return {
        output.key: Link(output.url, _valid_until(output.url)) for output in outputs if output.url is not None
    }


def _valid_until(url: str) -> datetime | None:
    """Until when a link is valid, as its own query says; None where it does not."""
    try:
        query = parse_qs(urlsplit(url).query)
        signed = datetime.strptime(query["X-Amz-Date"][0], _AMZ_TIME).replace(tzinfo=UTC)
        return datetime.fromtimestamp(signed.timestamp() + int(query["X-Amz-Expires"][0]), UTC)
    except (ValueError, LookupError, OverflowError, OSError):
        return None
