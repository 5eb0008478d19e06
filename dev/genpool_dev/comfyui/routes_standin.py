"""What no ComfyUI has: telling the stand-in to misbehave."""

from __future__ import annotations

import logging

from aiohttp import web

from genpool_dev.comfyui import faults
from genpool_dev.comfyui.standin import Standin, standin_of
from genpool_dev.comfyui.web_common import Route, read_object
from genpool_dev.comfyui.wire import Json, standin_note

log = logging.getLogger(__name__)

_COMMANDS = {
    "crash": "the process ends hard, now",
    "hang": "the whole server stops answering, now; hang=SECONDS for a while only",
    "wedge": "it answers, and no job gets on, from now until clear",
    "block=SECONDS": "the next task's heavy node stands so long, and no interrupt ends it",
    "exit": "the next task's heavy node ends the thread that runs prompts: it answers, and nothing runs any more",
    "exit-after": "the next task ends as usual, and then that thread ends",
    "fail-node": "the next task's heavy node fails",
    "oom": "the next task runs out of GPU memory",
    "slow=SECONDS": "the next task's heavy node takes that long in total",
    "fail-stats": "/system_stats answers 500, from now until clear",
    "clear": "ends wedge and fail-stats, and forgets what waits for the next task",
}


def _state(standin: Standin) -> Json:
    machine = standin.machine
    return {
        "standin": True,
        "note": standin_note(),
        "comfyui_version": standin.settings.profile.version,
        "wedged": not machine.moving.is_set(),
        "stats_fail": machine.stats_fail,
        "waiting_for_next_task": [fault.name for fault in machine.armed],
        "queue_remaining": standin.queue.remaining,
        "commands": _COMMANDS,
    }


async def get_standin(request: web.Request) -> web.Response:
    """Say that this is a stand-in, and what it can be told."""
    return web.json_response(_state(standin_of(request)))


async def post_command(request: web.Request) -> web.StreamResponse:
    """Carry out `{"command": …}`; crash and hang come after the answer was sent."""
    standin = standin_of(request)
    machine = standin.machine
    command = str((await read_object(request)).get("command"))
    log.warning("told to misbehave: %s", command)
    after: faults.Fault | None = None
    if command == "clear":
        machine.armed.clear()
        machine.moving.set()
        machine.stats_fail = False
    elif command == "fail-stats":
        machine.stats_fail = True
    else:
        try:
            fault = faults.parse_fault(command)
        except faults.UnknownFaultError as error:
            return web.json_response({"error": str(error), "commands": _COMMANDS}, status=400)
        if fault.name in {"crash", "hang"}:
            after = fault
        elif fault.name == "wedge":
            machine.moving.clear()
        else:
            machine.armed.append(fault)
    response = web.json_response(_state(standin))
    if after is not None:
        response.force_close()
        await response.prepare(request)
        await response.write_eof()
        faults.crash() if after.name == "crash" else faults.hang(after.seconds)
    return response


ROUTES: tuple[Route, ...] = (
    ("GET", "/standin", get_standin),
    ("POST", "/standin/command", post_command),
)
