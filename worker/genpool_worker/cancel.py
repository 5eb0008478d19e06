"""A task that is cancelled while a worker has it in hand: who wins against its end, and against a drain.

A cancel that comes before the end is decided wins over whatever the attempt came to: results, a failure, the end of
its time, a pod that must go. What comes after is too late, and changes nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from typing import Literal

from genpool_core.identity import TaskRef
from genpool_core.messages.commands import CancelTask
from genpool_worker.errors import Cancelled


class Verdict(Enum):
    """What a cancel comes to."""

    TAKEN = "taken"
    TOO_LATE = "too late"
    """The end of the attempt is decided."""
    NOT_IN_HAND = "not in hand"
    """The worker has another task, another run of it, or none."""


@dataclass(frozen=True)
class Held:
    """The task in hand. ``message``: why it was cancelled; None: it was not. The others count only where it was."""

    key: str
    run: int
    decided: bool = False
    message: str | None = None
    outcome: Literal["cancelled", "expired"] = "cancelled"
    reason: str = "Cancelled"


def judge(held: Held | None, command: CancelTask) -> Verdict:
    """What a cancel means for the task in hand."""
    if held is None or (held.key, held.run) != (command.task_key, command.run):
        return Verdict.NOT_IN_HAND
    return Verdict.TOO_LATE if held.decided else Verdict.TAKEN


class Step(Enum):
    """What a run in ComfyUI does next."""

    GO_ON = "go on"
    CANCEL = "cancel"
    HAND_BACK = "hand back"
    TIME_OVER = "time over"


def next_step(*, cancelled: bool, overdue: bool, late: bool) -> Step:
    """``overdue``: the pod must go. ``late``: the run's time is over.

    A cancelled task is not handed back, since the next worker would run it; nor tried again.
    """
    if cancelled:
        return Step.CANCEL
    if overdue:
        return Step.HAND_BACK
    return Step.TIME_OVER if late else Step.GO_ON


class Cancellation:
    """Whether the task in hand is cancelled. The consumer's thread holds and asks, the connection's thread cancels."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: Held | None = None

    @contextmanager
    def holding(self, ref: TaskRef) -> Iterator[None]:
        """A task is in hand as long as the context is open."""
        with self._lock:
            self._held = Held(ref.key, ref.run)
        try:
            yield
        finally:
            with self._lock:
                self._held = None

    def cancel(self, command: CancelTask) -> Verdict:
        """Cancel the task in hand, if it is the one. Returns at once."""
        with self._lock:
            verdict = judge(self._held, command)
            if verdict is Verdict.TAKEN and self._held is not None:
                self._held = replace(
                    self._held, message=command.message, outcome=command.outcome, reason=command.reason
                )
        return verdict

    @property
    def asked(self) -> bool:
        """Whether the task in hand was cancelled."""
        return self._held is not None and self._held.message is not None

    @property
    def held(self) -> Held | None:
        """The task in hand, and how it is to end where it was cancelled."""
        return self._held

    @property
    def message(self) -> str:
        """Why; empty where it was not."""
        held = self._held
        return "" if held is None else held.message or ""

    def check(self) -> None:
        """Raises Cancelled where the task in hand was."""
        if self.asked:
            raise Cancelled(self.message)

    def decide(self) -> bool:
        """The attempt is over: from now on a cancel comes too late. True where one came before, and wins."""
        with self._lock:
            if self.asked:
                return True
            if self._held is not None:
                self._held = replace(self._held, decided=True)
            return False

    def conclude(self) -> None:
        """The same, raising Cancelled."""
        if self.decide():
            raise Cancelled(self.message)
