"""Whether ComfyUI gets on, judged by one prompt: it was told to end, or nothing keeps it from beginning. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from genpool_core import timing


@dataclass(frozen=True)
class Stuck:
    """A prompt that has not moved since a time (monotonic seconds), though ComfyUI answered at every look."""

    prompt_id: str
    since: float


def follow(before: Stuck | None, prompt_id: str | None, now: float) -> Stuck | None:
    """What is known after one more look.

    ``prompt_id`` is the prompt that should have moved. None: there is none, or ComfyUI did not answer. Then the wait
    begins anew, because an interpreter that is held up takes its interrupt when it is free again.
    """
    if prompt_id is None:
        return None
    if before is not None and before.prompt_id == prompt_id:
        return before
    return Stuck(prompt_id, now)


def is_wedged(stuck: Stuck | None, now: float) -> bool:
    """Whether the prompt had its time."""
    return stuck is not None and now - stuck.since >= timing.COMFYUI_HEED_SECONDS
