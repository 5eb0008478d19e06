"""What runs in ComfyUI's container, for end records: its version, its image, and what that image was."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from genpool_core import timing
from genpool_core.image_digest import digest_in
from genpool_worker.errors import ComfyUIError
from genpool_worker.ports import Clock, ComfyUI

_log = structlog.get_logger(__name__)


class AboutComfyUI:
    """Asked for its version once; nothing waits for that. One thread asks, any may read."""

    def __init__(
        self, comfyui: ComfyUI, clock: Clock, image: str | None, told_digest: Callable[[], str | None]
    ) -> None:
        self._comfyui = comfyui
        self._clock = clock
        self._told_digest = told_digest
        self._next_try = float("-inf")
        self.image = image
        """As the pool names it."""
        self.version: str | None = None
        """None until ComfyUI has said it."""

    def look(self) -> None:
        """Ask for the version where it is not known. Never raises: a card that is lost keeps ComfyUI from answering."""
        now = self._clock.monotonic()
        if self.version is not None or now < self._next_try:
            return
        self._next_try = now + timing.WORKFLOW_CHECK_SECONDS
        try:
            self.version = self._comfyui.version()
        except ComfyUIError as error:
            _log.info("comfyui_version_unknown", reason=error.reason, message=error.message)

    @property
    def digest(self) -> str | None:
        """Digest of the image: as the node says, else from the image's name; None where neither has it."""
        return digest_in(self._told_digest()) or digest_in(self.image)
