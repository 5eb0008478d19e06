"""Pods that Kubernetes ended or did not admit, and what it says of them: evicted, preempted, out of a resource.

Their Deployment makes another pod, so one of them is no outage; where more failed than the pool wants, those that took
their place failed too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from genpool_operator.decide.pods import PodView

#: Reason of a pod that failed without a reason that a condition can have.
POD_FAILED = "PodFailed"
#: Ends the sentence about a failure that was no repetition.
ANOTHER_STARTS = " Another pod takes its place."
_ADVICE = {
    "Evicted": (
        "Where it used too much, raise comfyui.scratchSize, or request the memory and ephemeral-storage that it needs "
        "in comfyui.resources."
    )
}


@dataclass(frozen=True)
class PodFailure:
    """Why the newest of the failed pods failed. ``repeated``: so many failed that replacements failed as well."""

    reason: str
    message: str
    repeated: bool


def newest_failure(
    pods: Sequence[PodView], wanted: int, now: datetime, window_seconds: float
) -> PodFailure | None:
    """The newest failure of the last ``window_seconds`` after which no pod became ready."""
    ready = [
        pod.ready_since for pod in pods if pod.ready and not pod.terminating and pod.ready_since is not None
    ]
    since = max([now - timedelta(seconds=window_seconds), *ready])
    failed = [(pod.failure, pod) for pod in pods if pod.failure is not None and pod.failure.at > since]
    if not failed:
        return None
    failure, pod = max(failed, key=lambda item: item[0].at)
    repeated = len(failed) > wanted
    said = failure.message.strip().rstrip(".") or "Kubernetes does not say why"
    look = f"kubectl -n {pod.namespace} describe pod {pod.name} says more."
    minutes = window_seconds / 60
    more = f" {len(failed)} pods failed within {minutes:.0f} minutes." if repeated else ANOTHER_STARTS
    message = f"Pod {pod.name} failed ({failure.reason}): {said}. {_ADVICE.get(failure.reason, look)}{more}"
    # Kubernetes has reasons such as OutOfnvidia.com/gpu, which no condition may have.
    reason = failure.reason if failure.reason.isalnum() else POD_FAILED
    return PodFailure(reason, message, repeated)
