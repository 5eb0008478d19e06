"""Which of the pool's workflows ComfyUI can run: what it lacks for one is no fault of that one's tasks."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace

import structlog

from genpool_core import timing
from genpool_core.messages.events import NO_WORKFLOW, UnavailableWorkflow
from genpool_core.workflow.bind import Bound
from genpool_core.workflow.catalog import Catalog, Workflow
from genpool_core.workflow.lacks import Lack, NodeClass, class_types, find_lacks
from genpool_core.workflow.render import always_given, asked, by_default, reachable
from genpool_worker.comfyui.blame import SHOWN, failure_sentence, lack_sentence, places_of, touches
from genpool_worker.errors import ComfyUIRefused, InputFault, NodeFailed, PromptRefused
from genpool_worker.ports import Clock, ComfyUI
from genpool_worker.status import Waits

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Failure:
    """A prompt that failed through no fault of its task. From ``trial_at`` on one task may try again."""

    reason: str
    message: str
    faults: tuple[InputFault, ...]
    trial_at: float


class Availability:
    """Asks ComfyUI about the workflows' node classes, and learns from what it refuses and what fails in it.

    ``/object_info`` tells for certain that a node class or a model file is missing. Where ComfyUI refused a prompt, or
    a node failed, at places where the task had put nothing of its own, no other task would fare better: one is tried
    every while, and its success ends it. One thread asks and learns; any may read :attr:`unavailable`.
    """

    def __init__(self, comfyui: ComfyUI, catalog: Catalog, clock: Clock, *, allow_graphs: bool) -> None:
        self._comfyui = comfyui
        self._workflows = {item.entry.name: item for item in catalog.workflows}
        self._usual = {
            name: by_default(item.template, item.parameters) for name, item in self._workflows.items()
        }
        self._clock = clock
        self._allow_graphs = allow_graphs
        self._lock = threading.Lock()
        self._asked_at: float | None = None
        self._own: frozenset[str] = frozenset()
        self._lacks: dict[str, tuple[Lack, ...]] = {}
        self._failures: dict[str, _Failure] = {}
        self._unavailable: tuple[UnavailableWorkflow, ...] | None = None

    @property
    def unavailable(self) -> tuple[UnavailableWorkflow, ...] | None:
        """The workflows that cannot be run now; None while ComfyUI was not asked."""
        with self._lock:
            return self._unavailable

    def look(self) -> None:
        """Ask ComfyUI where that is due: once, and again every while as long as it lacks something.

        Raises
        ------
        ComfyUIError
            It does not answer.
        """
        now, asked_at = self._clock.monotonic(), self._asked_at
        lacks_some = any(self._lacks.values())
        if asked_at is not None and (not lacks_some or now - asked_at < timing.WORKFLOW_CHECK_SECONDS):
            return
        known = self._ask()
        self._own = frozenset(name for name, item in known.items() if item is not None and item.is_own)
        self._asked_at = now
        self._lacks = {name: self._lacks_of(name, known) for name in self._workflows}
        self._publish()

    def forget(self) -> None:
        """ComfyUI was away: what it says when it is back may differ. Until then what is known holds."""
        self._asked_at = None
        now = self._clock.monotonic()
        self._failures = {name: replace(item, trial_at=now) for name, item in self._failures.items()}

    def none(self) -> Waits | None:
        """That no task of this pool can be done, whatever it gives, where that is so."""
        found = self.unavailable
        if not found or self._allow_graphs or not all(map(self._is_hopeless, self._workflows)):
            return None
        sentences = " ".join(item.message for item in found[:SHOWN])
        more = f" And {len(found) - SHOWN} more." if len(found) > SHOWN else ""
        return Waits(NO_WORKFLOW, f"ComfyUI can run none of the pool's workflows. {sentences}{more}")

    def obstacle(self, workflow: Workflow | None, bound: Bound) -> str | None:
        """Why a task cannot be done now, through no fault of its own. None: it can, or it is to be tried.

        A task that names another model than the workflow's own is none of those that wait for that model.
        """
        if workflow is None or not self.unavailable:
            return None
        name, own = workflow.entry.name, self._asked(workflow, bound)
        lacks = self._lacks.get(name, ())
        stands = [lack for lack in lacks if not lack.is_at(own)]
        if stands:
            return lack_sentence(name, stands)
        failure = self._failures.get(name)
        if failure is None or self._is_due(failure) or touches(own, failure.faults):
            return None
        return failure.message

    def learn(
        self, workflow: Workflow | None, bound: Bound, failure: PromptRefused | NodeFailed
    ) -> str | None:
        """Why a task's prompt failed, where that is no fault of the task's; None where it is.

        Raises
        ------
        ComfyUIError
            It had to be asked which class it lacks, and does not answer.
        """
        if workflow is None:
            return None
        name, own = workflow.entry.name, self._asked(workflow, bound)
        faults = places_of(failure, self._usual[name])
        if touches(own, faults):
            return None
        trial_at = self._clock.monotonic() + timing.WORKFLOW_TRIAL_SECONDS
        message = failure_sentence(name, failure)
        reason = "PromptRefused" if isinstance(failure, PromptRefused) else failure.reason
        self._failures[name] = _Failure(reason, message, faults, trial_at)
        if isinstance(failure, PromptRefused):
            self._asked_at = None
            self.look()
        self._publish()
        return self.obstacle(workflow, bound)

    def worked(self, workflow: Workflow | None, bound: Bound) -> None:
        """A task was done: what failed by itself before is mended, if this task went the same way."""
        if workflow is None or (failure := self._failures.get(workflow.entry.name)) is None:
            return
        if not touches(self._asked(workflow, bound), failure.faults):
            del self._failures[workflow.entry.name]
            self._publish()

    def is_own(self, class_type: str) -> bool:
        """Whether a node class is known to be ComfyUI's own, and no pack's."""
        return class_type in self._own

    def _asked(self, workflow: Workflow, bound: Bound) -> frozenset[tuple[str, str]]:
        return asked(self._usual[workflow.entry.name], workflow.parameters, bound)

    def _is_due(self, failure: _Failure) -> bool:
        return self._clock.monotonic() >= failure.trial_at

    def _is_hopeless(self, name: str) -> bool:
        """Whether a workflow lacks what no task can do without by naming another model, and none is to be tried."""
        workflow, failure = self._workflows[name], self._failures.get(name)
        can = reachable(workflow.template, workflow.parameters)
        if any(not lack.is_at(can) or not lack.others for lack in self._lacks.get(name, ())):
            return True
        return failure is not None and not self._is_due(failure) and not touches(can, failure.faults)

    def _ask(self) -> dict[str, NodeClass | None]:
        known: dict[str, NodeClass | None] = {}
        for name in sorted(frozenset().union(*(class_types(graph) for graph in self._usual.values()))):
            try:
                known[name] = self._comfyui.node_class(name)
            except ComfyUIRefused as error:
                # A class that cannot describe itself is there all the same.
                _log.info("node_class_unknown", node_class=name, message=error.message)
        return known

    def _lacks_of(self, name: str, known: Mapping[str, NodeClass | None]) -> tuple[Lack, ...]:
        """What is missing for the workflow itself: not a placeholder that every task replaces."""
        workflow = self._workflows[name]
        given = always_given(workflow.template, workflow.parameters)
        found = find_lacks(self._usual[name], known)
        return tuple(lack for lack in found if not lack.is_at(given))

    def _publish(self) -> None:
        found = tuple(item for name in self._workflows if (item := self._state_of(name)) is not None)
        with self._lock:
            before = {item.workflow: item.message for item in self._unavailable or ()}
            self._unavailable = found
        for item in found:
            if before.pop(item.workflow, None) != item.message:
                _log.error("workflow_unavailable", **item.model_dump())
        for name in before:
            _log.info("workflow_available", workflow=name)

    def _state_of(self, name: str) -> UnavailableWorkflow | None:
        lacks, failure = self._lacks.get(name, ()), self._failures.get(name)
        if lacks:
            message = lack_sentence(name, lacks)
            return UnavailableWorkflow(workflow=name, reason=lacks[0].reason, message=message)
        if failure is not None:
            return UnavailableWorkflow(workflow=name, reason=failure.reason, message=failure.message)
        return None
