"""What ComfyUI's own pages ask: its log. These routes have no /api prefix."""

from __future__ import annotations

import shutil

from aiohttp import web

from genpool_dev.comfyui.standin import standin_of
from genpool_dev.comfyui.web_common import Route


async def logs(request: web.Request) -> web.Response:
    """Give the log as one text."""
    return web.json_response(standin_of(request).log.text)


async def raw_logs(request: web.Request) -> web.Response:
    """Give its last writes one by one, and the size of the terminal that there would be."""
    size = shutil.get_terminal_size()
    entries = list(standin_of(request).log.entries)
    return web.json_response({"entries": entries, "size": {"cols": size.columns, "rows": size.lines}})


ROUTES: tuple[Route, ...] = (("GET", "/internal/logs", logs), ("GET", "/internal/logs/raw", raw_logs))
