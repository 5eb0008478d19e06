"""A ComfyUI that is wedged: it answers, and no prompt gets on. Only a restart of its container helps.

The worker marks the prompt that does not move. ComfyUI's liveness script reads the mark and fails as long as that
prompt is in ComfyUI's queue. The queue is gone after a restart, and no later attempt has the same prompt id: so a mark
counts for one life of ComfyUI, in whatever order the containers of the pod are restarted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import structlog

from genpool_worker.ports import Clock, RestartMark, WedgeReport

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _State:
    prompt_id: str | None
    times: int = 0
    since: float | None = None
    seen: float = 0.0


class Wedge:
    """Whether ComfyUI is wedged now. The consumer's thread writes, the heartbeat's thread reads."""

    def __init__(self, mark: RestartMark, clock: Clock) -> None:
        self._mark = mark
        self._clock = clock
        # A worker before us, in the same pod, may have asked for the restart.
        self._state = _State(mark.read())

    def begin(self, prompt_id: str) -> None:
        """ComfyUI is wedged with this prompt: ask for its restart."""
        now = self._clock.monotonic()
        self._state = _State(prompt_id, self._state.times + 1, now, now)
        _log.error("comfyui_wedged", prompt_id=prompt_id, times=self._state.times)
        self._mark.write(prompt_id)

    @property
    def prompt_id(self) -> str | None:
        """The prompt because of which a restart was asked for; None: ComfyUI is not wedged."""
        return self._state.prompt_id

    def still(self) -> None:
        """The prompt was seen in the queue again."""
        now, since = self._clock.monotonic(), self._state.since
        self._state = replace(self._state, since=now if since is None else since, seen=now)

    def over(self) -> None:
        """The prompt is not in the queue any more: ComfyUI was restarted, or gets on after all."""
        if self._state.prompt_id is not None:
            _log.info("comfyui_not_wedged_any_more", prompt_id=self._state.prompt_id)
            self._state = _State(None, self._state.times)
            self._mark.clear()

    def gets_on(self) -> None:
        """A prompt has ended by itself."""
        self._state = replace(self._state, times=0)

    def report(self) -> WedgeReport:
        """For heartbeats. What was not seen again is not said to have lasted."""
        state = self._state
        return WedgeReport(None if state.since is None else state.seen - state.since, state.times)
