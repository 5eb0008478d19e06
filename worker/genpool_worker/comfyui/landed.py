"""Which results a run has written so far, from the frames of ComfyUI's websocket. Pure: frames in, files out."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from genpool_worker.comfyui.result import refs_of
from genpool_worker.comfyui_json import Frame
from genpool_worker.ports import OutputRef


class Landed:
    """Files of the nodes that have run. What came from the cache an earlier run wrote: that is judged at the end."""

    def __init__(self, prompt_id: str) -> None:
        self._prompt_id = prompt_id
        self._cached: AbstractSet[str] | None = None

    def feed(self, frame: Frame) -> list[OutputRef]:
        """The results that a frame tells of. None before it is known what comes from the cache."""
        data = frame.data
        if data.prompt_id != self._prompt_id:
            return []
        if frame.type == "execution_cached":
            self._cached = frozenset(data.nodes)
        if frame.type != "executed" or data.node is None:
            return []
        if self._cached is None or data.node in self._cached:
            return []
        return [ref for ref in refs_of(data.node, data.output) if ref.type == "output"]
