"""Whether an error of the Kubernetes API is a refusal of what was sent, or an outage."""

from __future__ import annotations

from genpool_core.kube.objects import StatusBody

#: Login, an object or namespace that is going, a conflict, and a server that is busy or away: these pass.
_PASSING = frozenset({401, 404, 408, 409, 410, 429, 502, 503, 504})
#: Reasons of a 500 that says itself that it passes. What a schema does not take has no reason at all.
_PASSING_REASONS = frozenset({"ServerTimeout", "Timeout", "TooManyRequests", "ServiceUnavailable"})
#: Its database is away, or an answer of its own took too long: a 500 without a reason as well.
_PASSING_WORDS = (
    "etcdserver:",
    "rpc error:",
    "context deadline exceeded",
    "context canceled",
    "error dialing",
)


def is_taken(body: StatusBody) -> bool:
    """Whether another field manager has fields of a server-side apply, and was not to be overruled."""
    return any(cause.reason == "FieldManagerConflict" for cause in body.details.causes)


def is_refusal(status: int, body: StatusBody) -> bool:
    """Whether Kubernetes refuses the request itself: sending it again brings the same answer.

    The number alone does not tell: a quantity that cannot be read (``16GB``), a list in the place of a number and a
    name given twice are answered with 500, as are faults of the server. An answer that is no ``Status`` of Kubernetes
    comes from a proxy.
    """
    if body.kind != "Status" or status in _PASSING:
        return False
    if body.reason in _PASSING_REASONS or body.details.retry_after_seconds > 0:
        return False
    return not any(words in body.message for words in _PASSING_WORDS)
