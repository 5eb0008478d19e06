"""Following a prompt to its end: the socket wakes us up, the history is the truth, a slow poll is the fallback."""

from __future__ import annotations

from collections.abc import Callable

from genpool_core.errors import AttemptFailed
from genpool_core.jsontypes import JsonObject
from genpool_worker.calls import Calls
from genpool_worker.ear import SOCKET_CHANGED, Ear
from genpool_worker.errors import ComfyUIError, ComfyUIGone, ComfyUISilent, HandBack
from genpool_worker.parts import Parts
from genpool_worker.ports import Where
from genpool_worker.progress import Progress

POLL_SECONDS = 5.0
#: Without the socket that hears of the prompt.
POLL_DEAF_SECONDS = 1.0
_TICK = 1.0
Tell = Callable[[float, str | None], None]


class Follower:
    """One prompt that was submitted."""

    def __init__(self, parts: Parts, calls: Calls, ear: Ear, prompt_id: str, progress: Progress) -> None:
        self._parts = parts
        self._calls = calls
        self._ear = ear
        self._prompt_id = prompt_id
        self._progress = progress

    def follow(self, tell: Tell) -> JsonObject:
        """Wait for the history entry; ``tell`` is called with the progress, at most once a second.

        Raises
        ------
        AttemptFailed
            ComfyUI lost the prompt, or the time is over.
        HandBack
            A drain's time is over, or ComfyUI is gone or silent while the worker drains.
        """
        next_look = next_tell = 0.0
        told = 0.0
        while True:
            frame = self._ear.hear(_TICK)
            due = frame is not None and (frame is SOCKET_CHANGED or self._progress.feed(frame))
            now = self._parts.clock.monotonic()
            if due or now >= next_look:
                entry = self._look()
                if entry is not None:
                    return entry
                next_look = now + (POLL_SECONDS if self._ear.hears_all else POLL_DEAF_SECONDS)
            if self._progress.value > told and now >= next_tell:
                told, next_tell = self._progress.value, now + 1.0
                tell(told, self._progress.node)
            self._check_time()

    def _look(self) -> JsonObject | None:
        """The history entry; None while the prompt waits or runs, and while ComfyUI is silent."""
        comfyui = self._parts.comfyui
        try:
            entry = comfyui.history(self._prompt_id)
            if entry is None and comfyui.where(self._prompt_id) is Where.ABSENT:
                # It may have ended between the two questions.
                entry = comfyui.history(self._prompt_id)
                if entry is None:
                    raise self._calls.lost(None)
        except ComfyUIGone as error:
            raise self._calls.lost(error) from error
        except ComfyUISilent as error:
            self._calls.silent(error)
            return None
        return entry

    def _check_time(self) -> None:
        if self._parts.drain.overdue:
            self._stop()
            raise HandBack("the pod must go before the run can end.")
        if self._parts.clock.monotonic() >= self._calls.deadline:
            self._stop()
            raise AttemptFailed(
                "the run took longer than the workflow's timeoutSeconds and was interrupted: raise it, or give the "
                "task fewer steps or a smaller size.",
                reason="TimedOut",
                retryable=True,
            )

    def _stop(self) -> None:
        try:
            self._parts.comfyui.stop(self._prompt_id)
        except ComfyUIError:
            # What still runs is found in the queue and stopped before the next task is taken.
            return
