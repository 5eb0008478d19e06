"""The lines of a watch's answer, each an event."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from genpool_adapters.bounded import MOST_BYTES, json_of
from genpool_core.errors import ClusterError
from genpool_core.kube.objects import StatusBody, WatchEvent

_EXPIRED = 410


def events_of(chunks: Iterable[bytes], subject: str) -> Iterator[WatchEvent]:
    """The events in a body that comes in chunks; it ends where the server says that the version is too old.

    Raises
    ------
    ClusterError
        The server says that something is wrong, or sends what is no event.
    """
    for line in _lines(chunks, subject):
        event = WatchEvent.read_object(json_of(line))
        if event.type == "ERROR":
            status = StatusBody.read_object(event.object)
            if status.code == _EXPIRED:
                return
            raise ClusterError(f"Kubernetes ends {subject}: {status.message}", status=status.code)
        if not event.type:
            raise ClusterError(f"Kubernetes answers {subject} with what is no event.", status=0)
        yield event


def _lines(chunks: Iterable[bytes], subject: str) -> Iterator[bytes]:
    """Whole lines. One that broke off is no event: what it told is in the next list."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from filter(None, whole)
        if len(rest) > MOST_BYTES:
            raise ClusterError(
                f"Kubernetes answers {subject} with too much: an event has more than {MOST_BYTES >> 20} MiB.",
                status=0,
            )
