"""What a ComfyUI says of its node classes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import requests

from genpool_cli.errors import Away, CliError
from genpool_core import timing
from genpool_core.workflow.lacks import NodeClass

Json = dict[str, Any]
_NOT_FOUND = 404


class ComfyUI:
    """A ComfyUI that is asked by HTTP."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._session = requests.Session()

    def describe(self, classes: Iterable[str]) -> dict[str, Json | None]:
        """Its own description of each node class; None where it has none of that name. Raises CliError."""
        return {name: self._class(name) for name in sorted(classes)}

    def version(self) -> str:
        """What it is. Raises CliError."""
        stats = self._json("/system_stats")
        system = stats.get("system")
        return str(system.get("comfyui_version", "of an unknown version")) if isinstance(system, dict) else ""

    def _class(self, name: str) -> Json | None:
        found = self._json(f"/object_info/{quote(name, safe='')}").get(name)
        return found if isinstance(found, dict) else None

    def _json(self, path: str) -> Json:
        times = (timing.CLI_CONNECT_SECONDS, timing.CLI_READ_SECONDS)
        try:
            answer = self._session.get(self.url + path, timeout=times)
            found = {} if answer.status_code == _NOT_FOUND else answer.json()
        except requests.ConnectionError as error:
            raise Away(f"ComfyUI at {self.url} does not answer: see that it runs (--comfyui).") from error
        except (requests.RequestException, ValueError) as error:
            raise CliError(
                f"What answers at {self.url} is no ComfyUI (--comfyui).", reason="NoComfyUI"
            ) from error
        if not isinstance(found, dict):
            raise CliError(f"What answers at {self.url} is no ComfyUI (--comfyui).", reason="NoComfyUI")
        return found


def known_classes(described: dict[str, Json | None]) -> dict[str, NodeClass | None]:
    """As the check for what is missing wants them. Pure."""
    return {name: None if body is None else NodeClass.read_object(body) for name, body in described.items()}
