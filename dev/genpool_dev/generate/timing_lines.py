"""The three lines of time on which most waits meet, drawn and summed up from the constants."""

from __future__ import annotations

from itertools import accumulate, pairwise

from genpool_core import timing as t
from genpool_core.workerconfig import default_grace_seconds
from genpool_dev.generate.timing_drawing import (
    Row,
    bar,
    bullets,
    draw,
    for_people,
    in_seconds,
    paragraph,
    points,
)
from genpool_worker.drain import margin_seconds


def lost_worker() -> str:
    """A task whose worker is killed."""
    renewals = [0.0, t.RENEW_SECONDS, 2 * t.RENEW_SECONDS]
    over = renewals[-1] + t.LEASE_SECONDS
    # The worst case: the parked message looked just before the lease was over.
    looks = [renewals[-1] + t.PARK_SECONDS - 1.0]
    while looks[-1] < over:
        looks.append(looks[-1] + t.PARK_SECONDS)
    rows = [
        points("claimed, then renewed", renewals, f"every {in_seconds(t.RENEW_SECONDS)}"),
        points("the worker is killed", renewals[-1:]),
        bar(
            "the claim counts as alive", renewals[-1], over, f"{in_seconds(t.LEASE_SECONDS)} from its renewal"
        ),
        points("the parked message looks again", looks[:-1], f"every {in_seconds(t.PARK_SECONDS)}"),
        points("the next attempt begins", looks[-1:]),
    ]
    longest = in_seconds(t.LEASE_SECONDS + t.PARK_SECONDS)
    node = in_seconds(3 * t.AMQP_HEARTBEAT_SECONDS)
    *steps, last = (for_people(step) for step in t.RETRY_STEPS)
    return "\n\n".join(
        (
            "## A task whose worker is killed",
            draw(rows, looks[-1] + 1),
            paragraph(
                "RabbitMQ gives the message to another worker at once, because the connection of a killed process "
                "breaks. That worker finds a claim that counts as alive, and parks the message in the delay step of "
                f"{in_seconds(t.PARK_SECONDS)}."
            ),
            bullets(
                f"**A task whose worker was killed is begun again after at most {t.LEASE_SECONDS:g} + "
                f"{t.PARK_SECONDS} = {longest}**, counted from the claim's last renewal, as soon as a worker is free.",
                "After a drain the next attempt begins at once: the claim was given back. So it does where a worker "
                "that was restarted in the same pod gets the message: the claim under its own name is of a process "
                "that is gone.",
                "When a whole node is lost, no connection breaks. RabbitMQ misses its heartbeats after at most 3 × "  # noqa: RUF001 - for people
                f"{t.AMQP_HEARTBEAT_SECONDS} = {node}. The lease is over by then, and the next attempt begins at once.",
                f"After an attempt that failed the next one waits {', '.join(steps)} or {last}, by their number.",
            ),
        )
    )


def drained_pod() -> str:
    """A pod that must go."""
    grace = default_grace_seconds(t.RUN_SECONDS)
    margin = margin_seconds(grace)
    life = [
        points("SIGTERM", (0,)),
        bar("the task in hand may go on", 0, grace - margin),
        bar("the margin", grace - margin, grace),
        points("SIGKILL", (grace,)),
    ]
    steps = _closing_steps()
    needed = sum(seconds for _, seconds in steps)
    idle = in_seconds(t.IDLE_STOP_SECONDS + needed - t.RELEASE_SECONDS)
    least = margin_seconds(t.SHORTEST_GRACE_SECONDS)
    low, high = in_seconds(t.DRAIN_MARGIN_MIN_SECONDS), in_seconds(t.DRAIN_MARGIN_MAX_SECONDS)
    shares = [_share(seconds) for seconds in (t.SHORTEST_GRACE_SECONDS, 150, 300, grace)]
    return "\n\n".join(
        (
            "## A pod that is drained",
            paragraph(
                f"Where a pool sets no `terminationGracePeriodSeconds` and its workflows have the default time-out of "
                f"{for_people(t.RUN_SECONDS)}, its pods have {for_people(grace)}:"
            ),
            draw(life, grace),
            f"The margin is a tenth of the grace, at least {low} and at most {high}:",
            "\n".join(["| grace | for the task in hand | margin |", "|---|---|---|", *shares]),
            "The least margin, where each step takes all the time that it may:",
            draw(_staircase(steps, least), least),
            bullets(
                f"**A worker that gives its task back closes down within {needed:g} s**; the least margin is {low}.",
                f"A worker without a task closes down within {idle}, most often at once.",
                f"A task is given back within {in_seconds(t.RELEASE_SECONDS)} or not at all: where the worker's thread "
                "is in a call to ComfyUI that lasts longer, or in a write of results or of the end record, the claim "
                "is left to its lease, and the attempt counts. The process ends all the same, and RabbitMQ has the "
                "message back. An input's host that hangs is left behind, and a release has one short try.",
            ),
        )
    )


def from_zero_and_back() -> str:
    """From a publish to a pod, and back to none."""
    written = t.COUNT_SECONDS + t.TICK_SECONDS
    answers = 6 * written
    starts = answers + t.STARTUP_PERIOD_SECONDS
    out = [
        bar("the depth is asked", 0, t.COUNT_SECONDS),
        bar("a tick finds it, at the latest", t.COUNT_SECONDS, written),
        points("/scale is written", (written,), f"within {in_seconds(written)}"),
        bar("a node, images, ComfyUI", written, answers, "as long as it takes", fill="~"),
        bar("a probe finds ComfyUI", answers, starts),
        bar("the worker looks", starts, starts + t.CLOSED_SECONDS),
    ]
    needless = t.STATISTICS_SECONDS + t.IDLE_SECONDS
    scaled = needless + t.LIST_SECONDS + t.TICK_SECONDS
    back = [
        points("the last task has ended", (0,)),
        bar("statistics still show it", 0, t.STATISTICS_SECONDS),
        bar("no pod was needed", t.STATISTICS_SECONDS, needless, f"{t.IDLE_SECONDS} s, scaling.idleSeconds"),
        bar("a list tells it", needless, needless + t.LIST_SECONDS),
        bar("a tick", needless + t.LIST_SECONDS, scaled),
        points("/scale is written", (scaled,), f"within {in_seconds(scaled)}"),
    ]
    return "\n\n".join(
        (
            "## From zero to a pod, and back",
            draw(out, starts + t.CLOSED_SECONDS, to_scale=False),
            bullets(
                f"**A pod is asked for within {t.COUNT_SECONDS:g} + {t.TICK_SECONDS:g} = {in_seconds(written)} of the "
                "publish**, and most often within the first part: a new depth wakes the pool.",
                "How long node, images and ComfyUI take is not GenPool's. A pod without a node counts against the pool "
                f"after {for_people(t.UNSCHEDULABLE_SECONDS)}; a ComfyUI that does not answer within `startupSeconds` "
                f"({for_people(t.STARTUP_SECONDS)}) is restarted.",
                f"A ComfyUI that answers is found within {in_seconds(t.STARTUP_PERIOD_SECONDS)}; then the worker "
                f"starts, connects, and looks every {in_seconds(t.CLOSED_SECONDS)} whether it may begin.",
            ),
            draw(back, scaled),
            bullets(
                f"**The pods are given up within {t.STATISTICS_SECONDS} + {t.IDLE_SECONDS} + {t.LIST_SECONDS:g} + "
                f"{t.TICK_SECONDS:g} = {in_seconds(scaled)} of the last task's end**, where the pool keeps the default "
                "window and RabbitMQ answers at once. Any doubt about the depth begins the window anew.",
            ),
        )
    )


def _closing_steps() -> list[tuple[str, float]]:
    """Steps of a worker's end with the time that each may take, in their order."""
    connection = t.BROKER_STOP_SECONDS + t.BROKER_ABORT_SECONDS
    return [
        ("the task is given back", t.RELEASE_SECONDS),
        ("heartbeats end", t.HEARTBEAT_STOP_SECONDS),
        ("the consuming connection", connection),
        ("the publishing connection", connection),
        ("probes and metrics end", t.WEB_STOP_SECONDS),
    ]


def _staircase(steps: list[tuple[str, float]], total: float) -> list[Row]:
    times = [0.0, *accumulate(seconds for _, seconds in steps), total]
    labels = [*(label for label, _ in steps), "ComfyUI's container ends"]
    return [bar(label, begin, end) for label, (begin, end) in zip(labels, pairwise(times), strict=True)]


def _share(grace: int) -> str:
    margin = margin_seconds(grace)
    return f"| {in_seconds(grace)} | {in_seconds(grace - margin)} | {in_seconds(margin)} |"
