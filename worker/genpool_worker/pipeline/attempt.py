"""One attempt at a task, from its inputs to its results in the bucket."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import structlog

from genpool_core import identity, timing
from genpool_core.errors import AttemptFailed, TaskFailure
from genpool_core.jsontypes import JsonObject
from genpool_core.ledger import keys
from genpool_core.ledger.records import Claim, Output
from genpool_core.tasks.check import ValidatedTask
from genpool_core.workflow.render import with_mark
from genpool_worker.cancel import Step, next_step
from genpool_worker.comfyui import result
from genpool_worker.comfyui.log_lines import lines_since
from genpool_worker.comfyui.memory import empty_memory
from genpool_worker.comfyui.progress import OnProgress
from genpool_worker.comfyui.retry import ComfyUIRetry
from genpool_worker.comfyui.run import OnPreview, PromptRun, Watch
from genpool_worker.comfyui_json import HistoryEntry
from genpool_worker.context import WorkerContext
from genpool_worker.errors import ComfyUIError, NodeFailed
from genpool_worker.files import inputs, stored
from genpool_worker.files.outputs import Collector
from genpool_worker.files.workdir import WorkDir
from genpool_worker.pipeline.trace import AttemptTrace
from genpool_worker.ports import OutputRef

_log = structlog.get_logger(__name__)
#: Failures that may have left any node half made, or that a full memory made.
_UNCLEAN = frozenset({"OutOfMemory", "DeviceFailed", "VolumeFailed", "ScratchFull"})


@dataclass(frozen=True)
class Told:
    """Who is told how an attempt gets on; each call returns at once. ``output``: a result is in the bucket."""

    progress: OnProgress = lambda _report: None
    output: Callable[[Output], None] = lambda _output: None
    preview: OnPreview = lambda _preview: None


class Attempt:
    """The work behind one claim."""

    def __init__(self, context: WorkerContext, claim: Claim, validated: ValidatedTask) -> None:
        self._context = context
        self._claim = claim
        self._validated = validated
        self._prompt_id = identity.prompt_id(claim.task_key, claim.run, claim.attempt)
        self._workdir = WorkDir(
            context.scratch, f"{claim.task_key[:16]}-{claim.run}-{claim.attempt}-{claim.nonce[:8]}"
        )
        self._refs: list[OutputRef] = []
        self._prompt: PromptRun | None = None
        self.trace = AttemptTrace(context.config.gpus)
        """What was seen of it so far."""

    def run(self, told: Told) -> list[Output]:
        """Fetch the inputs, run the prompt, store the results; returns their records.

        A result is stored as soon as its node has run.

        Raises
        ------
        TaskFailure
            It failed.
        HandBack
            The pod must go first.
        Cancelled
            The task was.
        """
        try:
            return self._run(told)
        except TaskFailure as failure:
            self._note(failure)
            raise

    def _run(self, told: Told) -> list[Output]:
        context = self._context
        with context.metrics.phase("fetch"):
            validated = stored.with_graph(context, self._validated, self._claim.task_key)
            files = inputs.fetch(context, validated, self._claim.task_key)
        self.trace.fetched = context.clock.now()
        with context.metrics.phase("upload"):
            uploads = inputs.upload(
                context, self._retry_for(timing.TRANSFER_SECONDS), files, self._workdir.name
            )
        graph = validated.graph_for(uploads, self._workdir.name)
        retry = self._retry_for(self._validated.timeout_seconds)
        self._workdir.empty_output()
        collector = self._collector(told)
        try:
            return self._run_and_store(retry, graph, told, collector)
        except AttemptFailed as failure:
            if failure.reason != "OutputMissing":
                raise
            _log.info("outputs_from_cache", message=failure.message)
        # The same prompt again would be answered from the cache again.
        retry.call(lambda: context.comfyui.forget(self._prompt_id))
        nodes = {ref.node for ref in self._refs}
        collector.start_over()
        try:
            marked = with_mark(graph, nodes, self._workdir.name)
            return self._run_and_store(retry, marked, told, collector)
        except AttemptFailed as failure:
            if failure.reason == "OutputMissing":
                self._free()
            raise

    def _run_and_store(
        self, retry: ComfyUIRetry, graph: JsonObject, told: Told, collector: Collector
    ) -> list[Output]:
        context = self._context
        watch = Watch(told.progress, partial(self._land, retry, collector), told.preview)
        with context.metrics.phase("run"):
            entry = self._execute(retry, graph, watch)
        self._refs = [*self._refs, *result.left_behind(entry)]
        results = self._results(entry)
        result.check_own(entry, results, self._workdir.name)
        with context.metrics.phase("store"):
            stored = collector.collect(self._retry_for(timing.TRANSFER_SECONDS), results)
        self.trace.stored = context.clock.now()
        return stored

    def _collector(self, told: Told) -> Collector:
        claim = self._claim
        prefix = keys.output_prefix(
            self._context.config.store.prefix, claim.task_key, claim.run, claim.attempt, claim.nonce
        )
        return Collector(self._context, self._workdir, prefix, told.output)

    def _land(self, retry: ComfyUIRetry, collector: Collector, refs: list[OutputRef]) -> None:
        """Store results while the prompt runs on, as long as nothing else is to be done about the run."""
        for ref in refs:
            late = retry.clock.monotonic() >= retry.deadline
            cancelled, overdue = retry.cancellation.asked, retry.drain.overdue
            if next_step(cancelled=cancelled, overdue=overdue, late=late) is not Step.GO_ON:
                return
            collector.early(ref)

    def wait_until_stopped(self) -> None:
        """After a cancel, whose end is told already: until the next task may have ComfyUI. Never raises."""
        if self._prompt is not None:
            self._prompt.wait_until_stopped()

    def clean(self) -> None:
        """Take away what the attempt left in ComfyUI and in the shared folders. Never raises."""
        if self._prompt is not None:
            try:
                self._context.comfyui.forget(self._prompt_id)
            except ComfyUIError as error:
                _log.info("history_not_deleted", reason=error.reason)
        self._workdir.clean(self._refs)

    def _retry_for(self, seconds: float) -> ComfyUIRetry:
        context = self._context
        deadline = context.clock.monotonic() + seconds
        return ComfyUIRetry(context.clock, context.drain, deadline, context.cancellation)

    def _execute(self, retry: ComfyUIRetry, graph: JsonObject, watch: Watch) -> HistoryEntry:
        context = self._context
        self._prompt = PromptRun(
            context.comfyui,
            retry,
            context.wedge,
            self._prompt_id,
            mark=self._claim.task_key,
            times=self.trace.new_run(),
        )
        return self._prompt.run(graph, watch)

    def _results(self, entry: HistoryEntry) -> list[OutputRef]:
        try:
            return result.outputs_of(entry)
        except AttemptFailed as failure:
            # Before ComfyUI's memory is emptied, which it writes about too.
            self._note(failure)
            if failure.reason in _UNCLEAN or self._may_be_half_made(failure):
                self._free()
            raise

    def _note(self, failure: TaskFailure) -> None:
        """Keep where it failed and what ComfyUI wrote last. Never raises."""
        if self.trace.failure is not failure:
            self.trace.note(failure, self._log_lines(failure))

    def _log_lines(self, failure: TaskFailure) -> list[str]:
        """ComfyUI's last lines about the prompt; none where there is no prompt, or no ComfyUI that knows it."""
        posted = self.trace.posted
        if posted is None or failure.reason == "ComfyUILost":
            return []
        try:
            return lines_since(self._context.comfyui.log(), posted)
        except ComfyUIError as error:
            _log.info("comfyui_log_not_read", reason=error.reason, message=error.message)
            return []

    def _may_be_half_made(self, failure: AttemptFailed) -> bool:
        """Whether ComfyUI keeps a node that failed, and would use it again as it was left.

        Packs' nodes keep their models. Seen with DDColor: a network whose file could not be read painted the next
        task's photo in colours that mean nothing, as a success.
        """
        return isinstance(failure, NodeFailed) and not self._context.availability.is_own(failure.class_type)

    def _free(self) -> None:
        """Empty ComfyUI's memory for the next attempt: of the models of earlier tasks, and of cached results.

        The next task needs that too where this one was cancelled meanwhile.
        """
        context, prompt_id = self._context, str(uuid.uuid4())
        retry = ComfyUIRetry(
            context.clock, context.drain, context.clock.monotonic() + timing.TRANSFER_SECONDS
        )
        left = empty_memory(
            context.comfyui, retry, context.wedge, prompt_id=prompt_id, mark=self._claim.task_key
        )
        self._refs = [*self._refs, *left]
