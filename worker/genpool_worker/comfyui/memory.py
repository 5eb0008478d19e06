"""Emptying ComfyUI's memory, so that the next prompt meets nothing of the ones before: no model, result or node.

``POST /free`` alone does not do. ComfyUI looks for the wish after each prompt, and then collects garbage and waits for
the next one; a wish that comes in between wakes nobody, and is seen only after the *next* prompt (seen with 0.3.64, the
more often the longer the card takes to give its memory back). So a prompt of the worker's own is put in between.
"""

from __future__ import annotations

import structlog

from genpool_core.errors import GenPoolError
from genpool_core.jsontypes import JsonObject
from genpool_worker.comfyui.result import left_behind
from genpool_worker.comfyui.retry import ComfyUIRetry
from genpool_worker.comfyui.run import PromptRun
from genpool_worker.comfyui.wedge import Wedge
from genpool_worker.ports import ComfyUI, OutputRef

_log = structlog.get_logger(__name__)
#: The smallest prompt that every ComfyUI can run: it needs no model, and leaves one pixel in the temp folder.
BETWEEN: JsonObject = {
    "1": {"class_type": "EmptyImage", "inputs": {"width": 1, "height": 1, "batch_size": 1, "color": 0}},
    "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
}


def empty_memory(
    comfyui: ComfyUI, retry: ComfyUIRetry, wedge: Wedge, *, prompt_id: str, mark: str
) -> list[OutputRef]:
    """Have ComfyUI forget everything before its next prompt; returns what that left. Never raises GenPoolError.

    ``prompt_id``: one that was never used.
    """
    try:
        retry.call(comfyui.free)
        entry = PromptRun(comfyui, retry, wedge, prompt_id, mark).run(BETWEEN)
        comfyui.forget(prompt_id)
    except GenPoolError as error:
        _log.warning("memory_not_freed", reason=error.reason, message=error.message)
        return []
    return left_behind(entry)
