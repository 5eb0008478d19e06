"""What the worker needs from outside, as small protocols.

``adapters`` implements them, the tests have hand-written fakes. Methods raise the errors named here and no others.
"""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Protocol

from genpool_core import timing
from genpool_core.jsontypes import JsonObject
from genpool_core.messages.amqp import Delivery, OutgoingMessage
from genpool_core.workflow.lacks import NodeClass
from genpool_worker.comfyui_json import Frame, HistoryEntry, LogEntry, NodeErrors


class Broker(Protocol):
    """RabbitMQ, for one delivery after the other."""

    def publish(self, message: OutgoingMessage, *, timeout: float = timing.PUBLISH_SECONDS) -> None:
        """Publish and wait for the confirmation, at most ``timeout`` seconds. Raises BrokerError."""

    def ack(self, delivery: Delivery) -> bool:
        """Acknowledge. False: its channel is gone and the broker has requeued it."""

    def requeue(self, delivery: Delivery) -> bool:
        """Give back to the queue. False: its channel is gone and the broker has requeued it already."""


class Consumption(Protocol):
    """Whether the broker delivers. Both switches may be called again and again; they raise BrokerError."""

    def trouble(self) -> str | None:
        """Why the broker cannot deliver; None when it can."""

    def pause(self) -> None:
        """Stop deliveries."""

    def resume(self) -> None:
        """Let the broker deliver."""


@dataclass(frozen=True)
class ProgressReport:
    """How far a run is."""

    value: float
    """Part done, 0 to 1."""
    nodes_done: int
    nodes_total: int
    node: str | None = None
    """Id of the node that runs."""
    step: int | None = None
    """Its step, of ``steps``, if it tells."""
    steps: int | None = None
    message: str | None = None
    """Its title, or its class."""


@dataclass(frozen=True)
class OutputRef:
    """A file as ComfyUI's history names it."""

    node: str
    kind: str
    filename: str
    subfolder: str
    type: str


@dataclass(frozen=True)
class Preview:
    """A small picture of what ComfyUI works on. ``content_type``: JPEG or PNG, by its first bytes."""

    content_type: str
    data: bytes


class Listener(Protocol):
    """An open websocket."""

    def receive(self, timeout: float) -> Frame | Preview | None:
        """The next frame, or None after ``timeout`` seconds. Raises ComfyUIError when the socket is dead."""


class Where(Enum):
    """Where a prompt is in ComfyUI's queue."""

    RUNNING = "running"
    PENDING = "pending"
    """It waits for another one that runs."""
    NEXT = "next"
    """It waits and nothing runs: it should begin at once."""
    ABSENT = "absent"


class ComfyUI(Protocol):
    """ComfyUI's API. Every method raises ComfyUIGone, ComfyUISilent or ComfyUIRefused."""

    def waiting(self) -> int:
        """Prompts that wait or run: a cheap proof that it answers."""

    def node_class(self, name: str) -> NodeClass | None:
        """What it says of a node class; None: it has none of that name."""

    def upload(self, subfolder: str, filename: str, data: bytes, content_type: str) -> str:
        """Upload an input; returns the name for a graph, which may differ from what was asked for."""

    def listen(self, client_id: str) -> AbstractContextManager[Listener]:
        """Open a websocket."""

    def submit(self, prompt_id: str, client_id: str, graph: JsonObject, mark: str) -> NodeErrors:
        """Queue a prompt; ``mark`` tells ours from a person's. Returns what is wrong with nodes, by node."""

    def where(self, prompt_id: str) -> Where:
        """Look for a prompt in the queue."""

    def ours(self) -> list[str]:
        """Prompts in the queue that carry a mark of ours, running ones first."""

    def in_progress(self) -> list[str]:
        """Prompts that run, whoever sent them: one, or none."""

    def history(self, prompt_id: str) -> HistoryEntry | None:
        """The history entry of a prompt that has ended, or None."""

    def forget(self, prompt_id: str) -> None:
        """Delete a history entry."""

    def stop(self, prompt_id: str) -> None:
        """Drop a prompt from the queue and interrupt it if it runs. Cooperative: it may go on for a while."""

    def free(self) -> None:
        """Unload models and free memory after the current job."""

    def version(self) -> str | None:
        """Its version, or None where it does not say."""

    def log(self) -> tuple[LogEntry, ...]:
        """What it wrote last, oldest first. Its own pages' interface: it may be missing in a later version."""

    def download(self, ref: OutputRef, path: Path) -> int:
        """Store a result as a file; returns its size. A missing one is ComfyUIRefused with status 404."""


@dataclass(frozen=True)
class WedgeReport:
    """For how many seconds ComfyUI has been wedged (None: it is not), and how often since a prompt last ended."""

    seconds: float | None = None
    times: int = 0


class RestartMark(Protocol):
    """Asks for a restart of ComfyUI's container. Never raises: what fails is logged, and the pod will be replaced."""

    def read(self) -> str | None:
        """The prompt because of which a restart was asked for, or None."""

    def write(self, prompt_id: str) -> None:
        """Ask for a restart as long as this prompt is in ComfyUI's queue."""

    def clear(self) -> None:
        """Ask for none any more."""


class Fetcher(Protocol):
    """Fetches input files from hosts that the pool allows."""

    def fetch(self, url: str, max_bytes: int) -> bytes:
        """A file. Raises RefusedInput, or AttemptFailed where a later attempt may get it."""


class Metrics(Protocol):
    """What is counted and measured."""

    def task(self, outcome: str, reason: str) -> None:
        """A task ended."""

    def waited(self, seconds: float) -> None:
        """A task that ended had waited so long for its first attempt."""

    def attempt(self, result: str, reason: str) -> None:
        """An attempt ended."""

    def message(self, what: str) -> None:
        """A message was dealt with without an attempt."""

    def moved(self, what: str, count: int) -> None:
        """Bytes of ``input`` or ``output``."""

    def state(self, state: str) -> None:
        """The worker's state changed."""

    def phase(self, phase: str) -> AbstractContextManager[object]:
        """Measure a part of an attempt, also one that fails."""


class Clock(Protocol):
    """Time and waiting."""

    def now(self) -> datetime:
        """UTC."""

    def monotonic(self) -> float:
        """Seconds that never go back."""

    def sleep(self, seconds: float) -> None:
        """Wait."""

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait for an event, at most so long. Returns whether it is set."""
