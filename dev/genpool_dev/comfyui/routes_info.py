"""What the server is and has: nodes, system, the page at /."""

from __future__ import annotations

import html
import os
import sys

from aiohttp import web

from genpool_dev.comfyui.standin import standin_of
from genpool_dev.comfyui.web_common import Route
from genpool_dev.comfyui.wire import ServerTrouble, standin_note

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>ComfyUI stand-in</title>
<body style="font-family: sans-serif; max-width: 40em; margin: 3em auto">
<h1>ComfyUI stand-in</h1>
<p>{note}</p>
<p>It speaks the HTTP and WebSocket API of ComfyUI {version}: see <a href="system_stats">its
figures</a>, <a href="object_info">its nodes</a> and <a href="standin">what it can be told to do
wrong</a>.</p>
</body></html>
"""


async def root(request: web.Request) -> web.Response:
    """Say in a browser what this is."""
    version = standin_of(request).settings.profile.version
    page = _PAGE.format(note=html.escape(standin_note()), version=html.escape(version))
    return web.Response(text=page, content_type="text/html", headers={"Cache-Control": "no-store"})


async def object_info(request: web.Request) -> web.Response:
    """Describe all node classes."""
    standin = standin_of(request)
    files = standin.machine.folders.input_files
    return web.json_response({name: schema.object_info(files) for name, schema in standin.catalog.items()})


async def object_info_of(request: web.Request) -> web.Response:
    """Describe one node class; `{}` where there is none of that name."""
    standin = standin_of(request)
    schema = standin.catalog.get(request.match_info["node_class"])
    files = standin.machine.folders.input_files
    return web.json_response({schema.name: schema.object_info(files)} if schema else {})


def _ram() -> tuple[int, int]:
    page = os.sysconf("SC_PAGE_SIZE")
    return os.sysconf("SC_PHYS_PAGES") * page, os.sysconf("SC_AVPHYS_PAGES") * page


async def system_stats(request: web.Request) -> web.Response:
    """Show the machine, the card that there would be, and that this is a stand-in."""
    standin = standin_of(request)
    if standin.machine.stats_fail:
        raise ServerTrouble("CUDA error: unspecified launch failure [asked for]")
    vram = standin.machine.vram
    ram_total, ram_free = _ram()
    system = {
        "os": sys.platform,
        "ram_total": ram_total,
        "ram_free": ram_free,
        "comfyui_version": standin.settings.profile.version,
        "required_frontend_version": "none (stand-in)",
        "python_version": sys.version,
        "pytorch_version": "none (stand-in)",
        "embedded_python": False,
        "argv": list(standin.settings.argv),
    }
    device = {
        "name": "cuda:0 ComfyUI stand-in (no GPU)",
        "type": "cuda",
        "index": 0,
        "vram_total": vram.total,
        "vram_free": vram.free,
        "torch_vram_total": vram.used,
        "torch_vram_free": 0,
    }
    body = {"system": system, "devices": [device], "standin": {"note": standin_note()}}
    return web.json_response(body)


async def features(_request: web.Request) -> web.Response:
    """Say what the server's websocket and uploads can do."""
    return web.json_response(SERVER_FEATURES)


SERVER_FEATURES = {"supports_preview_metadata": True, "max_upload_size": 104857600}
"""What /features and the websocket's `feature_flags` answer."""

ROUTES: tuple[Route, ...] = (
    ("GET", "/", root),
    ("GET", "/object_info", object_info),
    ("GET", "/object_info/{node_class}", object_info_of),
    ("GET", "/system_stats", system_stats),
    ("GET", "/features", features),
)
