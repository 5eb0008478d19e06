"""Every error that GenPool raises on purpose.

::

    GenPoolError
    ├── SettingsError        a program that cannot work as it is set up; it refuses to start, or tells it in its log
    ├── InvalidManifest      a GenerationPool or a workflow that cannot work; shown as a condition, never retried
    ├── BrokerError          RabbitMQ refused, or did not answer; ``lasts`` tells what trying again can bring
    ├── StorageError         S3 refused, or did not answer; the same
    ├── UnreadableLedger     a record in the bucket that is none of ours
    ├── ClusterError         Kubernetes refused, or did not answer
    ├── TaskStoreError       the task store's database refused, or did not answer
    └── TaskFailure          a task's attempt that did not succeed
        ├── InvalidMessage       the body is no task at all
        ├── RefusedTask          a task that is refused for what one of its fields holds
        │   ├── InvalidTask          a task that no worker could do
        │   └── RefusedInput         an input that must not be fetched
        └── AttemptFailed        a task that a later attempt may do, or may not: ``retryable`` tells

Adapters translate other libraries' exceptions into these with ``from``. Messages are sentences for the person who
can change something; they never hold a credential or the query string of a URL.
"""

from __future__ import annotations

from enum import Enum

from genpool_core.jsontypes import JsonObject, JsonValue


class Lasts(Enum):
    """How long a refusal or a silence of RabbitMQ or S3 lasts."""

    OUTAGE = "until it is over"
    """No answer, a full queue, a right or a key that somebody has to correct: try again for as long as it takes."""
    REPAIR = "until it is repaired"
    """An exchange or queue is missing, or a right on it: the operator repairs that within a minute, or nobody does."""
    NEVER = "for ever"
    """This request will never be accepted: a message or an object that is too large or malformed."""


class GenPoolError(Exception):
    """Root of the tree. ``reason`` is a constant in CamelCase, as Kubernetes' conditions have it."""

    reason: str = "Error"

    def __init__(self, message: str, *, reason: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if reason is not None:
            self.reason = reason


class SettingsError(GenPoolError):
    """A program cannot work as it is set up.

    An environment variable, a file that it is given (the brokers file, credentials, a signing secret, the pool's
    configuration), or what these point to.
    """

    reason = "SettingsInvalid"


class InvalidManifest(GenPoolError):  # noqa: N818 - named for what the user sees
    """A GenerationPool or a workflow that cannot work as it is."""

    reason = "InvalidManifest"


class BrokerError(GenPoolError):
    """RabbitMQ refused a request, or did not answer."""

    reason = "BrokerUnreachable"

    def __init__(
        self,
        message: str,
        *,
        reason: str | None = None,
        lasts: Lasts = Lasts.OUTAGE,
        uncertain: bool = False,
    ) -> None:
        super().__init__(message, reason=reason)
        self.lasts = lasts
        self.uncertain = uncertain
        """Of a publish: it was sent, and it is not known whether the broker has it."""


class StorageError(GenPoolError):
    """The object store refused a request, or did not answer.

    ``refusal``: somebody has to change keys, rights, the bucket or the folder; waiting does not help.
    """

    reason = "StorageUnavailable"

    def __init__(
        self, message: str, *, reason: str | None = None, lasts: Lasts = Lasts.OUTAGE, refusal: bool = False
    ) -> None:
        super().__init__(message, reason=reason)
        self.lasts = lasts
        self.refusal = refusal


class UnreadableLedger(GenPoolError):  # noqa: N818 - named for what was found
    """A claim or end record that cannot be read."""

    reason = "UnreadableLedger"


class ClusterError(GenPoolError):
    """Kubernetes refused a request (``status``: HTTP) or did not answer (``status`` 0).

    ``refusal``: somebody has to change the pool, a quota or a policy; waiting does not help. ``taken``: another field
    manager has fields that were to be applied.
    """

    reason = "KubernetesError"

    def __init__(self, message: str, *, status: int, refusal: bool = False, taken: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.refusal = refusal
        self.taken = taken


class TaskStoreError(GenPoolError):
    """The gateway's database refused a request, or did not answer: try again when it is back."""

    reason = "TaskStoreUnavailable"


class TaskFailure(GenPoolError):  # noqa: N818 - an outcome, not only an exception
    """An attempt at a task that did not succeed. ``retryable``: a later attempt may."""

    reason = "TaskFailed"
    retryable = False


class InvalidMessage(TaskFailure):
    """A message that is no task: not JSON, or not an object. It has no identity and so no end record."""

    reason = "InvalidMessage"


class RefusedTask(TaskFailure):
    """A task that is refused for what one of its fields holds. What is about no one field leaves the fields out."""

    def __init__(
        self,
        message: str,
        *,
        reason: str | None = None,
        parameter: str | None = None,
        expected: JsonObject | None = None,
        sent: JsonValue = None,
    ) -> None:
        super().__init__(message, reason=reason)
        self.parameter = parameter
        """The parameter or field, as the sender names it."""
        self.expected = expected
        """JSON Schema of what is accepted."""
        self.sent = sent
        """What was sent, as :func:`genpool_core.shown.shown` shows it; None where nothing was."""


class InvalidTask(RefusedTask):
    """A task that no worker could do: unknown workflow, parameter out of bounds, no prompt."""

    reason = "InvalidTask"


class RefusedInput(RefusedTask):
    """An input that must not be fetched, or is not what it must be: host not allowed, too large, no image."""

    reason = "RefusedInput"


class AttemptFailed(TaskFailure):
    """An attempt that failed while it ran; ``retryable`` is the writer's judgement of the cause."""

    reason = "AttemptFailed"

    def __init__(self, message: str, *, reason: str, retryable: bool) -> None:
        super().__init__(message, reason=reason)
        self.retryable = retryable
