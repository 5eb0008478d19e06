"""The queue of prompts and the history: in memory only, gone with the process."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from genpool_dev.comfyui.wire import Graph, Json

HISTORY_LIMIT = 10_000
"""ComfyUI drops the oldest entry above this many."""


@dataclass(order=True, slots=True)
class Job:
    """One queued prompt. Sorts by number, then by id, as ComfyUI's tuples do."""

    number: float
    prompt_id: str
    sequence: int
    """Tells two postings of one id apart."""
    prompt: Graph = field(compare=False)
    extra_data: Json | None = field(compare=False)
    """None only where a version takes it so; such a job cannot run."""
    outputs: tuple[str, ...] = field(compare=False)

    def row(self) -> list[object]:
        """Return the five elements that /queue and /history show."""
        return [self.number, self.prompt_id, self.prompt, self.extra_data, list(self.outputs)]

    @property
    def client_id(self) -> str | None:
        """Who gets this job's events; None where nobody asked for them."""
        client_id = (self.extra_data or {}).get("client_id")
        return None if client_id is None else str(client_id)


class JobQueue:
    """A heap of pending jobs, the one that runs, and what ended."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._pending: list[Job] = []
        self._not_empty = asyncio.Event()
        self._sequence = 0
        self.running: Job | None = None
        self.history: dict[str, Json] = {}

    @property
    def pending(self) -> list[Job]:
        """The waiting jobs in heap order (the first is the next; the rest is not sorted)."""
        return list(self._pending)

    @property
    def remaining(self) -> int:
        """Waiting and running jobs together."""
        return len(self._pending) + (self.running is not None)

    def put(
        self,
        number: float,
        prompt_id: str,
        prompt: Graph,
        extra_data: Json | None,
        outputs: tuple[str, ...],
    ) -> None:
        """Queue a prompt. The same id may be queued again: it runs again."""
        self._sequence += 1
        job = Job(number, prompt_id, self._sequence, prompt, extra_data, outputs)
        heapq.heappush(self._pending, job)
        self._on_change()
        self._not_empty.set()

    def wake(self) -> None:
        """Let the waiting consumer look again (for `POST /free` on an idle server)."""
        self._not_empty.set()

    async def get(self) -> Job | None:
        """Wait for a job and make it the running one; None after `wake` with nothing to run."""
        await self._not_empty.wait()
        self._not_empty.clear()
        if not self._pending:
            return None
        self.running = heapq.heappop(self._pending)
        if self._pending:
            self._not_empty.set()
        self._on_change()
        return self.running

    def done(self, job: Job, result: Json, status: Json) -> None:
        """Write the history entry; a second run of one id replaces the first."""
        self.running = None
        if len(self.history) > HISTORY_LIMIT:
            del self.history[next(iter(self.history))]
        self.history[job.prompt_id] = {"prompt": job.row(), "status": status, **result}
        self._on_change()

    def delete(self, prompt_ids: Iterable[object]) -> bool:
        """Drop one pending job for each id, without a trace; return whether any was there."""
        dropped = False
        for prompt_id in prompt_ids:
            found = next((job for job in self._pending if job.prompt_id == prompt_id), None)
            if found is not None:
                self._pending.remove(found)
                heapq.heapify(self._pending)
                self._on_change()
                dropped = True
        return dropped

    def clear(self) -> None:
        """Drop all pending jobs."""
        self._pending.clear()
        self._on_change()
