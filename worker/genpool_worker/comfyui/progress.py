"""How far a run is, from the frames of ComfyUI's websocket. Pure: frames in, a number out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet

from genpool_core.jsontypes import JsonObject
from genpool_worker.comfyui_json import Frame
from genpool_worker.ports import ProgressReport

#: After these the history is worth a look.
TERMINAL = frozenset({"execution_success", "execution_error", "execution_interrupted"})


#: Characters of a node's title.
_TITLE = 100


OnProgress = Callable[[ProgressReport], None]


def node_titles(graph: JsonObject) -> dict[str, str]:
    """Titles of a prompt's nodes by id, as the workflow has them; the class where there is none."""
    return {node: _title(content) for node, content in graph.items() if isinstance(content, dict)}


def _title(node: JsonObject) -> str:
    meta = node.get("_meta")
    title = meta.get("title") if isinstance(meta, dict) else None
    return str(title or node.get("class_type") or "")[:_TITLE]


class Progress:
    """Part of a run that is done, 0 to 1. It never goes back. ``titles``: of its nodes, by id."""

    def __init__(
        self, prompt_id: str, nodes: AbstractSet[str], titles: Mapping[str, str] | None = None
    ) -> None:
        self._prompt_id = prompt_id
        self._nodes = nodes
        self._titles = titles or {}
        self._done: set[str] = set()
        self._steps: tuple[int, int] | None = None
        self.node: str | None = None
        self.value = 0.0

    def report(self) -> ProgressReport:
        """How far it is now."""
        step, steps = self._steps or (None, None)
        title = self._titles.get(self.node or "")
        done, total = len(self._done), len(self._nodes)
        return ProgressReport(self.value, done, total, self.node, step, steps, title or None)

    def feed(self, frame: Frame) -> bool:
        """Take a frame in. True: it may be the last one, so look at the history."""
        data = frame.data
        if data.prompt_id != self._prompt_id:
            # A queue that changed is told to everybody, also on a socket that came after the prompt.
            return frame.type == "status"
        if frame.type == "execution_cached":
            self._finish(set(data.nodes))
        elif frame.type == "executing":
            return self._executing(data.node)
        elif frame.type == "progress":
            self._step(data.value, data.maximum)
        return frame.type in TERMINAL

    def _executing(self, node: str | None) -> bool:
        if self.node is not None:
            self._finish({self.node})
        self.node, self._steps = node, None
        return node is None

    def _finish(self, nodes: AbstractSet[str]) -> None:
        self._done |= nodes & self._nodes
        self._advance(0.0)

    def _step(self, value: float, maximum: float) -> None:
        if maximum > 0:
            self._steps = (max(0, min(int(value), int(maximum))), int(maximum))
            self._advance(min(max(value / maximum, 0.0), 1.0))

    def _advance(self, fraction: float) -> None:
        total = max(len(self._nodes), 1)
        self.value = max(self.value, min((len(self._done) + fraction) / total, 1.0))
