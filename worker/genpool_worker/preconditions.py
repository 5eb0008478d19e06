"""Whether a task may be taken now: ComfyUI answers and is free, and the store answers and is safe."""

from __future__ import annotations

from pathlib import Path

import structlog

from genpool_core import timing
from genpool_core.errors import StorageError
from genpool_core.messages.events import COMFYUI_BUSY, COMFYUI_UNAVAILABLE
from genpool_worker.errors import ComfyUIError
from genpool_worker.files.workdir import clean_leftovers
from genpool_worker.ledger.conditional_put_check import prove_conditional_put
from genpool_worker.ports import Clock, ComfyUI, Store
from genpool_worker.status import Waits

_log = structlog.get_logger(__name__)


class Preconditions:
    """Asked before each task and every few seconds between tasks. Used by one thread."""

    def __init__(self, comfyui: ComfyUI, store: Store, prefix: str, clock: Clock, scratch: Path) -> None:
        self._comfyui = comfyui
        self._store = store
        self._prefix = prefix
        self._clock = clock
        self._scratch = scratch
        self._proven = False
        self._was_held_up = False
        self._store_checked = float("-inf")

    def trouble(self) -> Waits | None:
        """What stands against taking a task; None when nothing does.

        Raises
        ------
        SettingsError
            The store is not safe: there is no use in waiting.
        """
        return self._store_trouble() or self._comfyui_trouble()

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

    def _comfyui_trouble(self) -> Waits | None:
        """ComfyUI may still be at a prompt of an attempt that was given up, perhaps by a worker before us."""
        try:
            ours = self._comfyui.ours() if self._comfyui.waiting() else []
            for prompt_id in ours:
                self._comfyui.stop(prompt_id)
        except ComfyUIError as error:
            return Waits(COMFYUI_UNAVAILABLE, error.message)
        if not ours:
            if self._was_held_up:
                clean_leftovers(self._scratch)
                self._was_held_up = False
            return None
        self._was_held_up = True
        message = "ComfyUI still runs the prompt of an attempt that was given up: it was told to stop."
        return Waits(COMFYUI_BUSY, message)
