"""ComfyUI's liveness: it answers, and it is not wedged.

Kubernetes counts the failures of a probe, whatever they mean. A wedged ComfyUI is to be restarted at the first one, a
silent one only after several: so the script counts the silences itself, and Kubernetes takes it at its word.
"""

from __future__ import annotations

from genpool_core import timing
from genpool_core.api.pods import ProbeSpec
from genpool_core.jsontypes import JsonObject
from genpool_core.podlayout import RESTART_FOLDER, RESTART_PATH

RESTART_VOLUME = "restart"
#: For one file with the id of a prompt. In memory: it can be written while the node's disk is full.
_RESTART_SIZE = "1Mi"

_SCRIPT = """\
import json, sys, time, urllib.request as r

def get(path):
    return r.build_opener(r.ProxyHandler({})).open(URL + path, timeout=TIMEOUT).read()

def wedged():
    try:
        with open(MARK) as file:
            marked = file.read().strip()
    except OSError:
        return False
    queue = json.loads(get('/queue')) if marked else {}
    return any(entry[1] == marked for entries in queue.values() for entry in entries)

for left in reversed(range(TRIES)):
    began = time.monotonic()
    try:
        if wedged():
            sys.exit('ComfyUI is wedged: it answers, and no prompt gets on')
        get('/system_stats')
        sys.exit(0)
    except Exception as error:
        said = error
    if left:
        time.sleep(max(0, PERIOD - (time.monotonic() - began)))
sys.exit(f'ComfyUI does not answer: {said}')
"""


def liveness_probe(probe: ProbeSpec, url: str) -> JsonObject:
    """The probe. What it prompts Kubernetes to do, it says in one sentence: its output becomes an event."""
    longest = probe.failure_threshold * max(probe.period_seconds, probe.timeout_seconds)
    return {
        "exec": {"command": [probe.python, "-c", liveness_script(probe, url, RESTART_PATH)]},
        "periodSeconds": timing.LIVENESS_PERIOD_SECONDS,
        "timeoutSeconds": longest + timing.LIVENESS_MARGIN_SECONDS,
        "failureThreshold": 1,
        "terminationGracePeriodSeconds": timing.PROBE_GRACE_SECONDS,
    }


def liveness_script(probe: ProbeSpec, url: str, mark: str) -> str:
    """Python for ComfyUI's container. ``mark``: the file in which the worker names a prompt that does not move.

    The mark counts as long as that prompt is in the queue, so never in a later life of ComfyUI, which begins with an
    empty one. A proxy of the environment is not used.
    """
    constants = (
        f"URL, MARK = {url!r}, {mark!r}\n"
        f"TRIES, PERIOD, TIMEOUT = {probe.failure_threshold}, {probe.period_seconds}, {probe.timeout_seconds}\n"
    )
    imports, rest = _SCRIPT.split("\n", 1)
    return f"{imports}\n{constants}{rest}"


def restart_volume() -> JsonObject:
    """The volume with the mark."""
    return {"name": RESTART_VOLUME, "emptyDir": {"medium": "Memory", "sizeLimit": _RESTART_SIZE}}


def restart_mount(*, read_only: bool) -> JsonObject:
    """Its mount: only the worker may write, so that nothing that runs in ComfyUI can ask for a restart or forbid it."""
    return {"name": RESTART_VOLUME, "mountPath": RESTART_FOLDER, "readOnly": read_only}
