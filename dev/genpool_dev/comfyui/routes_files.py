"""Uploading input files and fetching results."""

from __future__ import annotations

import mimetypes
from pathlib import PurePosixPath

from aiohttp import web

from genpool_dev.comfyui.folders import OutsideError, inside, save_upload, split_annotation
from genpool_dev.comfyui.standin import standin_of
from genpool_dev.comfyui.web_common import Route
from genpool_dev.comfyui.wire import ServerTrouble


async def upload_image(request: web.Request) -> web.Response:
    """Store the multipart part `image`; the answer says under which name."""
    form = await request.post()
    image = form.get("image")
    if not image:
        return web.Response(status=400)
    if not isinstance(image, web.FileField):
        raise ServerTrouble("the part 'image' is no file")
    kind = str(form.get("type", "input"))
    folder = standin_of(request).machine.folders.of_type(kind)
    if folder is None:
        raise ServerTrouble(f"there is no folder of type '{kind}'")
    subfolder = str(form.get("subfolder", ""))
    overwrite = form.get("overwrite") in {"true", "1"}
    try:
        name = save_upload(folder, subfolder, image.filename, image.file.read(), overwrite=overwrite)
    except OutsideError:
        return web.Response(status=400)
    return web.json_response({"name": name, "subfolder": subfolder, "type": kind})


async def view(request: web.Request) -> web.StreamResponse:
    """Send a file of the three folders; Range and HEAD work."""
    name, kind = split_annotation(request.query.get("filename", ""))
    if "filename" not in request.query:
        return web.Response(status=404)
    if not name or name.startswith("/") or ".." in name:
        return web.Response(status=400)
    kind = kind or request.query.get("type", "output")
    folder = standin_of(request).machine.folders.of_type(kind)
    if folder is None:
        return web.Response(status=400)
    try:
        folder = inside(folder, request.query.get("subfolder", ""))
    except OutsideError:
        return web.Response(status=403)
    name = PurePosixPath(name).name
    path = folder / name
    if not path.is_file():
        return web.Response(status=404)
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    headers = {
        "Content-Disposition": f'filename="{quoted}"',
        "Content-Type": mimetypes.guess_type(name)[0] or "application/octet-stream",
    }
    return web.FileResponse(path, headers=headers)


ROUTES: tuple[Route, ...] = (
    ("POST", "/upload/image", upload_image),
    ("GET", "/view", view),
)
