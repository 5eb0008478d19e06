"""Rules of the section "A ComfyUI that is wedged"; ``genpool_core.timing_rules`` has the others."""

from __future__ import annotations

from genpool_core.timing_rule import Rule

WEDGED_RULES = (
    Rule(
        "2 * COMFYUI_POLL_SECONDS <= COMFYUI_HEED_SECONDS",
        "a prompt that does not begin is looked for at least twice",
    ),
    Rule(
        "COMFYUI_QUICK_SECONDS < COMFYUI_HEED_SECONDS",
        "a busy interpreter that takes an interrupt at the last moment may still heed it",
    ),
    Rule(
        "COMFYUI_HEED_SECONDS + COMFYUI_TICK_SECONDS + LIVENESS_PERIOD_SECONDS + LIVENESS_MARGIN_SECONDS"
        " + PROBE_GRACE_SECONDS + STARTUP_PERIOD_SECONDS <= 30",
        "a ComfyUI that starts at once is back in service 30 s after the run that wedged it was over",
    ),
    Rule(
        "LIVENESS_PERIOD_SECONDS < PROBE_PERIOD_SECONDS",
        "a wedged ComfyUI is found sooner than a silent one",
    ),
    Rule(
        "LIVENESS_MARGIN_SECONDS >= WORKER_LIVE_TIMEOUT_SECONDS",
        "starting a Python in a busy container may take as long as any answer of the worker",
    ),
    Rule(
        "2 * (LIVENESS_PERIOD_SECONDS + PROBE_TIMEOUT_SECONDS + LIVENESS_MARGIN_SECONDS + PROBE_GRACE_SECONDS)"
        " < WEDGED_REPLACE_SECONDS",
        "the kubelet has twice the time that it needs for the restart before the pod is replaced",
    ),
    Rule(
        "HEARTBEAT_EXPIRY_SECONDS < WEDGED_REPLACE_SECONDS",
        "a pod is replaced on the word of its worker, of which more than one heartbeat counts",
    ),
    Rule(
        "WEDGED_REPLACE_SECONDS <= STARTUP_SECONDS / 10",
        "waiting for a restart costs little beside the start of a new pod",
    ),
    Rule(
        "2 <= WEDGED_TIMES <= 5",
        "one task that wedges ComfyUI twice condemns no pod, and a bad card does soon",
    ),
    Rule(
        "WEDGED_TIMES * WEDGED_REPLACE_SECONDS < REPLACE_EVERY_SECONDS",
        "a new pod can prove itself before the next one is replaced",
    ),
    Rule(
        "REPLACE_EVERY_SECONDS <= STARTUP_SECONDS",
        "no wedged pod waits longer for its turn than a pod may take to start",
    ),
)
