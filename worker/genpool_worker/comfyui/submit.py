"""Putting a prompt into ComfyUI's queue exactly once, as far as that can be done.

ComfyUI runs the same prompt twice when it is posted twice. After a POST whose answer was lost the prompt is therefore
looked for, in the queue and then in the history, before it is posted again.
"""

from __future__ import annotations

from genpool_core.jsontypes import JsonObject
from genpool_worker.comfyui import result
from genpool_worker.comfyui.retry import ComfyUIRetry
from genpool_worker.errors import ComfyUIGone, ComfyUIRefused, ComfyUISilent
from genpool_worker.ports import ComfyUI, Where


def is_known(comfyui: ComfyUI, prompt_id: str) -> bool:
    """Whether ComfyUI has the prompt, asked in the order that misses none. Raises ComfyUIError."""
    return comfyui.where(prompt_id) is not Where.ABSENT or comfyui.history(prompt_id) is not None


def submit(
    comfyui: ComfyUI, retry: ComfyUIRetry, prompt_id: str, client_id: str, graph: JsonObject, mark: str
) -> None:
    """Post a prompt.

    Raises
    ------
    AttemptFailed
        ComfyUI refused it, would drop outputs, is gone, or was silent until the deadline.
    HandBack
        ComfyUI is gone or silent while the worker drains.
    """
    while True:
        try:
            errors = comfyui.submit(prompt_id, client_id, graph, mark)
        except ComfyUIRefused as error:
            raise result.refused(error) from error
        except ComfyUIGone as error:
            raise retry.lost(error) from error
        except ComfyUISilent as error:
            retry.silent(error)
            retry.rest()
            if retry.call(lambda: is_known(comfyui, prompt_id)):
                return
        else:
            if errors:
                retry.call(lambda: comfyui.stop(prompt_id))
                raise result.dropped_outputs(errors)
            return
