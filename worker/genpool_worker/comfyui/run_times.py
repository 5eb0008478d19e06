"""When a prompt was submitted, began and ended. Pure: frames and the history entry in, times out.

ComfyUI's own times come from its history, which has them in milliseconds; it runs in the worker's pod, by the same
clock. The websocket's frames stand in while there is no entry, and where its times cannot be.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from genpool_core import timing
from genpool_worker.comfyui.progress import TERMINAL
from genpool_worker.comfyui_json import Frame, HistoryEntry

#: What lies further before the submission, or in the future, is no time of this run.
_SLACK = timedelta(seconds=timing.OWN_CLOCK_SECONDS)
#: Milliseconds until the year 5138: Python's times end in 9999.
_FAR = 1e14


@dataclass
class RunTimes:
    """Times of one prompt, filled in while it runs; None where something was not reached or not seen."""

    posted: datetime | None = None
    """Just before it was posted for the first time."""
    submitted: datetime | None = None
    """ComfyUI had accepted it."""
    started: datetime | None = None
    """ComfyUI began to execute it."""
    finished: datetime | None = None
    """ComfyUI had executed it, or stopped it."""

    def feed(self, frame: Frame, prompt_id: str, now: datetime) -> None:
        """Take a frame in."""
        if frame.data.prompt_id != prompt_id:
            return
        if self.started is None and frame.type in {"execution_start", "executing", "progress"}:
            self.started = now
        if frame.type == "executing" and frame.data.node is None:
            self.finished = self.finished or now

    def learn(self, entry: HistoryEntry, now: datetime) -> None:
        """Take its history entry in, which is there: the prompt has ended."""
        for message in entry.status.messages:
            at = self._time(message.data.timestamp, now)
            if message.kind == "execution_start":
                self.started = at or self.started
            elif message.kind in TERMINAL:
                self.finished = self.finished or at
        self.finished = self.finished or now

    def _time(self, milliseconds: float, now: datetime) -> datetime | None:
        if self.posted is None or not 0 < milliseconds < _FAR:
            return None
        at = datetime.fromtimestamp(milliseconds / 1000, UTC)
        return at if self.posted - _SLACK <= at <= now + _SLACK else None

    def seconds(self, now: datetime) -> float | None:
        """How long it ran: until ``now`` where its end was not seen; None where its beginning was not."""
        if self.started is None:
            return 0.0 if self.submitted is None else None
        return max(0.0, ((self.finished or now) - self.started).total_seconds())
