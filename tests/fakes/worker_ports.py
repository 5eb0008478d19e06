"""Hand-written fakes of the worker's ports over one shared world.

Every call is a numbered step of its worker. At a chosen step the worker crashes (and from then on can do nothing), a
call fails before or after it took effect, or something else happens in between.
"""

from __future__ import annotations

import json
import uuid
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from fakes.worker_steps import FakeClock, Steps, png
from genpool_core import names, timing
from genpool_core.errors import AttemptFailed, BrokerError, StorageError
from genpool_core.jsontypes import JsonObject
from genpool_core.messages.amqp import Delivery, OutgoingMessage, Properties
from genpool_core.workflow.lacks import NodeClass
from genpool_core.workflow.render import MARK_INPUT
from genpool_worker.comfyui.memory import BETWEEN
from genpool_worker.comfyui_json import Frame, HistoryEntry, NodeErrors, PromptAnswer
from genpool_worker.errors import ComfyUIGone, ComfyUIRefused, ComfyUISilent
from genpool_worker.ports import OutputRef, Put, Stored, Where


@dataclass
class SharedStore:
    """The bucket."""

    objects: dict[str, bytes] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)
    clock: FakeClock = field(default_factory=FakeClock)
    """The store's own."""
    written_at: dict[str, float] = field(default_factory=dict)

    def age(self, key: str) -> float:
        return self.clock.time - self.written_at.get(key, self.clock.time)

    def records(self, end: str) -> dict[str, JsonObject]:
        return {key: json.loads(data) for key, data in self.objects.items() if key.endswith(end)}


class FakeStore:
    def __init__(self, shared: SharedStore, steps: Steps) -> None:
        self._shared = shared
        self._steps = steps
        self._down = StorageError("the store is away")

    def keys(self, prefix: str) -> list[str]:
        with self._steps.step("store.keys", self._down):
            return sorted(key for key in self._shared.objects if key.startswith(prefix))

    def get(self, key: str) -> Stored | None:
        with self._steps.step("store.get", self._down):
            data = self._shared.objects.get(key)
            return None if data is None else Stored(data, self._shared.age(key))

    def create(self, key: str, data: bytes) -> Put:
        with self._steps.step("store.create", self._down):
            if key in self._shared.objects:
                return Put.EXISTS
            self._write(key, data)
            return Put.CREATED

    def put(self, key: str, data: bytes) -> None:
        with self._steps.step("store.put", self._down):
            self._write(key, data)

    def put_soon(self, key: str, data: bytes) -> None:
        self.put(key, data)

    def put_file(self, key: str, path: Path, content_type: str) -> None:
        assert content_type
        with self._steps.step("store.put_file", self._down):
            self._write(key, path.read_bytes())

    def delete(self, keys: list[str]) -> None:
        with self._steps.step("store.delete", self._down):
            for key in keys:
                self._shared.objects.pop(key, None)

    def sign(self, key: str) -> str:
        return f"https://store.test/{key}?signature=secret"

    def _write(self, key: str, data: bytes) -> None:
        self._shared.objects[key] = data
        self._shared.written_at[key] = self._shared.clock.time
        self._shared.writes.append(key)


@dataclass(frozen=True)
class Queued:
    """A message as the broker keeps it."""

    body: bytes
    headers: dict[str, object] = field(default_factory=dict)
    message_id: str | None = None
    user_id: str | None = None
    priority: int | None = None
    redelivered: bool = False


@dataclass
class SharedBroker:
    """The broker: the work queue, the delay steps, and what was published elsewhere."""

    queue: str
    ready: deque[Queued] = field(default_factory=deque)
    unacked: dict[int, tuple[str, Queued]] = field(default_factory=dict)
    delayed: list[tuple[float, Queued]] = field(default_factory=list)
    published: list[OutgoingMessage] = field(default_factory=list)
    acked: int = 0
    _tags: int = 0

    def deliver(self, worker: str) -> Delivery | None:
        if not self.ready:
            return None
        queued = self.ready.popleft()
        self._tags += 1
        self.unacked[self._tags] = (worker, queued)
        return Delivery(
            body=queued.body,
            headers=queued.headers,
            properties=Properties(
                message_id=queued.message_id, user_id=queued.user_id, priority=queued.priority
            ),
            redelivered=queued.redelivered,
            token=self._tags,
        )

    def lose_connection(self, worker: str) -> None:
        for tag in [tag for tag, (owner, _) in self.unacked.items() if owner == worker]:
            self.requeue(tag)

    def requeue(self, tag: int) -> None:
        _, queued = self.unacked.pop(tag)
        self.ready.appendleft(replace(queued, redelivered=True))

    def release_due(self, now: float) -> None:
        due = [queued for at, queued in self.delayed if at <= now]
        self.delayed = [(at, queued) for at, queued in self.delayed if at > now]
        self.ready.extend(due)

    def to(self, exchange: str, routing_key: str | None = None) -> list[OutgoingMessage]:
        return [
            item
            for item in self.published
            if item.exchange == exchange and (routing_key is None or item.routing_key == routing_key)
        ]

    @property
    def empty(self) -> bool:
        return not (self.ready or self.unacked or self.delayed)


class FakeBroker:
    def __init__(self, shared: SharedBroker, steps: Steps, worker: str, clock: FakeClock) -> None:
        self._shared = shared
        self._steps = steps
        self._user = names.worker_user("pool-uid", "0a1b2c3d")
        self._clock = clock
        self.worker = worker
        self._delays = {names.retry_step(seconds): seconds for seconds in timing.RETRY_STEPS}

    def publish(self, message: OutgoingMessage, *, timeout: float = 10.0) -> None:
        assert timeout > 0
        with self._steps.step(
            f"broker.publish {message.properties.type or message.exchange}", BrokerError("away")
        ):
            self._shared.published.append(message)
            properties = message.properties
            copy = Queued(
                message.body, dict(message.headers), properties.message_id, self._user, properties.priority
            )
            if message.exchange in self._delays:
                due = self._clock.time + self._delays[message.exchange]
                self._shared.delayed.append((due, copy))
            elif (message.exchange, message.routing_key) == ("", self._shared.queue):
                self._shared.ready.append(copy)

    def ack(self, delivery: Delivery) -> bool:
        with self._steps.step("broker.ack"):
            assert isinstance(delivery.token, int)
            if self._shared.unacked.pop(delivery.token, None) is None:
                return False
            self._shared.acked += 1
            return True

    def requeue(self, delivery: Delivery) -> bool:
        with self._steps.step("broker.requeue"):
            assert isinstance(delivery.token, int)
            if delivery.token not in self._shared.unacked:
                return False
            self._shared.requeue(delivery.token)
            return True


#: What a submitted prompt comes to.
#: ``cached``: ComfyUI answers from its cache, with a file that another task has written since. ``gone``: with a file
#: that is no more. ``cached always``: even for nodes that carry a mark.
Result = Literal[
    "ok",
    "cached",
    "cached always",
    "gone",
    "node_error",
    "oom",
    "interrupted",
    "nothing",
    "stuck",
    "blocked",
    "unbegun",
    "empty",
    "lost",
]


class Script:
    """What comes of prompts, in the order in which they are submitted anywhere; the last holds for all later ones."""

    def __init__(self, *results: Result) -> None:
        self._results = results or ("ok",)
        self.posted = 0

    def next(self) -> Result:
        self.posted += 1
        return self._results[min(self.posted, len(self._results)) - 1]


class FakeComfyUI:
    """Runs each prompt at once, with results from a script."""

    def __init__(self, steps: Steps, script: Script, clock: FakeClock) -> None:
        self._steps = steps
        self._clock = clock
        self._script = script
        self.posted: list[str] = []
        self.graphs: list[JsonObject] = []
        self.running: list[str] = []
        self.blocked: set[str] = set()
        """Those of the running ones that heed no interrupt."""
        self.pending: list[str] = []
        """Prompts that wait, and never begin."""
        self.foreign: list[str] = []
        """Prompts that run, and that no worker sent."""
        self.entries: dict[str, JsonObject] = {}
        self.uploads: dict[str, bytes] = {}
        self.stopped: list[str] = []
        self.freed = 0
        self.half_made: set[str] = set()
        """Classes of which it keeps a node that failed, until it heeds a wish to free its memory."""
        self.used_half_made: list[str] = []
        """Prompts that met such a node."""
        self._wants_free = False
        self.node_errors: JsonObject = {}
        self.failing_node, self.failing_class, self.failing_message = "3", "KSampler", "bad"
        self.failing_error = "ValueError"
        self.refusal: JsonObject | None = None
        """Body of the 400 that answers every prompt, as long as it is there."""
        self.classes: dict[str, JsonObject | None] = {}
        """What ``/object_info`` says where it is not what every class says here; None: there is no such class."""
        self._files: dict[str, bytes] = {}

    def waiting(self) -> int:
        with self._steps.step("comfyui.waiting", ComfyUISilent("slow")):
            return len(self.running) + len(self.pending) + len(self.foreign)

    def node_class(self, name: str) -> NodeClass | None:
        with self._steps.step("comfyui.node_class", ComfyUISilent("slow")):
            said = self.classes.get(name, {"python_module": "nodes", "output_node": name == "SaveImage"})
            return None if said is None else NodeClass.read_object(said)

    def upload(self, subfolder: str, filename: str, data: bytes, content_type: str) -> str:
        assert content_type.startswith("image/")
        with self._steps.step("comfyui.upload", ComfyUISilent("slow")):
            name = f"{subfolder}/renamed-{filename}"
            self.uploads[name] = data
            return name

    @contextmanager
    def listen(self, client_id: str) -> Iterator[FakeListener]:
        assert uuid.UUID(client_id)
        with self._steps.step("comfyui.listen", ComfyUISilent("slow")):
            pass
        yield FakeListener(self._steps, self._clock)

    def submit(self, prompt_id: str, client_id: str, graph: JsonObject, mark: str) -> NodeErrors:
        assert client_id
        assert mark
        with self._steps.step("comfyui.submit", ComfyUISilent("slow")):
            if self.refusal is not None:
                raise ComfyUIRefused("ComfyUI answered 400.", status=400, body=self.refusal)
            if graph == BETWEEN:
                self._finish(prompt_id, "nothing")
                return PromptAnswer.read_object({}).node_errors
            result = self._script.next()
            self.posted.append(prompt_id)
            if any(name in str(graph) for name in self.half_made):
                self.used_half_made.append(prompt_id)
            self.graphs.append(graph)
            marked = any(MARK_INPUT in str(node) for node in graph.values())
            self._finish(prompt_id, "ok" if marked and result in {"cached", "gone"} else result)
            return PromptAnswer.read_object({"node_errors": self.node_errors}).node_errors

    def where(self, prompt_id: str) -> Where:
        with self._steps.step("comfyui.where", ComfyUISilent("slow")):
            if prompt_id in self.pending:
                return Where.PENDING if self.running or self.foreign else Where.NEXT
            return Where.RUNNING if prompt_id in {*self.running, *self.foreign} else Where.ABSENT

    def in_progress(self) -> list[str]:
        with self._steps.step("comfyui.in_progress", ComfyUISilent("slow")):
            return [*self.foreign, *self.running][:1]

    def ours(self) -> list[str]:
        with self._steps.step("comfyui.ours", ComfyUISilent("slow")):
            return [*self.running, *self.pending]

    def history(self, prompt_id: str) -> HistoryEntry | None:
        with self._steps.step("comfyui.history", ComfyUISilent("slow")):
            return HistoryEntry.read_map(self.entries).get(prompt_id)

    def forget(self, prompt_id: str) -> None:
        with self._steps.step("comfyui.forget", ComfyUISilent("slow")):
            self.entries.pop(prompt_id, None)

    def stop(self, prompt_id: str) -> None:
        with self._steps.step("comfyui.stop", ComfyUISilent("slow")):
            self.stopped.append(prompt_id)
            if prompt_id in self.pending:
                self.pending.remove(prompt_id)
            for place in (self.running, self.foreign):
                if prompt_id in place and prompt_id not in self.blocked:
                    place.remove(prompt_id)

    def restart(self) -> None:
        """A new life: an empty queue."""
        self.running.clear()
        self.foreign.clear()
        self.blocked.clear()
        self.pending.clear()

    def free(self) -> None:
        with self._steps.step("comfyui.free", ComfyUISilent("slow")):
            # Like ComfyUI in its worst case: it looks for the wish only after the next prompt.
            self.freed += 1
            self._wants_free = True

    def download(self, ref: OutputRef, path: Path) -> int:
        with self._steps.step("comfyui.download", ComfyUISilent("slow")):
            if ref.filename not in self._files:
                raise ComfyUIRefused("no such file", status=404)
            return path.write_bytes(self._files[ref.filename])

    def _finish(self, prompt_id: str, result: Result) -> None:
        if self._wants_free:
            self._wants_free = False
            self.half_made.clear()
        if result in {"stuck", "blocked"}:
            self.running.append(prompt_id)
            self.blocked |= {prompt_id} if result == "blocked" else set()
            return
        if result == "unbegun":
            self.pending.append(prompt_id)
            return
        if result == "lost":
            return
        messages: list[object] = [["execution_start", {}]]
        if result in {"node_error", "oom"}:
            kind = "torch.OutOfMemoryError" if result == "oom" else self.failing_error
            data = {
                "node_id": self.failing_node,
                "node_type": self.failing_class,
                "exception_type": kind,
                "exception_message": self.failing_message,
            }
            messages.append(["execution_error", data])
            self.half_made.add(self.failing_class)
        if result == "interrupted":
            messages.append(["execution_interrupted", {"node_id": "3"}])
        cached = result.startswith("cached")
        if cached:
            messages.append(["execution_cached", {"nodes": ["6", "9"]}])
        good = result in {"ok", "nothing", "empty", "gone"} or cached
        self._files["a.png"] = b"" if result == "empty" else png(*((8, 8) if cached else (64, 48)))
        if result == "gone":
            del self._files["a.png"]
        images = [
            {"filename": "a.png", "subfolder": "x", "type": "output"},
            {"filename": "b.png", "subfolder": "", "type": "temp"},
        ]
        self.entries[prompt_id] = {
            "outputs": {
                "9": {
                    "images": images if result in {"ok", "empty", "gone"} or cached else [],
                    "animated": [False],
                }
            },
            "status": {"status_str": "success" if good else "error", "messages": messages},
        }


class FakeMark:
    """The file by which a restart of ComfyUI is asked for; it outlives a worker."""

    def __init__(self) -> None:
        self.prompt_id: str | None = None

    def read(self) -> str | None:
        return self.prompt_id

    def write(self, prompt_id: str) -> None:
        self.prompt_id = prompt_id

    def clear(self) -> None:
        self.prompt_id = None


class FakeListener:
    """Says once that the last node has run, then nothing."""

    def __init__(self, steps: Steps, clock: FakeClock) -> None:
        self._steps = steps
        self._clock = clock
        self._frames = deque([Frame(type="status")])

    def receive(self, timeout: float) -> Frame | None:
        assert timeout > 0
        with self._steps.step("comfyui.receive", ComfyUISilent("socket died")):
            if self._frames:
                return self._frames.popleft()
            self._clock.sleep(timeout)
            return None


class FakeFetcher:
    def __init__(self, steps: Steps, data: bytes) -> None:
        self._steps = steps
        self.data = data
        self.urls: list[str] = []

    def fetch(self, url: str, max_bytes: int) -> bytes:
        assert max_bytes > 0
        error = AttemptFailed("the host is away", reason="InputUnavailable", retryable=True)
        with self._steps.step("fetch", error):
            self.urls.append(url)
            return self.data


def gone() -> ComfyUIGone:
    return ComfyUIGone("nothing listens")
