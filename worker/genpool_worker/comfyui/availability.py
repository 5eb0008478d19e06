"""Which of the pool's workflows ComfyUI can run: what it lacks for one is no fault of the one's tasks."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from genpool_core import timing
from genpool_core.canonical import canonical_json, digest
from genpool_core.jsontypes import JsonObject
from genpool_core.messages.events import NO_WORKFLOW, UnavailableWorkflow
from genpool_core.workflow.bind import Bound
from genpool_core.workflow.lacks import (
    MODEL_MISSING,
    NODE_MISSING,
    Lack,
    NodeClass,
    class_types,
    find_lacks,
)
from genpool_core.workflow.render import asked, by_default, reachable
from genpool_worker.config import Catalog, Workflow
from genpool_worker.errors import ComfyUIRefused, InputFault, PromptRefused
from genpool_worker.ports import Clock, ComfyUI
from genpool_worker.status import Waits

_log = structlog.get_logger(__name__)
_SHOWN = 3
_REFUSED = "PromptRefused"
_TODO = {
    NODE_MISSING: "install its node pack in the image",
    MODEL_MISSING: "put the file into the folder of its kind in the models volume",
}
Known = Mapping[str, NodeClass | None]


@dataclass(frozen=True)
class _Refusal:
    """ComfyUI's refusal of what a workflow has by itself. ``seen``: digest of what it said of the classes then."""

    message: str
    faults: tuple[InputFault, ...]
    seen: str


class Availability:
    """Asks ComfyUI about the workflows' node classes, and learns from its refusals.

    Two things tell that a workflow cannot be run: ``/object_info`` lacks something for certain, or ComfyUI refused a
    prompt at places where the task had put nothing of its own. A refusal stands until ComfyUI says something else of
    the classes that it is about, or was restarted. One thread asks; any may read :attr:`unavailable`.
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
        self._known: Known | None = None
        self._asked_at = float("-inf")
        self._lacks: dict[str, tuple[Lack, ...]] = {}
        self._refusals: dict[str, _Refusal] = {}
        self._unavailable: tuple[UnavailableWorkflow, ...] | None = None

    @property
    def unavailable(self) -> tuple[UnavailableWorkflow, ...] | None:
        """The workflows that cannot be run now; None while ComfyUI was not asked."""
        with self._lock:
            return self._unavailable

    def look(self) -> None:
        """Ask ComfyUI where that is due: once, and again every while as long as a workflow cannot be run.

        Raises
        ------
        ComfyUIError
            It does not answer.
        """
        now = self._clock.monotonic()
        if self._known is not None and (
            not self.unavailable or now - self._asked_at < timing.WORKFLOW_CHECK_SECONDS
        ):
            return
        self._known = self._ask()
        self._asked_at = now
        self._lacks = {name: find_lacks(graph, self._known) for name, graph in self._usual.items()}
        self._refusals = {
            name: refusal
            for name, refusal in self._refusals.items()
            if self._digest(name, refusal.faults) == refusal.seen
        }
        self._publish()

    def forget(self) -> None:
        """ComfyUI was away: what it says when it is back may differ. Until then what is known holds."""
        self._known = None
        self._refusals = {}

    def none(self) -> Waits | None:
        """That no task of this pool can be done, whatever it gives, where that is so."""
        found = self.unavailable
        if not found or self._allow_graphs or not all(map(self._is_hopeless, self._workflows)):
            return None
        sentences = " ".join(item.message for item in found[:_SHOWN])
        more = f" And {len(found) - _SHOWN} more." if len(found) > _SHOWN else ""
        return Waits(NO_WORKFLOW, f"ComfyUI can run none of the pool's workflows. {sentences}{more}")

    def obstacle(self, workflow: Workflow | None, bound: Bound) -> str | None:
        """Why a task cannot be done now, through no fault of its own. None: it can, or ComfyUI will say.

        A task that names another model than the workflow's own is none of those that wait for that model.
        """
        if workflow is None or not self.unavailable:
            return None
        own = asked(workflow.template, workflow.parameters, bound)
        lacks = self._lacks.get(workflow.entry.name, ())
        stands = [lack for lack in lacks if lack.input is None or (lack.node, lack.input) not in own]
        if stands:
            return _sentence(workflow.entry.name, stands)
        refusal = self._refusals.get(workflow.entry.name)
        return None if refusal is None or _touches(own, refusal.faults) else refusal.message

    def learn(self, workflow: Workflow | None, bound: Bound, refused: PromptRefused) -> str | None:
        """Why ComfyUI refused a task's prompt, where that is no fault of the task's; None where it is.

        Raises
        ------
        ComfyUIError
            It had to be asked which class it lacks, and does not answer.
        """
        if workflow is None:
            return None
        name = workflow.entry.name
        own = asked(workflow.template, workflow.parameters, bound)
        if _touches(own, refused.faults):
            return None
        self._known = None
        self.look()
        if (sentence := self.obstacle(workflow, bound)) is not None:
            return sentence
        message = (
            f"Workflow {name}: {refused.message} No task changes that: correct the workflow, or the image."
        )
        self._refusals[name] = _Refusal(message, refused.faults, self._digest(name, refused.faults))
        self._publish()
        return message

    def _is_hopeless(self, name: str) -> bool:
        """Whether a workflow lacks what no task can do without, by naming another model."""
        workflow, refusal = self._workflows[name], self._refusals.get(name)
        can = reachable(workflow.template, workflow.parameters)
        if any(
            lack.input is None or (lack.node, lack.input) not in can or not lack.others
            for lack in self._lacks.get(name, ())
        ):
            return True
        return refusal is not None and not _touches(can, refusal.faults)

    def _ask(self) -> Known:
        known: dict[str, NodeClass | None] = {}
        for name in sorted(frozenset().union(*(class_types(graph) for graph in self._usual.values()))):
            try:
                known[name] = self._comfyui.node_class(name)
            except ComfyUIRefused as error:
                # A class that cannot describe itself is there all the same.
                _log.info("node_class_unknown", node_class=name, message=error.message)
        return known

    def _digest(self, name: str, faults: tuple[InputFault, ...]) -> str:
        """Of what ComfyUI says of the classes that a refusal is about; of all the workflow's, where it names none."""
        graph = self._usual[name]
        nodes = {fault.node for fault in faults if fault.node in graph} or graph.keys()
        classes = sorted(class_types({node: graph[node] for node in nodes}))
        found = {item: (self._known or {}).get(item) for item in classes}
        said: JsonObject = {
            item: None if it is None else it.model_dump(mode="json") for item, it in found.items()
        }
        return digest(canonical_json(said))

    def _publish(self) -> None:
        found = tuple(item for name in self._workflows if (item := self._state_of(name)) is not None)
        with self._lock:
            before = {item.workflow: item.message for item in self._unavailable or ()}
            self._unavailable = found
        for item in found:
            if before.pop(item.workflow, None) != item.message:
                _log.error(
                    "workflow_unavailable", workflow=item.workflow, reason=item.reason, message=item.message
                )
        for name in before:
            _log.info("workflow_available", workflow=name)

    def _state_of(self, name: str) -> UnavailableWorkflow | None:
        lacks, refusal = self._lacks.get(name, ()), self._refusals.get(name)
        if lacks:
            return UnavailableWorkflow(workflow=name, reason=lacks[0].reason, message=_sentence(name, lacks))
        if refusal is not None:
            return UnavailableWorkflow(workflow=name, reason=_REFUSED, message=refusal.message)
        return None


def _touches(own: frozenset[tuple[str, str]], faults: tuple[InputFault, ...]) -> bool:
    """Whether a fault is where a task put something of its own."""
    nodes = {node for node, _ in own}
    return any((fault.node, fault.input) in own if fault.input else fault.node in nodes for fault in faults)


def _sentence(name: str, lacks: Sequence[Lack]) -> str:
    shown = ", ".join(str(lack) for lack in lacks[:_SHOWN])
    more = f", and {len(lacks) - _SHOWN} more" if len(lacks) > _SHOWN else ""
    todo = " and ".join(dict.fromkeys(_TODO[lack.reason] for lack in lacks))
    return f"Workflow {name}: ComfyUI lacks {shown}{more}: {todo}, or correct the workflow."
