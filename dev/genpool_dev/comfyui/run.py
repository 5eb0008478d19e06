"""What a node may use while it runs: the card, the folders, progress, faults."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import ParamSpec, TypeVar

from genpool_dev.comfyui import faults
from genpool_dev.comfyui.faults import Fault, OnceMarkers
from genpool_dev.comfyui.folders import Folders
from genpool_dev.comfyui.settings import StandInSettings
from genpool_dev.comfyui.vram import Vram
from genpool_dev.comfyui.wire import Graph, Json

P = ParamSpec("P")
T = TypeVar("T")


class InterruptedRunError(Exception):
    """The job was interrupted; noticed between nodes and in progress callbacks only."""


class PromptThreadEnded(BaseException):
    """The thread that runs prompts has ended, as after `sys.exit()` in a node; nobody catches it there."""


class NodeFault(RuntimeError):  # noqa: N818  it is shown under another name
    """A node failed because it was told to; shown as a RuntimeError of torch."""


class Machine:
    """One stand-in's hardware and disk, and the faults that wait for the next task."""

    def __init__(self, settings: StandInSettings) -> None:
        self.settings = settings
        self.folders = Folders(settings.input_directory, settings.output_directory, settings.temp_directory)
        self.vram = Vram(settings.vram_gb)
        self.markers = OnceMarkers(settings.output_directory)
        self.armed: list[Fault] = []
        """Faults asked for by HTTP; the next task takes them."""
        self.interrupt = asyncio.Event()
        self.moving = asyncio.Event()
        """Cleared while the stand-in is wedged: it answers, and no job gets on."""
        self.moving.set()
        self.exits_after_job = False
        """The thread that runs prompts ends after the job in hand."""
        self.stats_fail = False
        """/system_stats answers 500, as with a lost GPU."""
        self._drawing = ThreadPoolExecutor(1, thread_name_prefix="drawing")

    async def draw(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run CPU work in the one drawing thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._drawing, partial(function, *args, **kwargs))

    async def load(self, model: str) -> None:
        """Make a model resident; the first time takes the load time, which nothing interrupts."""
        if self.vram.load(model):
            await asyncio.sleep(self.settings.load_seconds)

    def close(self) -> None:
        """End the drawing thread."""
        self._drawing.shutdown(wait=False, cancel_futures=True)


@dataclass
class Run:
    """One job in progress, as its nodes see it."""

    machine: Machine
    prompt: Graph
    extra_data: Json
    on_progress: Callable[[int, int], None]
    """Announces value and max for the node that runs."""
    on_preview: Callable[[], None] | None = None
    """Sends a preview picture; None where nobody wants them."""
    faults: list[Fault] = field(default_factory=list)
    """What is still to go wrong; the heavy node takes them."""

    def check_interrupt(self) -> None:
        """Raise InterruptedRunError where the job was interrupted."""
        if self.machine.interrupt.is_set():
            raise InterruptedRunError

    def _seconds(self, steps: int) -> float:
        """Return how long a node of that many steps takes; `slow` sets it."""
        slow = [fault.seconds for fault in self.faults if fault.name == "slow"]
        usual = steps * self.machine.settings.step_seconds
        return next((seconds for seconds in slow if seconds is not None), usual)

    async def steps(self, count: int) -> None:
        """Go through a sampler's steps: progress after each, the faults halfway."""
        each = self._seconds(count) / count
        loop = asyncio.get_running_loop()
        started = loop.time()
        for step in range(1, count + 1):
            await asyncio.sleep(max(0.0, started + step * each - loop.time()))
            self.check_interrupt()
            await self.machine.moving.wait()
            self.on_progress(step, count)
            if self.on_preview is not None:
                self.on_preview()
            if step == (count + 1) // 2:
                await self.misbehave()

    async def heavy(self, steps: int) -> None:
        """Take the time of that many steps in one piece: no progress, interrupts unnoticed."""
        half = self._seconds(steps) / 2
        await asyncio.sleep(half)
        await self.machine.moving.wait()
        await self.misbehave()
        await asyncio.sleep(half)

    async def misbehave(self) -> None:
        """Do wrong what this job was told to do wrong (`slow` is the sampler's own matter)."""
        waiting, self.faults = self.faults, []
        for fault in waiting:
            await self._act(fault)

    async def _act(self, fault: Fault) -> None:
        match fault.name:
            case "crash":
                faults.crash()
            case "hang":
                faults.hang(fault.seconds)
            case "wedge":
                self.machine.moving.clear()
                await self.machine.moving.wait()
            case "block":
                await asyncio.sleep(fault.seconds or 0)
            case "exit":
                raise PromptThreadEnded
            case "exit-after":
                self.machine.exits_after_job = True
            case "oom":
                raise self.machine.vram.failure(self.machine.vram.total * 2)
            case "fail-node":
                raise NodeFault(
                    "mat1 and mat2 shapes cannot be multiplied (77x2048 and 768x320) "
                    "[the stand-in was told to fail this node]"
                )


Values = Json
"""A node's inputs with links replaced by what they carry."""

Runner = Callable[[Run, Values], Awaitable["tuple[tuple[object, ...], Json]"]]
"""Does a node's work: returns its output values and what a person may see."""
