"""Whether a task may be taken now: ComfyUI answers, is free and has what is needed; store and scratch are usable."""

from __future__ import annotations

from pathlib import Path

import structlog

from genpool_adapters.objectstore.conditional_put_check import prove_conditional_put
from genpool_adapters.objectstore.port import ObjectStore
from genpool_core import timing
from genpool_core.errors import StorageError
from genpool_core.messages.events import COMFYUI_BUSY, COMFYUI_UNAVAILABLE, COMFYUI_WEDGED
from genpool_worker.comfyui.about import AboutComfyUI
from genpool_worker.comfyui.availability import Availability
from genpool_worker.comfyui.stuck import Stuck, follow, is_wedged
from genpool_worker.comfyui.wedge import Wedge
from genpool_worker.errors import ComfyUIError
from genpool_worker.files.workdir import clean_leftovers, scratch_trouble
from genpool_worker.ports import Clock, ComfyUI, Where
from genpool_worker.status import Waits

_log = structlog.get_logger(__name__)
_WEDGED = Waits(
    COMFYUI_WEDGED,
    "ComfyUI is wedged: it answers, and a prompt that should have ended or begun does not. Its liveness probe "
    "restarts it.",
)


class Preconditions:
    """Asked before each task and every few seconds between tasks. Used by one thread."""

    def __init__(  # noqa: PLR0913, PLR0917 - what it asks
        self,
        comfyui: ComfyUI,
        wedge: Wedge,
        availability: Availability,
        about: AboutComfyUI,
        store: ObjectStore,
        prefix: str,
        clock: Clock,
        scratch: Path,
    ) -> None:
        self._comfyui = comfyui
        self._wedge = wedge
        self._availability = availability
        self._about = about
        self._store = store
        self._prefix = prefix
        self._clock = clock
        self._scratch = scratch
        self._proven = False
        self._was_held_up = False
        self._stuck: Stuck | None = None
        self._store_checked = float("-inf")

    def trouble(self) -> Waits | None:
        """What stands against taking a task; None when nothing does.

        Raises
        ------
        SettingsError
            The store is not safe: there is no use in waiting.
        """
        return (
            self._store_trouble()
            or self._comfyui_trouble()
            or self._scratch_trouble()
            or self._availability.none()
        )

    def known(self) -> Waits | None:
        """What stands against the next task for certain; asks nobody."""
        return self._availability.none() if self._wedge.prompt_id is None else _WEDGED

    def suspect_store(self) -> None:
        """The store failed in use: ask it before the next task."""
        self._store_checked = float("-inf")

    def _store_trouble(self) -> Waits | None:
        if self._clock.monotonic() - self._store_checked < timing.STORE_FRESH_SECONDS:
            return None
        try:
            if not self._proven:
                prove_conditional_put(self._store, self._prefix)
                self._proven = True
                _log.info("store_proven", message="its conditional put is atomic")
            else:
                self._store.keys(f"{self._prefix}probes/")
        except StorageError as error:
            return Waits(error.reason, error.message)
        self._store_checked = self._clock.monotonic()
        return None

    def _scratch_trouble(self) -> Waits | None:
        found = scratch_trouble(self._scratch)
        return None if found is None else Waits(*found)

    def _comfyui_trouble(self) -> Waits | None:
        """ComfyUI may still be at a prompt of an attempt that was given up, perhaps by a worker before us."""
        try:
            if self._is_still_wedged():
                return _WEDGED
            ours = self._comfyui.ours() if self._comfyui.waiting() else []
            for prompt_id in ours:
                self._comfyui.stop(prompt_id)
            if not ours:
                self._availability.look()
                self._about.look()
        except ComfyUIError as error:
            self._stuck = None
            self._availability.forget()
            return Waits(COMFYUI_UNAVAILABLE, error.message)
        now = self._clock.monotonic()
        self._stuck = follow(self._stuck, ours[0] if ours else None, now)
        if not ours:
            if self._was_held_up:
                clean_leftovers(self._scratch)
                self._was_held_up = False
            return None
        self._was_held_up = True
        if is_wedged(self._stuck, now):
            self._wedge.begin(ours[0])
            return _WEDGED
        message = "ComfyUI still runs the prompt of an attempt that was given up: it was told to stop."
        return Waits(COMFYUI_BUSY, message)

    def _is_still_wedged(self) -> bool:
        """Whether the prompt that did not move is in the queue. It is left there: the restart depends on it."""
        marked = self._wedge.prompt_id
        if marked is None:
            return False
        self._was_held_up = True
        if self._comfyui.where(marked) is Where.ABSENT:
            self._wedge.over()
            return False
        self._wedge.still()
        return True
