"""Prompts, queue, history, interruption."""

from __future__ import annotations

import logging
import time
import uuid
from typing import TYPE_CHECKING

from aiohttp import web

from genpool_dev.comfyui.standin import Standin, standin_of
from genpool_dev.comfyui.validate import validate_prompt
from genpool_dev.comfyui.web_common import Route, read_json, read_object
from genpool_dev.comfyui.wire import Json, ServerTrouble, error_body

if TYPE_CHECKING:
    from genpool_dev.comfyui.profiles import Profile

log = logging.getLogger(__name__)


def _refused(error: Json | None, node_errors: Json | None = None) -> web.Response:
    return web.json_response({"error": error, "node_errors": node_errors or {}}, status=400)


def _number(standin: Standin, body: Json) -> float:
    """Return the place in the queue: the client's number, else counted; in front is negative."""
    if "number" in body:
        try:
            return float(body["number"])
        except (TypeError, ValueError) as error:
            raise ServerTrouble("number is no number") from error
    number = -standin.number if body.get("front") else standin.number
    standin.number += 1
    return number


def accepts_prompt_id(prompt_id: object, profile: Profile) -> bool:
    """Whether a client may choose this id."""
    if not profile.uuid_prompt_ids:
        return True
    try:
        return isinstance(prompt_id, str) and str(uuid.UUID(prompt_id)) == prompt_id
    except ValueError:
        return False


def _extra_data(body: Json, profile: Profile) -> Json | None:
    extra_data = body.get("extra_data", {})
    if extra_data is None and profile.queues_null_extra_data and "client_id" not in body:
        return None
    if not isinstance(extra_data, dict):
        raise ServerTrouble("extra_data is no object")
    if "client_id" in body:
        extra_data["client_id"] = body["client_id"]
    if profile.stamps_create_time:
        extra_data["create_time"] = int(time.time() * 1000)
    return extra_data


async def post_prompt(request: web.Request) -> web.Response:
    """Check a prompt and queue it. There is no idempotency: the same id runs again."""
    standin = standin_of(request)
    log.info("got prompt")
    body = await read_json(request)
    if isinstance(body, list | str):
        body = {}  # ComfyUI looks for keys in it and finds none
    if not isinstance(body, dict):
        raise ServerTrouble("the body is no JSON object")
    number = _number(standin, body)
    if "prompt" not in body:
        return _refused(error_body("no_prompt", "No prompt provided", "No prompt provided"))
    prompt_id = body.get("prompt_id")
    if prompt_id is None:
        prompt_id = str(uuid.uuid4())
    elif not accepts_prompt_id(prompt_id, standin.settings.profile):
        details = (
            "prompt_id must be a UUID string in canonical lowercase hyphenated form; "
            "omit it to let the server generate one"
        )
        return _refused(error_body("invalid_prompt_id", "prompt_id must be a valid UUID", details))
    verdict = validate_prompt(body["prompt"], standin.world, body.get("partial_execution_targets"))
    extra_data = _extra_data(body, standin.settings.profile)
    if verdict.error is not None:
        log.warning("invalid prompt: %s", verdict.error)
        return _refused(verdict.error, verdict.node_errors)
    standin.queue.put(number, str(prompt_id), body["prompt"], extra_data, verdict.outputs)
    return web.json_response({"prompt_id": prompt_id, "number": number, "node_errors": verdict.node_errors})


async def get_prompt(request: web.Request) -> web.Response:
    """Say how many jobs wait or run."""
    return web.json_response(standin_of(request).queue_info())


async def get_queue(request: web.Request) -> web.Response:
    """Show what runs and what waits, the latter in heap order."""
    queue = standin_of(request).queue
    running = [queue.running.row()] if queue.running else []
    pending = [job.row() for job in queue.pending]
    return web.json_response({"queue_running": running, "queue_pending": pending})


async def post_queue(request: web.Request) -> web.Response:
    """Drop pending jobs."""
    queue = standin_of(request).queue
    body = await read_object(request)
    if body.get("clear"):
        queue.clear()
    queue.delete(body.get("delete", ()))
    return web.Response()


def _limit(request: web.Request, name: str) -> int | None:
    value = request.query.get(name)
    try:
        return None if value is None else int(value)
    except ValueError as error:
        raise ServerTrouble(f"{name} is no number") from error


async def get_history(request: web.Request) -> web.Response:
    """Show what ended, oldest first; `max_items` alone shows the newest."""
    entries = list(standin_of(request).queue.history.items())
    most, offset = _limit(request, "max_items"), _limit(request, "offset")
    if offset is None or offset < 0:
        offset = 0 if most is None else max(0, len(entries) - most)
    end = None if most is None else offset + most
    return web.json_response(dict(entries[offset:end]))


async def get_history_entry(request: web.Request) -> web.Response:
    """Show one ended job; `{}` for unknown, pending and running ones alike."""
    prompt_id = request.match_info["prompt_id"]
    history = standin_of(request).queue.history
    found = {prompt_id: history[prompt_id]} if prompt_id in history else {}
    return web.json_response(found)


async def post_history(request: web.Request) -> web.Response:
    """Forget ended jobs."""
    history = standin_of(request).queue.history
    body = await read_object(request)
    if body.get("clear"):
        history.clear()
    for prompt_id in body.get("delete", ()):
        history.pop(prompt_id, None)
    return web.Response()


async def post_interrupt(request: web.Request) -> web.Response:
    """Ask the running job to stop: the named one only if it runs, else whatever runs."""
    standin = standin_of(request)
    try:
        body = await read_json(request)
    except ServerTrouble:
        body = {}
    if not isinstance(body, dict):
        raise ServerTrouble("the body is no JSON object")
    wanted = body.get("prompt_id")
    running = standin.queue.running
    if not wanted or (running is not None and running.prompt_id == wanted):
        standin.machine.interrupt.set()
    return web.Response()


async def post_free(request: web.Request) -> web.Response:
    """Unload models or forget results, after the current job."""
    standin = standin_of(request)
    body = await read_object(request)
    standin.unload_models |= bool(body.get("unload_models"))
    standin.free_memory |= bool(body.get("free_memory"))
    standin.queue.wake()
    return web.Response()


ROUTES: tuple[Route, ...] = (
    ("GET", "/prompt", get_prompt),
    ("POST", "/prompt", post_prompt),
    ("GET", "/queue", get_queue),
    ("POST", "/queue", post_queue),
    ("GET", "/history", get_history),
    ("GET", "/history/{prompt_id}", get_history_entry),
    ("POST", "/history", post_history),
    ("POST", "/interrupt", post_interrupt),
    ("POST", "/free", post_free),
)
