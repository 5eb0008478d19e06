"""One prompt on ComfyUI, from its submission to its history entry.

ComfyUI runs the same prompt twice when it is posted twice. After a POST whose answer was lost the prompt is therefore
looked for, in the queue and then in the history, before it is posted again. While it runs the websocket says when to
look, the history is the truth, and polling is the fallback.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from genpool_core import timing
from genpool_core.errors import AttemptFailed
from genpool_core.jsontypes import JsonObject
from genpool_worker.cancel import Step, next_step
from genpool_worker.comfyui import result
from genpool_worker.comfyui.event_stream import SOCKET_CHANGED, EventStream
from genpool_worker.comfyui.landed import Landed
from genpool_worker.comfyui.progress import OnProgress, Progress, node_titles
from genpool_worker.comfyui.retry import ComfyUIRetry
from genpool_worker.comfyui.run_times import RunTimes
from genpool_worker.comfyui.stuck import Stuck, follow, is_wedged
from genpool_worker.comfyui.wedge import Wedge
from genpool_worker.comfyui_json import HistoryEntry
from genpool_worker.errors import (
    Cancelled,
    ComfyUIError,
    ComfyUIGone,
    ComfyUIRefused,
    ComfyUISilent,
    HandBack,
)
from genpool_worker.ports import ComfyUI, OutputRef, Preview, Where

OnFiles = Callable[[list[OutputRef]], None]
OnPreview = Callable[[Preview], None]


@dataclass(frozen=True)
class Watch:
    """Who is told how a run gets on, in its own thread: until a call returns, nothing else of the run is looked at.

    ``progress`` is called at most once a second and ``preview`` at most twice; ``files`` with the results of a node, as
    soon as it has run.
    """

    progress: OnProgress = lambda _report: None
    files: OnFiles = lambda _refs: None
    preview: OnPreview = lambda _preview: None


NOBODY = Watch()


class PromptRun:
    """Runs one prompt within the deadline of ``retry``. ``mark`` tells our prompts from a person's.

    ``times`` is filled in while it runs.
    """

    def __init__(
        self,
        comfyui: ComfyUI,
        retry: ComfyUIRetry,
        wedge: Wedge,
        prompt_id: str,
        mark: str,
        times: RunTimes | None = None,
    ) -> None:
        self._comfyui = comfyui
        self._retry = retry
        self._wedge = wedge
        self._prompt_id = prompt_id
        self._mark = mark
        self._times = RunTimes() if times is None else times
        self._stuck: Stuck | None = None

    def run(self, graph: JsonObject, watch: Watch = NOBODY) -> HistoryEntry:
        """The history entry of the prompt.

        Raises
        ------
        AttemptFailed
            ComfyUI refused the prompt, would drop outputs, lost it, is gone, silent or wedged, or the time is over.
        HandBack
            A drain's time is over, or ComfyUI is gone or silent while the worker drains.
        Cancelled
            The task was, and ComfyUI was told to stop the prompt: see ``wait_until_stopped``.
        """
        self._retry.cancellation.check()
        try:
            with EventStream(self._comfyui, self._retry.clock) as stream:
                self._times.posted = self._retry.clock.now()
                self.submit(stream.client_id, graph)
                self._times.submitted = self._retry.clock.now()
                entry = self._wait(stream, Progress(self._prompt_id, graph.keys(), node_titles(graph)), watch)
        except Cancelled:
            self._stop()
            raise
        self._wedge.gets_on()
        return entry

    def wait_until_stopped(self) -> None:
        """After a cancel: until ComfyUI has let go of the prompt. One that heeds no interrupt has wedged it."""
        if self._stop() and not self._heeds(self._prompt_id):
            self._wedge.begin(self._prompt_id)

    def submit(self, client_id: str, graph: JsonObject) -> None:
        """Post the prompt, once as far as that can be done. Raises as ``run`` does."""
        comfyui, retry = self._comfyui, self._retry
        while True:
            try:
                errors = comfyui.submit(self._prompt_id, client_id, graph, self._mark)
            except ComfyUIRefused as error:
                raise result.refused(error) from error
            except ComfyUIGone as error:
                raise retry.lost(error) from error
            except ComfyUISilent as error:
                retry.silent(error)
                retry.rest()
                if retry.call(self._is_known):
                    return
            else:
                if errors:
                    retry.call(lambda: comfyui.stop(self._prompt_id))
                    raise result.dropped_outputs(errors)
                return

    def _is_known(self) -> bool:
        """Whether ComfyUI has the prompt, asked in the order that misses none."""
        queued = self._comfyui.where(self._prompt_id) is not Where.ABSENT
        return queued or self._comfyui.history(self._prompt_id) is not None

    def _wait(self, stream: EventStream, progress: Progress, watch: Watch) -> HistoryEntry:
        next_poll = next_report = next_preview = 0.0
        reported = 0.0
        landed = Landed(self._prompt_id)
        while True:
            said = stream.next_frame(timing.COMFYUI_TICK_SECONDS)
            frame = None if isinstance(said, Preview) else said
            if frame is not None:
                self._times.feed(frame, self._prompt_id, self._retry.clock.now())
                if files := landed.feed(frame):
                    watch.files(files)
            due = frame is not None and (frame is SOCKET_CHANGED or progress.feed(frame))
            now = self._retry.clock.monotonic()
            if isinstance(said, Preview) and now >= next_preview:
                next_preview = now + timing.PREVIEW_SECONDS
                watch.preview(said)
            if due or now >= next_poll:
                entry = self._history()
                if entry is not None:
                    self._times.learn(entry, self._retry.clock.now())
                    return entry
                next_poll = now + _poll_seconds(stream)
            if progress.value > reported and now >= next_report:
                reported, next_report = progress.value, now + timing.PROGRESS_SECONDS
                watch.progress(progress.report())
            self._check_time()

    def _history(self) -> HistoryEntry | None:
        """The history entry; None while the prompt waits or runs, and while ComfyUI is silent."""
        comfyui = self._comfyui
        try:
            entry = comfyui.history(self._prompt_id)
            where = None if entry is not None else comfyui.where(self._prompt_id)
            if where is Where.ABSENT:
                # It may have ended between the two questions.
                entry = comfyui.history(self._prompt_id)
                if entry is None:
                    raise self._retry.lost(None)
        except ComfyUIGone as error:
            raise self._retry.lost(error) from error
        except ComfyUISilent as error:
            self._stuck = None
            self._retry.silent(error)
            return None
        self._check_begun(where)
        return entry

    def _check_begun(self, where: Where | None) -> None:
        """A prompt that nothing keeps from beginning, and that does not: ComfyUI's thread for prompts has ended."""
        now = self._retry.clock.monotonic()
        self._stuck = follow(self._stuck, self._prompt_id if where is Where.NEXT else None, now)
        if is_wedged(self._stuck, now):
            if self._retry.drain.active:
                raise HandBack("ComfyUI is wedged while the worker drains.")
            # It stays in the queue: the restart is asked for as long as it is there.
            raise self._wedged("it did not begin the prompt, though nothing else ran", self._prompt_id)

    def _check_time(self) -> None:
        retry = self._retry
        late = retry.clock.monotonic() >= retry.deadline
        cancelled = retry.cancellation.asked
        match next_step(cancelled=cancelled, overdue=retry.drain.overdue, late=late):
            case Step.CANCEL:
                retry.cancellation.check()
            case Step.HAND_BACK:
                self._stop()
                raise HandBack("the pod must go before the run can end.")
            case Step.TIME_OVER:
                raise self._over()
            case Step.GO_ON:
                pass

    def _over(self) -> AttemptFailed:
        """The failure of a run whose time is over, once ComfyUI has stopped it, or what runs in its place."""
        other = self._other()
        target = self._prompt_id if other is None else other
        stopped = self._stop() and (other is None or self._stop(other))
        if stopped and not self._heeds(target):
            return self._wedged(
                "it did not stop a prompt, whose time was over, when that was interrupted", target
            )
        if other is not None:
            return AttemptFailed(
                "the prompt waited for the workflow's whole timeoutSeconds behind another one, which no worker had "
                "sent to this ComfyUI; that one was interrupted.",
                reason="TimedOut",
                retryable=True,
            )
        return AttemptFailed(
            "the run took longer than the workflow's timeoutSeconds and was interrupted: raise it, or give the "
            "task fewer steps or a smaller size.",
            reason="TimedOut",
            retryable=True,
        )

    def _other(self) -> str | None:
        """What runs while our prompt still waits."""
        try:
            running = self._comfyui.in_progress()
        except ComfyUIError:
            return None
        return running[0] if running and self._prompt_id not in running else None

    def _stop(self, prompt_id: str | None = None) -> bool:
        """Tell ComfyUI to stop the run, or another prompt. False: it took no notice of the call.

        What still runs is found in the queue, and stopped, before the next task is taken.
        """
        try:
            self._comfyui.stop(prompt_id or self._prompt_id)
        except ComfyUIError:
            return False
        return True

    def _heeds(self, prompt_id: str) -> bool:
        """Whether a prompt leaves the queue. True also where that cannot be seen: before the next task it will be."""
        stuck = Stuck(prompt_id, self._retry.clock.monotonic())
        while not self._retry.drain.overdue:
            try:
                if self._comfyui.where(prompt_id) is Where.ABSENT:
                    return True
            except ComfyUIError:
                return True
            if is_wedged(stuck, self._retry.clock.monotonic()):
                return False
            self._retry.drain.rest(timing.CANCEL_TICK_SECONDS)
        return True

    def _wedged(self, how: str, prompt_id: str) -> AttemptFailed:
        self._wedge.begin(prompt_id)
        return AttemptFailed(
            f"ComfyUI is wedged: {how}. Its container is restarted. Look for a node that waits without looking at "
            "interrupts or that ends its process, and for a card that hangs.",
            reason="Wedged",
            retryable=True,
        )


def _poll_seconds(stream: EventStream) -> float:
    return timing.COMFYUI_POLL_SECONDS if stream.receives_progress else timing.COMFYUI_POLL_ALONE_SECONDS
