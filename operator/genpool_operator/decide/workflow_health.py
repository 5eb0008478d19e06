"""Whether the pods' ComfyUI can run the pool's workflows: the condition WorkflowsReady."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from genpool_core import conditions
from genpool_core.api.status import Condition
from genpool_core.conditions import Finding
from genpool_core.messages.events import UnavailableWorkflow
from genpool_operator.decide.plural import plural
from genpool_operator.decide.pods import PodView
from genpool_operator.decide.proof import PAST
from genpool_operator.decide.workers import WorkerView, current_state

ALL_AVAILABLE = "AllAvailable"
NO_POD_SAID = Finding(
    conditions.WORKFLOWS_READY,
    "Unknown",
    "NotAsked",
    "No pod of the current spec has said yet what its ComfyUI has.",
)
_SOME = " Tasks of what is named here wait, for at most a day; all others are done."
_NONE = " The pool has no other workflow; no task is lost within a day."
_SHOWN = 5


@dataclass(frozen=True)
class WorkflowProof:
    """What pods of the Deployment ``of`` (its fingerprint) said last about the workflows."""

    said: Finding
    of: str


def is_blocking(finding: Finding) -> bool:
    """Whether no workflow of the pool can run as it is: a task that gives nothing else than its inputs waits."""
    return finding.status == "False" and finding.message.removesuffix(PAST).endswith(_NONE)


def recall_workflows(told: Condition | None, fingerprint: str) -> WorkflowProof | None:
    """What an operator before this one knew, from the condition about this Deployment."""
    if told is None or told.status == "Unknown":
        return None
    message = told.message.removesuffix(PAST)
    return WorkflowProof(Finding(conditions.WORKFLOWS_READY, told.status, told.reason, message), fingerprint)


def assess_workflows(
    pods: Sequence[PodView],
    workers: Mapping[str, WorkerView],
    now: datetime,
    before: WorkflowProof | None,
    *,
    fingerprint: str,
    served: int,
) -> tuple[Finding, WorkflowProof | None]:
    """The condition, and what to remember: what a pod said holds for the next one until one says something else.

    Where pods differ, a workflow that one of them cannot run is told. ``served``: what the pool
    does: its workflows, and graphs that tasks bring.
    """
    said = {
        pod.name: state.unavailable
        for pod in pods
        if not pod.terminating and not pod.finished
        if (state := current_state(workers, pod.name, now)) is not None and state.unavailable is not None
    }
    if said:
        finding = _finding(said, served)
        return finding, WorkflowProof(finding, fingerprint)
    if before is None or before.of != fingerprint:
        return NO_POD_SAID, None
    if before.said.status == "True":
        return before.said, before
    return replace(before.said, message=before.said.message + PAST), before


def _finding(said: Mapping[str, tuple[UnavailableWorkflow, ...]], served: int) -> Finding:
    found = {item.workflow: item for items in said.values() for item in items}
    if not found:
        message = "ComfyUI has the node classes and model files that the workflows name."
        return Finding(conditions.WORKFLOWS_READY, "True", ALL_AVAILABLE, message)
    first = next(iter(found.values()))
    with_fault = [pod for pod, items in said.items() if items]
    where = ""
    if len(with_fault) < len(said):
        where = f" So on {plural(len(with_fault), 'pod', 'pods')} of {len(said)}: {_list(with_fault)}."
    sentences = " ".join(item.message for item in list(found.values())[:_SHOWN])
    more = f" And {len(found) - _SHOWN} workflows more." if len(found) > _SHOWN else ""
    then = _NONE if all(len(items) >= served for items in said.values()) else _SOME
    return Finding(conditions.WORKFLOWS_READY, "False", first.reason, sentences + more + where + then)


def _list(names: Iterable[str]) -> str:
    known = sorted(names)
    return ", ".join(known[:_SHOWN]) + (" …" if len(known) > _SHOWN else "")
