"""Which node results are kept: by what went into them, as ComfyUI does."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from genpool_dev.comfyui.wire import Graph, Json, is_link


@dataclass(frozen=True, slots=True)
class NodeResult:
    """What a node gave: a value for each output slot, and what a person may see of it."""

    outputs: tuple[object, ...] = ()
    ui: Json = field(default_factory=dict)


def signatures(graph: Graph, salts: Mapping[str, str]) -> dict[str, str]:
    """Return for each node a hash of its class, its inputs and everything upstream.

    Two nodes with one signature share their result, whatever their ids. `salts` adds what lies
    outside of the graph (the bytes of an input file), by node id.
    """
    known: dict[str, str] = {}

    def of(node_id: str) -> str:
        if node_id not in known:
            node = graph[node_id]
            parts = {
                name: ["link", of(value[0]), value[1]] if is_link(value) else ["value", value]
                for name, value in node["inputs"].items()
            }
            text = json.dumps(
                [node["class_type"], salts.get(node_id, ""), parts], sort_keys=True, default=str
            )
            known[node_id] = hashlib.sha256(text.encode()).hexdigest()
        return known[node_id]

    for each in graph:
        of(each)
    return known


class ResultCache:
    """Keeps the results of the prompt before, of the last N nodes, or nothing."""

    def __init__(self, *, none: bool, lru: int) -> None:
        self._none = none
        self._lru = lru
        self._kept: OrderedDict[str, NodeResult] = OrderedDict()

    def start_prompt(self, wanted: Collection[str]) -> None:
        """Drop what the new prompt does not use, unless the cache is an LRU one."""
        if not self._lru:
            for key in [key for key in self._kept if key not in wanted]:
                del self._kept[key]

    def get(self, key: str) -> NodeResult | None:
        """Return a kept result; it counts as used."""
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def put(self, key: str, result: NodeResult) -> None:
        """Keep a result, and drop the least recently used above the limit."""
        if self._none:
            return
        self._kept[key] = result
        while self._lru and len(self._kept) > self._lru:
            self._kept.popitem(last=False)

    def clear(self) -> None:
        """Forget everything (`POST /free {"free_memory": true}`)."""
        self._kept.clear()
