"""GenPool's AMQP headers. They count only on messages whose ``user_id`` is one of GenPool's users.

RabbitMQ checks ``user_id`` against the connection's user, so nobody else can send such a message. Each user is believed
only what it has to say: see :func:`of_task`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from genpool_core import names

PREFIX = "x-genpool-"
#: Number of the attempt that failed, on a message that waits in a delay step.
ATTEMPT = "x-genpool-attempt"
#: Run of the task; a replay by hand is the run before plus one.
RUN = "x-genpool-run"
#: Id of the API key that sent the task to the gateway. It is part of the task's key.
OWNER = "x-genpool-owner"
#: UID of the pool for which the gateway accepted the task: its key was made of it. A pool that was made again under the
#: same name, and has another UID, still does the task as the one that it is.
POOL = "x-genpool-pool"
#: How often a task was put off because ComfyUI cannot run its workflow.
PUT_OFF = "x-genpool-put-off"
#: How often a callback was set aside without an attempt, because its receiver was away.
ASIDE = "x-genpool-aside"
#: When the gateway first put a callback off, in seconds since 1970.
SINCE = "x-genpool-since"
REASON = "x-genpool-reason"
MESSAGE = "x-genpool-message"
ATTEMPTS = "x-genpool-attempts"
TASK_KEY = "x-genpool-task-key"
ENDED_AT = "x-genpool-ended-at"
SCHEMA = "x-genpool-schema"
#: Names of the headers and properties that a copy of a message lacks, because AMQP could not carry them again.
LEFT_OUT = "x-genpool-left-out"
#: The producer's ``expiration`` (milliseconds): on a delayed copy or a dead letter the property would delete it.
EXPIRATION = "x-genpool-expiration"

HeaderValue = str | int
_NOTE_BYTES = 1000
#: What the gateway says of a task that it accepted or replays. Every copy of the message keeps it.
OF_THE_GATEWAY = (OWNER, RUN, POOL)
_NOT_THEIRS = (PREFIX, "x-death", "x-first-death", "x-last-death", "x-delivery-", "x-acquired-")


def ours(headers: Mapping[str, object] | None, *, believed: bool) -> dict[str, HeaderValue]:
    """GenPool's headers of a message; none when its sender is not ``believed``."""
    if not headers or not believed:
        return {}
    return {
        key: value
        for key, value in headers.items()
        if key.startswith(PREFIX) and isinstance(value, (str, int)) and not isinstance(value, bool)
    }


def of_task(
    headers: Mapping[str, object] | None, user_id: str | None, pool_uid: str
) -> dict[str, HeaderValue]:
    """GenPool's headers of a message in a pool's work queue, as far as its sender is believed.

    The pool's own workers are believed all of them, and a gateway those that it sets: owner, run and pool. So are the
    workers of the pool that the header names, of its own tasks: it may be gone, and its messages left to this one.
    Whatever else is there, somebody has made up.
    """
    sender = names.pool_of_user(user_id)
    if sender is not None and (sender == pool_uid or sender == (headers or {}).get(POOL)):
        return ours(headers, believed=True)
    found = ours(headers, believed=names.is_gateway_user(user_id))
    return {key: value for key, value in found.items() if key in OF_THE_GATEWAY}


def theirs(headers: Mapping[str, object] | None) -> dict[str, object]:
    """The producer's own headers, which travel with the message; ours and the broker's are left out.

    CC and BCC are the broker's: it would send a copy to the queues that they name with each republish.
    """
    return {
        key: value
        for key, value in (headers or {}).items()
        if key not in {"CC", "BCC"} and not key.startswith(_NOT_THEIRS)
    }


def number(headers: Mapping[str, HeaderValue], key: str) -> int | None:
    """A header as a whole number of at least 1, or None when it is absent or something else."""
    value = headers.get(key)
    return value if isinstance(value, int) and value >= 1 else None


def text(headers: Mapping[str, HeaderValue], key: str) -> str | None:
    """A header as a text that is not empty, or None when it is absent or something else."""
    value = headers.get(key)
    return value if isinstance(value, str) and value else None


def left_out(noted: object, names: Iterable[str]) -> str:
    """Value of :data:`LEFT_OUT`: what an earlier copy noted, and these names; at most 1000 bytes."""
    known = noted.split(", ") if isinstance(noted, str) and noted else []
    text = ", ".join(dict.fromkeys((*known, *names)))
    raw = text.encode(errors="backslashreplace")
    return text if len(raw) <= _NOTE_BYTES else f"{raw[: _NOTE_BYTES - 3].decode(errors='ignore')}…"
