"""Pools, and why they do what they do."""

from __future__ import annotations

from typing import Any

from genpool_cli.show.output import age, facts, out, table

Json = dict[str, Any]
COLUMNS = ("name", "ready", "pods", "busy", "waiting", "running", "dead", "why")


def row(pool: Json) -> tuple[object, ...]:
    """A pool in the table."""
    replicas, queue = pool["replicas"], pool["queue"]
    wanted = pool["scaling"]["desired"]
    pods = replicas["existing"]
    shown = pods if wanted in (None, pods) else f"{pods if pods is not None else '-'} of {wanted}"
    return (
        pool["name"],
        pool["ready"],
        shown,
        replicas["busy"],
        queue["waiting"],
        queue["running"],
        queue["dead_lettered"],
        why(pool),
    )


def why(pool: Json) -> str | None:
    """The one sentence: what is wrong, else what the scaler says."""
    if pool["trouble"]:
        return str(pool["trouble"])
    ready = next((each for each in pool["conditions"] if each["type"] == "Ready"), None)
    if ready is not None and ready["status"] != "True":
        return f"{ready['reason']}: {ready['message']}"
    said: str | None = pool["scaling"]["message"]
    return said


def show_pools(pools: list[Json]) -> None:
    """Print the table."""
    empty = "There is no pool that this key may use: apply a GenerationPool, or see the pools of the key."
    table(COLUMNS, map(row, pools), empty=empty)


def explain_pool(pool: Json) -> None:
    """Print why it has so many pods, and what is wrong with it."""
    replicas, queue, scaling = pool["replicas"], pool["queue"], pool["scaling"]
    facts(
        [
            ("Pool", pool["name"]),
            ("Trouble", pool["trouble"]),
            ("Pods", _pods(replicas, scaling)),
            ("Why so many", scaling["message"]),
            ("Mode", scaling["mode"]),
            ("Last change", scaling["last_scale_time"] and f"{age(scaling['last_scale_time'])} ago"),
            ("Waiting", queue["waiting"]),
            ("Running", queue["running"]),
            ("Dead letters", queue["dead_lettered"]),
            ("Figures of", queue["observed_at"] and f"{age(queue['observed_at'])} ago"),
            ("Workflows", ", ".join(pool["workflows"])),
        ]
    )
    wrong = [each for each in pool["conditions"] if each["status"] != "True"]
    if wrong:
        out("\nWhat is not as it should be:")
        table(
            ("condition", "status", "reason", "since", "message"),
            (
                (
                    each["type"],
                    each["status"],
                    each["reason"],
                    age(each["last_transition_time"]),
                    each["message"],
                )
                for each in wrong
            ),
            empty="",
        )


def pod_row(pod: Json) -> tuple[object, ...]:
    """A pod in the table of a pool."""
    return (pod["name"], pod["state"], age(pod["since"]), pod_does(pod))


def pod_does(pod: Json) -> str | None:
    """What it does, or waits for."""
    if pod["state"] == "silent":
        return "not heard since then: what it does is not known"
    if not pod["works"]:
        said: str | None = pod["message"]
        return said
    task = pod["task"]
    if task is None:
        return "a task that this key may not see"
    value = (task["progress"] or {}).get("value")
    part = "" if value is None else f", {value:.0%}"
    return f"{task['workflow'] or 'a graph of its own'}{part}, task {task['id']}"


def show_pods(pods: list[Json]) -> None:
    """Print what each pod does."""
    out("\nPods, as they were heard by this gateway:")
    empty = "It has heard none in the last ten minutes."
    table(("pod", "state", "for", "what it does"), map(pod_row, pods), empty=empty)


def _pods(replicas: Json, scaling: Json) -> str:
    def number(value: int | None) -> str:
        return "?" if value is None else str(value)

    return (
        f"{number(replicas['existing'])} (ready {number(replicas['ready'])}, busy {number(replicas['busy'])}), wanted "
        f"{number(scaling['desired'])}, between {number(replicas['least'])} and {number(replicas['most'])}"
    )
