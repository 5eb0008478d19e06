"""The stand-in as a whole: its parts, and the loop that runs one job after the other."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from aiohttp import web

from genpool_dev.comfyui.catalog import build_catalog
from genpool_dev.comfyui.executor import Executor
from genpool_dev.comfyui.hub import Hub
from genpool_dev.comfyui.jobqueue import JobQueue
from genpool_dev.comfyui.logbuffer import LogBuffer
from genpool_dev.comfyui.run import Machine, PromptThreadEnded
from genpool_dev.comfyui.validate import World

if TYPE_CHECKING:
    from genpool_dev.comfyui.settings import StandInSettings
    from genpool_dev.comfyui.wire import Json

log = logging.getLogger(__name__)


class Standin:
    """Everything that the routes work on."""

    def __init__(self, settings: StandInSettings) -> None:
        self.settings = settings
        self.log = LogBuffer()
        """What was written last, for those who ask."""
        self.machine = Machine(settings)
        self.catalog = build_catalog(
            settings.checkpoints,
            settings.node_pack,
            save_text=settings.profile.has_save_text,
            looking=settings.looking is not None,
        )
        self.hub = Hub()
        self.queue = JobQueue(self._announce_queue)
        self.executor = Executor(self.machine, self.catalog, self.hub)
        self.number = 0
        """The number that the next prompt gets."""
        self.unload_models = False
        """Asked for by /free; done after the current job."""
        self.free_memory = False
        self.world = World(
            catalog=self.catalog,
            profile=settings.profile,
            file_exists=self.machine.folders.has_input,
            input_files=self.machine.folders.input_files,
        )

    def queue_info(self) -> Json:
        """Return what `GET /prompt` and the `status` event show."""
        return {"exec_info": {"queue_remaining": self.queue.remaining}}

    def _announce_queue(self) -> None:
        self.hub.send("status", {"status": self.queue_info()}, None)

    async def consume(self) -> None:
        """Run the queued jobs one after the other, until one ends this; a job in hand then runs for ever."""
        try:
            await self._run_jobs()
        except PromptThreadEnded:
            log.warning("the thread that runs prompts has ended: no prompt is run any more")

    async def _run_jobs(self) -> None:
        while True:
            job = await self.queue.get()
            if job is not None:
                result, status = await self.executor.execute(job)
                # History comes after the last message, as it does in ComfyUI.
                await asyncio.sleep(self.settings.history_lag_seconds)
                self.queue.done(job, result, status)
                if job.client_id is not None:
                    ended = {"node": None, "prompt_id": job.prompt_id}
                    self.hub.send("executing", ended, job.client_id)
                if self.machine.exits_after_job:
                    raise PromptThreadEnded
            self._free()

    def _free(self) -> None:
        if self.unload_models or self.free_memory:
            log.info("unloading models")
            self.machine.vram.unload()
        if self.free_memory:
            self.executor.clear_cache()
        self.unload_models = self.free_memory = False


STANDIN = web.AppKey("standin", Standin)
"""Where the routes find it."""


def standin_of(request: web.Request) -> Standin:
    """Return the stand-in that a request came to."""
    return request.app[STANDIN]
