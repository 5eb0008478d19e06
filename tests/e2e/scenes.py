"""A scene: the namespace, pool, queue and folder of one test, and what can be done and seen there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from e2e import manifests
from genpool_core import conditions, names
from genpool_core.jsontypes import JsonObject
from genpool_core.messages import headers
from genpool_core.messages.events import TaskClaimed, TaskEvent, TaskProgress
from genpool_dev.stack.bucket import RunRecord
from genpool_dev.stack.callback_secrets import hand_over
from support.observing import Change
from support.producing import DeadLetter
from support.waiting import wait_until

if TYPE_CHECKING:
    from e2e.lab import Lab

Manifest = dict[str, Any]
Event = TypeVar("Event", bound=TaskEvent)
START_SECONDS = 120
TASK_SECONDS = 150


@dataclass
class Scene:
    """Made by :meth:`e2e.lab.Lab.scene`."""

    lab: Lab
    place: str
    """Name of the namespace; queue and folder are named after it."""
    changes: JsonObject
    """On top of the usual ``spec``."""
    _dead: list[DeadLetter] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def queue(self) -> str:
        """Name of the work queue."""
        return str(self.manifest()["spec"]["queue"]["name"])

    @property
    def _here(self) -> str:
        return f"--namespace={self.place}"

    # What a person does -----------------------------------------------------------------------------------------

    def manifest(self, **changes: Any) -> Manifest:  # noqa: ANN401 - fields of spec
        """The scene's pool, with further changes to ``spec``."""
        both = manifests.merged(self.changes, changes)
        return manifests.pool(self.lab.info, self.lab.servers, self.place, both)

    def apply(self, **changes: Any) -> None:  # noqa: ANN401 - fields of spec
        """``kubectl apply`` of the pool, and wait until the operator says that tasks will be done."""
        self.lab.kubectl.apply_plain(self.manifest(**changes))
        wait_until(self.pool, _is_ready, f"{self.place}: the pool to be Ready", seconds=60)
        hand_over(self.lab.kubectl, self.place, manifests.POOL, self.lab.secrets)

    def send(self, *bodies: JsonObject | bytes) -> None:
        """Publish messages to the work queue."""
        self.lab.producer.send(self.queue, *bodies)

    def kubectl(self, *words: str) -> str:
        """Run kubectl in the scene's namespace."""
        return self.lab.kubectl.run(*words, self._here)

    # What can be seen -------------------------------------------------------------------------------------------

    def pool(self) -> Manifest:
        """The pool as the API server has it now; empty while it is not known."""
        return next(iter(self.lab.observer.pools.now(self.place)), {})

    def deployment(self) -> Manifest:
        """The pool's Deployment now; empty while there is none."""
        return next(iter(self.lab.observer.deployments.now(self.place)), {})

    def pods(self) -> list[Manifest]:
        """The pool's pods now, also those that are ending."""
        return self.lab.observer.pods.now(self.place)

    def replica_changes(self) -> list[Change]:
        """The changes of the Deployment that gave it another ``spec.replicas``; the first one is its creation."""
        found: list[Change] = []
        for change in self.lab.observer.deployments.history(self.place):
            replicas = change.body["spec"]["replicas"]
            if change.kind != "DELETED" and (not found or found[-1].body["spec"]["replicas"] != replicas):
                found.append(change)
        return found

    def replicas_seen(self) -> list[int]:
        """Every ``spec.replicas`` that the Deployment had, in order, without repeats."""
        return [change.body["spec"]["replicas"] for change in self.replica_changes()]

    def told_to_end(self, pod: str) -> datetime:
        """When a pod was told to end, or was gone."""
        return next(
            change.at
            for change in self.lab.observer.pods.history(self.place, pod)
            if change.kind == "DELETED" or "deletionTimestamp" in change.body["metadata"]
        )

    def wait_ready_pods(self, count: int) -> list[Manifest]:
        """Wait until exactly so many pods exist, all ready."""
        return wait_until(
            self.pods,
            lambda pods: len(pods) == count and all(map(pod_is_ready, pods)),
            f"{self.place}: {count} ready pods",
            seconds=START_SECONDS,
            pause=0.1,
        )

    def wait_progress(
        self, task_id: str, *, attempt: int = 1, seconds: float = START_SECONDS
    ) -> TaskProgress:
        """Wait until ComfyUI is at work on an attempt of a task; says on which pod."""
        return self._wait_event(
            TaskProgress,
            lambda event: event.task_id == task_id and event.attempt == attempt and event.value > 0,
            f"{self.place}: attempt {attempt} of {task_id} to get on in ComfyUI",
            seconds,
        )

    def wait_claimed(self, task_id: str, *, attempt: int = 1) -> TaskClaimed:
        """Wait until a worker has begun an attempt of a task."""
        return self._wait_event(
            TaskClaimed,
            lambda event: event.task_id == task_id and event.attempt == attempt,
            f"{self.place}: attempt {attempt} of {task_id} to be claimed",
            START_SECONDS,
        )

    def runs(self) -> list[RunRecord]:
        """Every run of every task in the scene's folder."""
        return self.lab.bucket.runs(manifests.prefix(self.place))

    def wait_ends(self, *task_ids: str, seconds: float = TASK_SECONDS) -> dict[str, RunRecord]:
        """Wait until each of these tasks has an end; returns their runs by task id.

        Fails where a task id has more than one run: use :meth:`runs` for tasks that share an id.
        """

        def ended() -> dict[str, list[RunRecord]]:
            found: dict[str, list[RunRecord]] = {}
            for run in self.runs():
                if run.end is not None:
                    found.setdefault(run.end.task_id, []).append(run)
            return found

        what = f"{self.place}: an end of {', '.join(task_ids)}"
        by_id = wait_until(
            ended, lambda found: found.keys() >= set(task_ids), what, seconds=seconds, pause=0.5
        )
        for task_id in task_ids:
            assert len(by_id[task_id]) == 1, f"{task_id} has more than one end: {by_id[task_id]}"
        return {task_id: by_id[task_id][0] for task_id in task_ids}

    def wait_dead_letter(
        self, fits: Callable[[DeadLetter], bool], what: str, *, seconds: float = TASK_SECONDS
    ) -> DeadLetter:
        """Wait for a message in the dead-letter queue; what was taken out of it stays known."""

        def look() -> list[DeadLetter]:
            with self._lock:
                self._dead.extend(self.lab.producer.take_all(names.dead_queue(self.queue)))
                return [letter for letter in self._dead if fits(letter)]

        found = wait_until(look, bool, f"{self.place}: the dead letter of {what}", seconds=seconds, pause=0.5)
        assert len(found) == 1, f"more than one dead letter of {what}: {found}"
        return found[0]

    def wait_queue_empty(self) -> None:
        """Wait until no message waits or is held in the work queue."""
        wait_until(
            lambda: self.lab.broker.queue(self.queue, manifests.VHOST),
            lambda queue: queue is not None and queue.messages_ready == queue.messages_unacknowledged == 0,
            f"{self.place}: an empty work queue",
            seconds=60,
            pause=1,
        )

    def _wait_event(
        self, kind: type[Event], fits: Callable[[Event], bool], what: str, seconds: float
    ) -> Event:
        def of_this_pool() -> list[Event]:
            return self.lab.events.of(kind, lambda event: event.pool.namespace == self.place and fits(event))

        return wait_until(of_this_pool, bool, what, seconds=seconds, pause=0.1)[0]


def letter_of(key: str) -> Callable[[DeadLetter], bool]:
    """Fits the dead letter of a task, by its key."""
    return lambda letter: letter.headers.get(headers.TASK_KEY) == key


def pod_is_ready(pod: Manifest) -> bool:
    """Whether a pod is ready and not ending."""
    found = pod.get("status", {}).get("conditions", [])
    ready = any(item["type"] == "Ready" and item["status"] == "True" for item in found)
    return ready and "deletionTimestamp" not in pod["metadata"]


def pod_name(pod: Manifest) -> str:
    """Name of a pod."""
    return str(pod["metadata"]["name"])


def is_reconciled(pool: Manifest) -> bool:
    """Whether the operator has acted on the newest ``spec``."""
    return bool(pool) and pool.get("status", {}).get("observedGeneration") == pool["metadata"]["generation"]


def _is_ready(pool: Manifest) -> bool:
    found = pool.get("status", {}).get("conditions", [])
    ready = any(item["type"] == conditions.READY and item["status"] == "True" for item in found)
    return ready and is_reconciled(pool)
