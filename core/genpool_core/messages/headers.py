"""GenPool's AMQP headers. They count only on messages whose ``user_id`` is one of GenPool's users.

RabbitMQ checks ``user_id`` against the connection's user, so nobody else can send such a message.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

PREFIX = "x-genpool-"
#: Number of the attempt that failed, on a message that waits in a delay step.
ATTEMPT = "x-genpool-attempt"
#: Run of the task; a replay by hand is the run before plus one.
RUN = "x-genpool-run"
#: Id of the API key that sent a task to the gateway.
OWNER = "x-genpool-owner"
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


def left_out(noted: object, names: Iterable[str]) -> str:
    """Value of :data:`LEFT_OUT`: what an earlier copy noted, and these names; at most 1000 bytes."""
    known = noted.split(", ") if isinstance(noted, str) and noted else []
    text = ", ".join(dict.fromkeys((*known, *names)))
    raw = text.encode(errors="backslashreplace")
    return text if len(raw) <= _NOTE_BYTES else f"{raw[: _NOTE_BYTES - 3].decode(errors='ignore')}…"
