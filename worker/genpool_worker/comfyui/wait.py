"""Waiting for the end of a prompt.

The websocket says when to look, the history is the truth, and polling is the fallback.
"""

from __future__ import annotations

from collections.abc import Callable

from genpool_core import timing
from genpool_core.errors import AttemptFailed
from genpool_core.jsontypes import JsonObject
from genpool_worker.comfyui.event_stream import SOCKET_CHANGED, EventStream
from genpool_worker.comfyui.progress import Progress
from genpool_worker.comfyui.retry import ComfyUIRetry
from genpool_worker.errors import ComfyUIError, ComfyUIGone, ComfyUISilent, HandBack
from genpool_worker.ports import ComfyUI, Where

OnProgress = Callable[[float, str | None], None]


class PromptWaiter:
    """One prompt that was submitted."""

    def __init__(
        self,
        comfyui: ComfyUI,
        retry: ComfyUIRetry,
        stream: EventStream,
        prompt_id: str,
        progress: Progress,
    ) -> None:
        self._comfyui = comfyui
        self._retry = retry
        self._stream = stream
        self._prompt_id = prompt_id
        self._progress = progress

    def wait(self, on_progress: OnProgress) -> JsonObject:
        """Wait for the history entry; ``on_progress`` is called with the progress, at most once a second.

        Raises
        ------
        AttemptFailed
            ComfyUI lost the prompt, or the time is over.
        HandBack
            A drain's time is over, or ComfyUI is gone or silent while the worker drains.
        """
        next_poll = next_report = 0.0
        reported = 0.0
        while True:
            frame = self._stream.next_frame(timing.COMFYUI_TICK_SECONDS)
            due = frame is not None and (frame is SOCKET_CHANGED or self._progress.feed(frame))
            now = self._retry.clock.monotonic()
            if due or now >= next_poll:
                entry = self._history()
                if entry is not None:
                    return entry
                next_poll = now + (
                    timing.COMFYUI_POLL_SECONDS
                    if self._stream.receives_progress
                    else timing.COMFYUI_POLL_ALONE_SECONDS
                )
            if self._progress.value > reported and now >= next_report:
                reported, next_report = self._progress.value, now + timing.PROGRESS_SECONDS
                on_progress(reported, self._progress.node)
            self._check_time()

    def _history(self) -> JsonObject | None:
        """The history entry; None while the prompt waits or runs, and while ComfyUI is silent."""
        comfyui = self._comfyui
        try:
            entry = comfyui.history(self._prompt_id)
            if entry is None and comfyui.where(self._prompt_id) is Where.ABSENT:
                # It may have ended between the two questions.
                entry = comfyui.history(self._prompt_id)
                if entry is None:
                    raise self._retry.lost(None)
        except ComfyUIGone as error:
            raise self._retry.lost(error) from error
        except ComfyUISilent as error:
            self._retry.silent(error)
            return None
        return entry

    def _check_time(self) -> None:
        if self._retry.drain.overdue:
            self._stop()
            raise HandBack("the pod must go before the run can end.")
        if self._retry.clock.monotonic() >= self._retry.deadline:
            self._stop()
            raise AttemptFailed(
                "the run took longer than the workflow's timeoutSeconds and was interrupted: raise it, or give the "
                "task fewer steps or a smaller size.",
                reason="TimedOut",
                retryable=True,
            )

    def _stop(self) -> None:
        try:
            self._comfyui.stop(self._prompt_id)
        except ComfyUIError:
            # What still runs is found in the queue and stopped before the next task is taken.
            return
