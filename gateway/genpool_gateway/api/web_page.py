"""The web page: files of this package at ``/`` and ``/page``, and what a browser may do with them.

A browser keeps the files for ever, as their paths have a version: a visit after the first asks for the page alone.

No inline script or style; the page talks to this origin alone; pictures also from the buckets of the caller's pools,
to which the links of results lead. So a result is never a page of our origin, nor can one send a key elsewhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

from anyio import to_thread
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, Response

from genpool_core.errors import GenPoolError
from genpool_core.workerconfig import StoreConfig
from genpool_gateway.api.callers import caller_of_request
from genpool_gateway.api.problems import Problem
from genpool_gateway.api.services import Services, services_of
from genpool_gateway.keys.access import Caller
from genpool_gateway.pools.links import Buckets, store_of

FOLDER = Path(__file__).resolve().parents[1] / "page"
_INDEX = "index.html"
#: It runs before the modules.
_NO_MODULE = "js/before.js"
_FOR_EVER = "public, max-age=31536000, immutable"
_TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}


@dataclass(frozen=True)
class PageFiles:
    """The files of the page by their path, and a version that is another one when any of them is."""

    bodies: Mapping[str, bytes]
    version: str

    def index(self) -> str:
        """The page itself, which names its files at their version, and all modules: so none waits for another one."""
        modules = "".join(
            f'<link rel="modulepreload" href="/page/{self.version}/{path}">\n'
            for path in self.bodies
            if path.endswith(".js") and path != _NO_MODULE
        )
        text = self.bodies[_INDEX].decode().replace("<!--modules-->\n", modules)
        return text.replace("{version}", self.version)


def read_files(folder: Path) -> PageFiles:
    """All files below a folder."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix in _TYPES)
    bodies = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    version = hashlib.sha256()
    for name, body in bodies.items():
        version.update(f"{name} {len(body)}\n".encode() + body)
    return PageFiles(bodies, version.hexdigest()[:16])


def policy(origins: Iterable[str]) -> str:
    """The Content-Security-Policy of the page. ``origins``: of links to results."""
    media = " ".join(["'self'", "data:", "blob:", *sorted(set(origins))])
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "connect-src 'self'",
            f"img-src {media}",
            f"media-src {media}",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def add_web_page(app: FastAPI) -> None:
    """Serve the page."""
    files = read_files(FOLDER)
    index = files.index()

    @app.get("/", include_in_schema=False)
    async def web_page(request: Request) -> HTMLResponse:
        services = services_of(request)
        caller = await _caller(request)
        origins = () if caller is None else await to_thread.run_sync(_origins, services, caller)
        # The page asks for itself again, once it knows who asks and sees that this answer was for somebody else.
        shown = index.replace("{caller}", escape("" if caller is None else caller.id))
        headers = {"Content-Security-Policy": policy(origins), "Cross-Origin-Opener-Policy": "same-origin"}
        return HTMLResponse(shown, headers=headers)

    @app.get("/page/{version}/{path:path}", include_in_schema=False)
    async def page_file(request: Request, version: str, path: str) -> Response:
        body = files.bodies.get(path)
        if body is None or path == _INDEX:
            raise HTTPException(404, f"there is no {request.url.path[:200]}")
        # A page that was opened before an update asks for files of the version that it came with.
        headers = {"Cache-Control": _FOR_EVER if version == files.version else "no-store"}
        return Response(body, media_type=_TYPES[Path(path).suffix], headers=headers)


async def _caller(request: Request) -> Caller | None:
    """Who asks; None where nobody says it, or nobody can say it now: the page itself is for everybody."""
    try:
        services_of(request).check_store()
        return await caller_of_request(request)
    except (Problem, GenPoolError):
        return None


def _origins(services: Services, caller: Caller) -> tuple[str, ...]:
    try:
        pools = services.pools.snapshot()
        known = [place for place in services.links.places.of_all() if caller.may_use(place.pool)]
    except GenPoolError:
        return ()
    gone = {place.store for place in known if pools.by_uid(place.pool.uid) is None}
    stores = gone | {
        store for store in map(store_of, pools.visible_to(caller.pools).pools) if store is not None
    }
    found = (_origin(services.links.buckets, store) for store in stores)
    return tuple(origin for origin in found if origin is not None)


def _origin(buckets: Buckets, config: StoreConfig) -> str | None:
    """Where links to a store lead, as one of them says; None where there are none now, or they lead here."""
    try:
        store = buckets.of(config)
        url = None if store is None else urlsplit(store.sign("x"))
    except GenPoolError:
        return None
    return None if url is None or not url.netloc else f"{url.scheme}://{url.netloc}"
