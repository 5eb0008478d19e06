"""A ComfyUI in memory, its websocket, and the file by which its restart is asked for."""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from fakes.worker_steps import FakeClock, Steps, png
from genpool_core.jsontypes import JsonObject, JsonValue
from genpool_core.workflow.lacks import NodeClass
from genpool_core.workflow.render import MARK_INPUT
from genpool_worker.comfyui.memory import BETWEEN
from genpool_worker.comfyui_json import Frame, HistoryEntry, LogEntry, NodeErrors, PromptAnswer
from genpool_worker.errors import ComfyUIGone, ComfyUIRefused, ComfyUISilent
from genpool_worker.ports import OutputRef, Preview, Where

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
        self.said_version: str | None = "0.33.0"
        self.run_seconds = 0.0
        """How long a prompt that ends runs."""
        self.written: list[tuple[datetime, str]] = []
        """Its log, by its own local time, which is ``zone`` ahead of UTC."""
        self.zone = timedelta()
        self.frames: list[JsonObject] = []
        """What the websocket says of the next prompt while it runs; the prompt ends after the last one."""
        self._files: dict[str, bytes] = {}
        self._unfinished: tuple[str, Result] | None = None

    def version(self) -> str | None:
        with self._steps.step("comfyui.version", ComfyUISilent("slow")):
            return self.said_version

    def log(self) -> tuple[LogEntry, ...]:
        with self._steps.step("comfyui.log", ComfyUISilent("slow")):
            return tuple(
                LogEntry(t=(at + self.zone).replace(tzinfo=None).isoformat(), m=text)
                for at, text in self.written
            )

    def write(self, text: str) -> None:
        """One write to its log, now."""
        self.written.append((self._clock.now(), text))

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
        yield FakeListener(self._steps, self._clock, self)

    def submit(self, prompt_id: str, client_id: str, graph: JsonObject, mark: str) -> NodeErrors:
        assert client_id
        assert mark
        with self._steps.step("comfyui.submit", ComfyUISilent("slow")):
            if self.refusal is not None:
                raise ComfyUIRefused("ComfyUI answered 400.", status=400, body=self.refusal)
            self.write("got prompt\n")
            if graph == BETWEEN:
                self._finish(prompt_id, "nothing")
                return PromptAnswer.read_object({}).node_errors
            result = self._script.next()
            self.posted.append(prompt_id)
            if any(name in str(graph) for name in self.half_made):
                self.used_half_made.append(prompt_id)
            self.graphs.append(graph)
            marked = any(MARK_INPUT in str(node) for node in graph.values())
            result = "ok" if marked and result in {"cached", "gone"} else result
            if self.frames:
                self.running.append(prompt_id)
                self._unfinished = prompt_id, result
            else:
                self._finish(prompt_id, result)
            return PromptAnswer.read_object({"node_errors": self.node_errors}).node_errors

    def next_frame(self) -> Frame | Preview | None:
        """The next thing that the websocket says of the running prompt."""
        if self._unfinished is None or self._unfinished[0] not in self.running:
            return None
        prompt_id, result = self._unfinished
        if self.frames:
            said = self.frames.pop(0)
            for name in said.pop("files", []):  # type: ignore[union-attr]
                self._files[str(name)] = png(64, 48)
            data = {"prompt_id": prompt_id, **said.pop("data", {})}  # type: ignore[dict-item]
            return Frame.read_object({**said, "data": data})
        self._unfinished = None
        self.running.remove(prompt_id)
        self._finish(prompt_id, result)
        return Frame(type="status")

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
        start: JsonObject = {"timestamp": self._milliseconds()}
        messages: list[JsonValue] = [["execution_start", start]]
        self._clock.time += self.run_seconds
        if result in {"node_error", "oom"}:
            kind = "torch.OutOfMemoryError" if result == "oom" else self.failing_error
            data: JsonObject = {
                "node_id": self.failing_node,
                "node_type": self.failing_class,
                "exception_type": kind,
                "exception_message": self.failing_message,
                "timestamp": self._milliseconds(),
            }
            self.write(f"!!! Exception during processing !!! {self.failing_message}\n")
            messages.append(["execution_error", data])
            self.half_made.add(self.failing_class)
        if result == "interrupted":
            messages.append(["execution_interrupted", {"node_id": "3", "timestamp": self._milliseconds()}])
        cached = result.startswith("cached")
        if cached:
            messages.append(["execution_cached", {"nodes": ["6", "9"]}])
        good = result in {"ok", "nothing", "empty", "gone"} or cached
        if good:
            messages.append(["execution_success", {"timestamp": self._milliseconds()}])
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

    def _milliseconds(self) -> int:
        return int(self._clock.now().timestamp() * 1000)


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

    def __init__(self, steps: Steps, clock: FakeClock, comfyui: FakeComfyUI) -> None:
        self._steps = steps
        self._clock = clock
        self._comfyui = comfyui
        self._frames = deque([Frame(type="status")])

    def receive(self, timeout: float) -> Frame | Preview | None:
        assert timeout > 0
        with self._steps.step("comfyui.receive", ComfyUISilent("socket died")):
            if self._frames:
                return self._frames.popleft()
            if (said := self._comfyui.next_frame()) is not None:
                return said
            self._clock.sleep(timeout)
            return None


def gone() -> ComfyUIGone:
    return ComfyUIGone("nothing listens")
