"""Runs one prompt after the other: order of nodes, cached results, events, errors."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from functools import partial
from typing import TYPE_CHECKING

from genpool_dev.comfyui import draw, failures
from genpool_dev.comfyui.cache import NodeResult, ResultCache, signatures
from genpool_dev.comfyui.events import JobEvents
from genpool_dev.comfyui.faults import faults_in
from genpool_dev.comfyui.nodes import HEAVY, RUNNERS
from genpool_dev.comfyui.run import InterruptedRunError, Machine, PromptThreadEnded, Run
from genpool_dev.comfyui.wire import Graph, Json, is_link

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from genpool_dev.comfyui.hub import Hub
    from genpool_dev.comfyui.jobqueue import Job
    from genpool_dev.comfyui.schema import Catalog

log = logging.getLogger(__name__)


def execution_order(graph: Graph, outputs: Iterable[str], is_cached: Callable[[str], bool]) -> list[str]:
    """Return the nodes to go through: each after what it needs; cached ones need nothing."""
    order: list[str] = []
    seen: set[str] = set()

    def visit(node_id: str) -> None:
        if node_id in seen:
            return
        seen.add(node_id)
        if not is_cached(node_id):
            for value in graph[node_id]["inputs"].values():
                if is_link(value) and not is_cached(value[0]):
                    visit(value[0])
        order.append(node_id)

    for output in outputs:
        visit(output)
    return order


class Executor:
    """Owns the result cache; one job at a time."""

    def __init__(self, machine: Machine, catalog: Catalog, hub: Hub) -> None:
        self._machine = machine
        self._catalog = catalog
        self._hub = hub
        self._cache = ResultCache(none=machine.settings.cache_none, lru=machine.settings.cache_lru)

    def clear_cache(self) -> None:
        """Forget all node results (`free_memory`)."""
        self._cache.clear()

    async def execute(self, job: Job) -> tuple[Json, Json]:
        """Run a job; return what history gets: outputs with meta, and the status.

        Its last event is `execution_success`, `execution_error` or `execution_interrupted`;
        `executing` with a null node is the server's to send, after history was written.

        Raises
        ------
        PromptThreadEnded
            What ends ComfyUI's thread for prompts: a node that exits, a job without `extra_data`.
        """
        if job.extra_data is None:
            raise PromptThreadEnded
        started = time.monotonic()
        self._machine.interrupt.clear()
        self._hub.client_id = job.client_id
        events = JobEvents(self._hub, job)
        events.message("execution_start", {})
        attempt = _Attempt(self._machine, self._catalog, self._cache, job, events)
        ended_well = await attempt.go()
        self._hub.last_node_id = None
        status = {
            "status_str": "success" if ended_well else "error",
            "completed": ended_well,
            "messages": events.messages,
        }
        log.info("Prompt executed in %.2f seconds", time.monotonic() - started)
        return {"outputs": attempt.outputs, "meta": attempt.meta}, status


class _Attempt:
    """One job's way through its nodes."""

    def __init__(
        self,
        machine: Machine,
        catalog: Catalog,
        cache: ResultCache,
        job: Job,
        events: JobEvents,
    ) -> None:
        self._machine = machine
        self._catalog = catalog
        self._cache = cache
        self._job = job
        self._graph = job.prompt
        self._events = events
        self._results: dict[str, NodeResult] = {}
        self._executed: list[str] = []
        self._keys: dict[str, str] = {}
        self._extra_data = job.extra_data or {}
        self._run = Run(machine, self._graph, self._extra_data, events.progress)
        if self._wants_previews():
            self._run.on_preview = partial(events.preview, draw.thumbnail())
        self.outputs: Json = {}
        self.meta: Json = {}

    def _wants_previews(self) -> bool:
        own = self._extra_data.get("preview_method")
        return (own or self._machine.settings.preview_method) not in {"none", "default"}

    def _compute_keys(self) -> dict[str, str]:
        """Hash what the outputs depend on; the rest of the prompt was not even validated.

        The bytes of input files count: LoadImage runs again when they change.
        """
        needed = execution_order(self._graph, self._job.outputs, lambda _: False)
        graph = {node_id: self._graph[node_id] for node_id in needed}
        salts: dict[str, str] = {}
        for node_id, node in graph.items():
            for spec in self._catalog[node["class_type"]].inputs:
                if spec.input_file:
                    path = self._machine.folders.input_path(node["inputs"][spec.name])
                    if path.is_file():
                        salts[node_id] = hashlib.sha256(path.read_bytes()).hexdigest()
        return signatures(graph, salts)

    def _cached(self, node_id: str) -> NodeResult | None:
        return self._cache.get(self._keys[node_id])

    async def go(self) -> bool:
        """Run what is not cached; return whether all went well."""
        self._keys = await self._machine.draw(self._compute_keys)
        self._cache.start_prompt(set(self._keys.values()))
        cached = [node_id for node_id in self._keys if self._cached(node_id) is not None]
        self._events.message("execution_cached", {"nodes": cached})
        order = execution_order(
            self._graph, self._job.outputs, lambda node_id: self._cached(node_id) is not None
        )
        if not await self._take_faults(order):
            return False
        for node_id in order:
            if not await self._node(node_id):
                return False
        self._events.message("execution_success", {})
        return True

    async def _take_faults(self, order: list[str]) -> bool:
        """Give what is to go wrong to the heavy node; without one in the job, it happens now."""
        heavy = [each for each in self._keys if self._graph[each]["class_type"] in HEAVY]
        if heavy and not any(each in order and self._cached(each) is None for each in heavy):
            return True
        try:
            asked = faults_in({node_id: self._graph[node_id] for node_id in self._keys})
            asked += self._machine.armed
            self._machine.armed.clear()
            first_time = self._machine.markers.first_time
            self._run.faults = [each for each in asked if not each.once or first_time(each)]
            if not heavy:
                await self._run.heavy(0)
        except Exception as error:  # noqa: BLE001  as in _node
            return self._fail(order[0], error)
        return True

    async def _node(self, node_id: str) -> bool:
        found = self._cached(node_id)
        if found is not None:
            self._results[node_id] = found
            if found.ui:
                self._show(node_id, found.ui)
            return True
        try:
            self._run.check_interrupt()
            self._events.node_starts(node_id)
            values = self._values(node_id)
            outputs, ui = await RUNNERS[self._graph[node_id]["class_type"]](self._run, values)
        except InterruptedRunError:
            self._events.interrupted(node_id, self._graph[node_id]["class_type"], self._executed)
            return False
        except Exception as error:  # noqa: BLE001  ComfyUI reports whatever a node raises
            return self._fail(node_id, error)
        result = NodeResult(outputs, ui)
        self._results[node_id] = result
        self._cache.put(self._keys[node_id], result)
        if ui:
            self._show(node_id, ui)
        self._events.node_ends(node_id)
        self._executed.append(node_id)
        return True

    def _values(self, node_id: str) -> Json:
        return {
            name: self._result(value[0]).outputs[value[1]] if is_link(value) else value
            for name, value in self._graph[node_id]["inputs"].items()
        }

    def _result(self, node_id: str) -> NodeResult:
        """Return what a node of this job gave, or what the cache holds for it."""
        if node_id not in self._results:
            found = self._cached(node_id)
            if found is None:
                raise LookupError(f"node {node_id} has no result")
            self._results[node_id] = found
        return self._results[node_id]

    def _show(self, node_id: str, ui: Json) -> None:
        self.outputs[node_id] = json.loads(json.dumps(ui))
        self.meta[node_id] = {
            "node_id": node_id,
            "display_node": node_id,
            "parent_node": None,
            "real_node_id": node_id,
        }
        self._events.executed(node_id, ui)

    def _fail(self, node_id: str, error: Exception) -> bool:
        node = self._graph[node_id]
        details = failures.details(error, node, list(self._results))
        log.error("!!! Exception during processing !!! %s", error)
        trace = "".join(details["traceback"])
        log.error("Traceback (most recent call last):\n%s%s: %s\n", trace, details["exception_type"], error)
        if failures.is_out_of_memory(error):
            log.error("Got an OOM, unloading all loaded models.")
            self._machine.vram.unload()
        self._events.failed(node_id, node["class_type"], self._executed, details)
        return False
