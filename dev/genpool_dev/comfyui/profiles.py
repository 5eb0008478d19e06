"""The two ComfyUI versions whose API the stand-in can speak, and where they differ."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Profile:
    """What one ComfyUI version does that another does not."""

    version: str
    """Shown as `comfyui_version` in /system_stats."""
    uuid_prompt_ids: bool
    """A client's prompt_id must be a lower-case hyphenated UUID; else any string will do."""
    names_missing_node: bool
    """An unknown class is reported as `missing_node_type`; else as `invalid_prompt`."""
    has_jobs: bool
    """/api/jobs exists."""
    has_save_text: bool
    """The core has the class SaveText."""
    stamps_create_time: bool
    """`extra_data.create_time` is added to every job."""
    queues_null_extra_data: bool
    """A prompt with `extra_data: null` is accepted, and ends the thread that runs prompts; else it is refused."""


PROFILES = {
    "0.33.0": Profile(
        version="0.33.0",
        uuid_prompt_ids=True,
        names_missing_node=True,
        has_jobs=True,
        has_save_text=True,
        stamps_create_time=True,
        queues_null_extra_data=False,
    ),
    "0.3.64": Profile(
        version="0.3.64",
        uuid_prompt_ids=False,
        names_missing_node=False,
        has_jobs=False,
        has_save_text=False,
        stamps_create_time=False,
        queues_null_extra_data=True,
    ),
}
"""The profiles by version; the first is the default."""

DEFAULT_PROFILE = next(iter(PROFILES))
