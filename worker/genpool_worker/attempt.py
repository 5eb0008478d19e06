"""One attempt at a task, from its inputs to its results in the bucket."""

from __future__ import annotations

import structlog

from genpool_core import identity
from genpool_core.errors import AttemptFailed
from genpool_core.jsontypes import JsonObject
from genpool_core.ledger import keys
from genpool_core.ledger.records import Claim, Output
from genpool_worker import inputs, judge, outputs
from genpool_worker.calls import Calls
from genpool_worker.ear import Ear
from genpool_worker.errors import ComfyUIError
from genpool_worker.follow import Follower, Tell
from genpool_worker.parts import Parts
from genpool_worker.ports import OutputRef
from genpool_worker.prepare import Prepared
from genpool_worker.progress import Progress
from genpool_worker.submit import submit
from genpool_worker.workdir import WorkDir

_log = structlog.get_logger(__name__)
#: How long ComfyUI may be silent while it takes inputs or gives results.
_TRANSFER_SECONDS = 120.0


class Attempt:
    """The work behind one claim."""

    def __init__(self, parts: Parts, claim: Claim, prepared: Prepared) -> None:
        self._parts = parts
        self._claim = claim
        self._prepared = prepared
        self._prompt_id = identity.prompt_id(claim.task_key, claim.run, claim.attempt)
        self._workdir = WorkDir(
            parts.scratch, f"{claim.task_key[:16]}-{claim.run}-{claim.attempt}-{claim.nonce[:8]}"
        )
        self._refs: list[OutputRef] = []
        self._submitted = False

    def run(self, tell: Tell) -> list[Output]:
        """Do it.

        Raises
        ------
        TaskFailure
            It failed.
        HandBack
            The pod must go first.
        """
        parts, claim = self._parts, self._claim
        with parts.metrics.phase("fetch"):
            files = inputs.fetch(parts, self._prepared)
        with parts.metrics.phase("upload"):
            uploads = inputs.upload(parts, self._calls(_TRANSFER_SECONDS), files, self._workdir.name)
        graph = self._prepared.graph_for(uploads, self._workdir.name)
        with parts.metrics.phase("run"):
            entry = self._execute(self._calls(self._prepared.timeout_seconds), graph, tell)
        self._refs = judge.left_behind(entry)
        results = self._judged(entry)
        prefix = keys.output_prefix(
            parts.config.s3.prefix, claim.task_key, claim.run, claim.attempt, claim.nonce
        )
        with parts.metrics.phase("store"):
            calls = self._calls(_TRANSFER_SECONDS)
            return outputs.collect(parts, calls, results, self._workdir, prefix)

    def clean(self) -> None:
        """Take away what the attempt left in ComfyUI and in the shared folders. Never raises."""
        if self._submitted:
            try:
                self._parts.comfyui.forget(self._prompt_id)
            except ComfyUIError as error:
                _log.info("history_not_deleted", reason=error.reason)
        self._workdir.clean(self._refs)

    def _calls(self, seconds: float) -> Calls:
        clock = self._parts.clock
        return Calls(clock, self._parts.drain, clock.monotonic() + seconds)

    def _execute(self, calls: Calls, graph: JsonObject, tell: Tell) -> JsonObject:
        parts = self._parts
        with Ear(parts.comfyui, parts.clock) as ear:
            self._submitted = True
            submit(parts.comfyui, calls, self._prompt_id, ear.client_id, graph, self._claim.task_key)
            progress = Progress(self._prompt_id, graph.keys())
            return Follower(parts, calls, ear, self._prompt_id, progress).follow(tell)

    def _judged(self, entry: JsonObject) -> list[OutputRef]:
        try:
            return judge.outputs_of(entry)
        except AttemptFailed as failure:
            if failure.reason == "OutOfMemory":
                self._free()
            raise

    def _free(self) -> None:
        """What the models hold may be what the next attempt lacks."""
        try:
            self._parts.comfyui.free()
        except ComfyUIError as error:
            _log.info("memory_not_freed", reason=error.reason)
