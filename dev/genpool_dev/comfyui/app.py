"""Starting and ending the stand-in."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from aiohttp import web

from genpool_dev.comfyui import (
    routes_files,
    routes_info,
    routes_internal,
    routes_jobs,
    routes_prompt,
    routes_standin,
    routes_ws,
)
from genpool_dev.comfyui.folders import Folders, prepare_user
from genpool_dev.comfyui.settings import StandInSettings, load_settings
from genpool_dev.comfyui.standin import STANDIN, Standin
from genpool_dev.comfyui.web_common import MAX_BODY_BYTES, check_origin, trouble_as_500
from genpool_dev.comfyui.wire import standin_note

if TYPE_CHECKING:
    from genpool_dev.comfyui.web_common import Route

log = logging.getLogger(__name__)
_PREFIX = "/api"
_GOODBYE_SECONDS = 0.5


def build_app(standin: Standin) -> web.Application:
    """Return the web application: every route with and without /api, /api/jobs only with it, /internal only without."""
    app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[check_origin, trouble_as_500])
    app[STANDIN] = standin
    plain: tuple[Route, ...] = (
        *routes_prompt.ROUTES,
        *routes_files.ROUTES,
        *routes_info.ROUTES,
        *routes_ws.ROUTES,
        *routes_standin.ROUTES,
    )
    routes: list[Route] = [
        *plain,
        *routes_internal.ROUTES,
        *((method, _PREFIX + path, do) for method, path, do in plain),
    ]
    if standin.settings.profile.has_jobs:
        routes += routes_jobs.ROUTES
    for method, path, handler in routes:
        if method == "GET":
            app.router.add_get(path, handler)  # answers HEAD too
        else:
            app.router.add_route(method, path, handler)
    return app


async def serve(settings: StandInSettings) -> None:
    """Serve until cancelled.

    Raises
    ------
    OSError
        Where an address cannot be listened on.
    """
    standin = Standin(settings)
    logging.getLogger().addHandler(standin.log)
    runner = web.AppRunner(build_app(standin), access_log=None, shutdown_timeout=_GOODBYE_SECONDS)
    await runner.setup()
    try:
        for host in settings.listen:
            await web.TCPSite(runner, host, settings.port).start()
        for address in runner.addresses:
            log.info("Starting server: http://%s:%s", *address[:2])
        async with asyncio.TaskGroup() as loops:
            loops.create_task(standin.consume())
            loops.create_task(standin.hub.publish())
    finally:
        logging.getLogger().removeHandler(standin.log)
        await standin.hub.close()
        await runner.cleanup()
        standin.machine.close()
        shutil.rmtree(settings.temp_directory, ignore_errors=True)


def main(argv: Sequence[str]) -> int:
    """Run the stand-in and return the exit code.

    SIGTERM keeps its default action (so it does nothing as PID 1), SIGINT ends it cleanly.
    """
    settings = load_settings(argv, os.environ)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    log.info("%s It speaks as version %s.", standin_note(), settings.profile.version)
    if settings.ignore_sigterm:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    folders = (settings.input_directory, settings.output_directory, settings.temp_directory)
    try:
        Folders(*folders).prepare()
        prepare_user(settings.user_directory)
    except OSError as error:
        log.error("The stand-in cannot use its folders: %s. Make them writable.", error)  # noqa: TRY400  for a person
        return 1
    except KeyError as error:
        log.error("%s: set USER or LOGNAME for a user without a name.", error)  # noqa: TRY400  for a person
        return 1
    try:
        time.sleep(settings.start_seconds)
        asyncio.run(serve(settings))
    except KeyboardInterrupt:
        log.info("Stopped server")
    except OSError as error:
        where = ", ".join(f"{host}:{settings.port}" for host in settings.listen)
        log.error("The stand-in cannot listen on %s: %s. Choose another --port.", where, error)  # noqa: TRY400  for a person
        return 1
    return 0
