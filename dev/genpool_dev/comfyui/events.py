"""The events of one job, in ComfyUI's order and wording."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from genpool_dev.comfyui.wire import Json

if TYPE_CHECKING:
    from genpool_dev.comfyui.hub import Hub
    from genpool_dev.comfyui.jobqueue import Job


class JobEvents:
    """Sends to the job's client only; keeps the messages that history shows."""

    def __init__(self, hub: Hub, job: Job) -> None:
        self._hub = hub
        self._job = job
        self._states: dict[str, Json] = {}
        self._node_id = ""
        self.messages: list[list[object]] = []
        """`[event, data]` of start, cached and the end, as `status.messages` has them."""

    def _send(self, event: str, data: Json) -> None:
        if self._job.client_id is not None:
            self._hub.send(event, data, self._job.client_id)

    def message(self, event: str, data: Json, *, broadcast: bool = False) -> None:
        """Send an event that history keeps too; to everyone where nobody owns the job."""
        full = {
            "prompt_id": self._job.prompt_id,
            **data,
            "timestamp": int(time.time() * 1000),
        }
        self.messages.append([event, full])
        if broadcast or self._job.client_id is not None:
            self._hub.send(event, full, self._job.client_id)

    def node_starts(self, node_id: str) -> None:
        """Announce the node that runs now."""
        self._node_id = node_id
        self._state("running", 0.0, 1.0)
        if self._job.client_id is not None:
            self._hub.last_node_id = node_id
        self._send(
            "executing",
            {"node": node_id, "display_node": node_id, "prompt_id": self._job.prompt_id},
        )

    def node_ends(self, node_id: str) -> None:
        """Announce that the node has its result."""
        self._node_id = node_id
        maximum = self._states[node_id]["max"]
        self._state("finished", maximum, maximum)

    def progress(self, value: int, maximum: int) -> None:
        """Announce a step of the node that runs."""
        self._state("running", value, maximum)
        self._send(
            "progress",
            {
                "value": value,
                "max": maximum,
                "prompt_id": self._job.prompt_id,
                "node": self._node_id,
            },
        )

    def preview(self, jpeg: bytes) -> None:
        """Send a binary preview of the node that runs."""
        if self._job.client_id is not None:
            self._hub.send_preview(jpeg, self._job.client_id)

    def _state(self, state: str, value: float, maximum: float) -> None:
        self._states[self._node_id] = {
            "value": value,
            "max": maximum,
            "state": state,
            "node_id": self._node_id,
            "prompt_id": self._job.prompt_id,
            "display_node_id": self._node_id,
            "parent_node_id": None,
            "real_node_id": self._node_id,
        }
        # Unlike the others it goes to every socket where the job has no client.
        state_of_all = {"prompt_id": self._job.prompt_id, "nodes": dict(self._states)}
        self._hub.send("progress_state", state_of_all, self._job.client_id)

    def executed(self, node_id: str, output: Json) -> None:
        """Announce what a node shows to a person."""
        self._send(
            "executed",
            {
                "node": node_id,
                "display_node": node_id,
                "output": output,
                "prompt_id": self._job.prompt_id,
            },
        )

    def interrupted(self, node_id: str, node_type: str, executed: Sequence[str]) -> None:
        """Announce that the job was stopped before or in a node."""
        data = {"node_id": node_id, "node_type": node_type, "executed": list(executed)}
        self.message("execution_interrupted", data, broadcast=True)

    def failed(self, node_id: str, node_type: str, executed: Sequence[str], details: Json) -> None:
        """Announce that a node failed."""
        data = {"node_id": node_id, "node_type": node_type, "executed": list(executed)}
        self.message("execution_error", {**data, **details})
