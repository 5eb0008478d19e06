"""How far a run is, from the frames of ComfyUI's websocket. Pure: frames in, a number out."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from genpool_worker.comfyui_json import Frame

#: After these the history is worth a look.
TERMINAL = frozenset({"execution_success", "execution_error", "execution_interrupted"})


class Progress:
    """Part of a run that is done, 0 to 1. It never goes back."""

    def __init__(self, prompt_id: str, nodes: AbstractSet[str]) -> None:
        self._prompt_id = prompt_id
        self._nodes = nodes
        self._done: set[str] = set()
        self.node: str | None = None
        self.value = 0.0

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
        self.node = node
        return node is None

    def _finish(self, nodes: AbstractSet[str]) -> None:
        self._done |= nodes & self._nodes
        self._advance(0.0)

    def _step(self, value: float, maximum: float) -> None:
        if maximum > 0:
            self._advance(min(max(value / maximum, 0.0), 1.0))

    def _advance(self, fraction: float) -> None:
        total = max(len(self._nodes), 1)
        self.value = max(self.value, min((len(self._done) + fraction) / total, 1.0))
