"""Calls to ComfyUI, tried again: a busy interpreter answers late, a hung one not at all until it is restarted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from genpool_core import timing
from genpool_core.errors import AttemptFailed
from genpool_worker.cancel import Cancellation
from genpool_worker.drain import Drain
from genpool_worker.errors import ComfyUIGone, ComfyUISilent, HandBack
from genpool_worker.ports import Clock

T = TypeVar("T")


class ComfyUIRetry:
    """Calls of one attempt, until its deadline (monotonic seconds). Without ``cancellation`` nothing cancels them."""

    def __init__(
        self, clock: Clock, drain: Drain, deadline: float, cancellation: Cancellation | None = None
    ) -> None:
        self.clock = clock
        self.drain = drain
        self.deadline = deadline
        self.cancellation = cancellation or Cancellation()

    def call(self, action: Callable[[], T]) -> T:
        """Result of a call that may be made again after a time-out.

        Raises
        ------
        AttemptFailed
            ComfyUI is gone, or silent until the deadline.
        HandBack
            It is gone or silent while the worker drains.
        Cancelled
            The task was, before the call or between two.
        """
        while True:
            self.cancellation.check()
            try:
                return action()
            except ComfyUIGone as error:
                raise self.lost(error) from error
            except ComfyUISilent as error:
                self.silent(error)
            self.rest()

    def rest(self) -> None:
        """Wait a little before the next call."""
        self.drain.rest(timing.COMFYUI_RETRY_SECONDS)

    def silent(self, error: ComfyUISilent) -> None:
        """One call got no answer: whether that is the end of the attempt. Raises as ``call`` does."""
        if self.drain.active:
            raise HandBack(f"ComfyUI stalls while the worker drains: {error.message}") from error
        if self.clock.monotonic() >= self.deadline:
            raise AttemptFailed(
                f"ComfyUI did not answer until the run's time was over: {error.message}",
                reason="ComfyUIUnresponsive",
                retryable=True,
            ) from error

    def lost(self, error: ComfyUIGone | None) -> AttemptFailed | HandBack:
        """The error for a ComfyUI that no longer knows the run."""
        if self.drain.active:
            return HandBack("ComfyUI is gone while the worker drains.")
        how = error.message if error else "it no longer knows the prompt"
        return AttemptFailed(
            f"ComfyUI was restarted or crashed during the run ({how}). Look at the last state of its container: "
            "the reason OOMKilled means that it ran out of memory; with another one its log says how it ended.",
            reason="ComfyUILost",
            retryable=True,
        )
