"""What can go wrong beside a task's own failures. Extends the tree in ``genpool_core.errors``.

::

    GenPoolError
    ├── ComfyUIError         ComfyUI did what it should not
    │   ├── ComfyUIGone          nothing listens: its process is gone, and with it queue and history
    │   ├── ComfyUISilent        no answer in time, or a broken one: it is busy, hangs, or is starting
    │   └── ComfyUIRefused       it answered with an error
    ├── FailedAtNode         (an AttemptFailed) it failed at a node of the workflow
    │   ├── PromptRefused        ComfyUI's check of the prompt found faults: at which nodes and inputs
    │   └── NodeFailed           a node raised an error of its own
    ├── Refused              RabbitMQ or the store will not accept what a task's end needs: trying again is no use
    ├── NoCopy               RabbitMQ will accept no copy of a message, however little is in it
    ├── Cancelled            the task in hand was cancelled, and ends so
    └── HandBack             the task in hand goes back to the queue, and its attempt does not count
"""

from __future__ import annotations

from dataclasses import dataclass

from genpool_core.errors import AttemptFailed, GenPoolError
from genpool_core.jsontypes import JsonValue
from genpool_core.ledger.records import FailedNode


class ComfyUIError(GenPoolError):
    """ComfyUI did what it should not."""

    reason = "ComfyUIError"


class ComfyUIGone(ComfyUIError):  # noqa: N818 - a state that is awaited, not only an error
    """Nothing listens at ComfyUI's address: its process ended, and its queue and history with it."""

    reason = "ComfyUILost"


class ComfyUISilent(ComfyUIError):  # noqa: N818 - a state that is awaited, not only an error
    """No whole answer in time. The request may have been carried out, or may be yet."""

    reason = "ComfyUIUnresponsive"


class ComfyUIRefused(ComfyUIError):  # noqa: N818 - the answer's meaning
    """ComfyUI answered with an error. ``body`` is its JSON, or None when it was none."""

    reason = "ComfyUIRefused"

    def __init__(self, message: str, *, status: int, body: JsonValue = None) -> None:
        super().__init__(message)
        self.status = status
        self.body = body


@dataclass(frozen=True)
class InputFault:
    """Where ComfyUI's check found a fault. ``input`` is empty where it may be any of the node's inputs."""

    node: str
    input: str = ""


class FailedAtNode(AttemptFailed):
    """It failed at a node of the workflow; ``at`` is None where ComfyUI does not say which."""

    def __init__(self, message: str, *, reason: str, retryable: bool, at: FailedNode | None) -> None:
        super().__init__(message, reason=reason, retryable=retryable)
        self.at = at


class PromptRefused(FailedAtNode):
    """ComfyUI refused a prompt, or would leave out a part of its results.

    ``faults``: where; empty: the graph as a whole, such as a class that is not there.
    """

    def __init__(self, message: str, faults: tuple[InputFault, ...], *, at: FailedNode | None = None) -> None:
        super().__init__(message, reason="InvalidPrompt", retryable=False, at=at)
        self.faults = faults


class NodeFailed(FailedAtNode):
    """A node raised an error of its own: not of memory, nor of the card.

    ``node``, ``class_type`` and ``error`` (its class and what it says) are uncut.
    """

    def __init__(self, message: str, *, node: str, class_type: str, error: str, at: FailedNode) -> None:
        super().__init__(message, reason="NodeFailed", retryable=False, at=at)
        self.node = node
        self.class_type = class_type
        self.error = error


class Refused(GenPoolError):  # noqa: N818 - the answer's meaning
    """RabbitMQ or the store refuses for good what settles a delivery. The delivery is still in hand."""

    reason = "Refused"


class NoCopy(GenPoolError):  # noqa: N818 - named for what cannot be had
    """RabbitMQ will never accept a copy of this message, not even its body alone: it is too large by now."""

    reason = "PublishRefused"


class Cancelled(GenPoolError):  # noqa: N818 - a decision on its way up
    """End the task in hand as cancelled; its attempt does not count."""

    reason = "Cancelled"


class HandBack(GenPoolError):  # noqa: N818 - a decision on its way up
    """Give the task in hand back to the queue; its attempt does not count."""

    reason = "HandedBack"
