"""One kind of objects in one namespace: listed, then watched, again and again, in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from genpool_adapters.kube.api import KubeApi
from genpool_core.errors import ClusterError
from genpool_core.jsontypes import JsonObject

_log = structlog.get_logger("genpool_adapters.kube.list_watch")


class Seen(Protocol):
    """Keeps what was seen. Called by the thread of one :class:`ListWatch`."""

    def replace(self, objects: Sequence[JsonObject]) -> None:
        """All objects there are; those that are not among them are gone."""

    def put(self, body: JsonObject) -> None:
        """An object was made or changed."""

    def drop(self, body: JsonObject) -> None:
        """An object was deleted."""

    def failed(self, error: ClusterError) -> None:
        """Kubernetes does not tell now what happens. What was seen may be old until the next ``replace``."""


@dataclass(frozen=True)
class ListWatchTimes:
    """Times of a :class:`ListWatch`, in seconds."""

    watch: int
    """Length of a watch; then everything is listed anew."""
    relist: float
    """Between the end of a watch and the next list."""
    retries: Sequence[float]
    """After one failure, after two, and so on; the last one again and again."""


class ListWatch:
    """Lists and watches until stopped.

    There is no state to go wrong: whatever ends a watch (its time, a proxy, a version that is too old), the next step
    is a list of everything.
    """

    def __init__(self, api: KubeApi, path: str, selector: str, seen: Seen, waits: ListWatchTimes) -> None:
        self._api = api
        self._path = path
        self._selector = selector
        self._seen = seen
        self._waits = waits
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"watch {path}", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def begin_stop(self) -> None:
        """Begin nothing more. Who has the API closes it, which ends the watch."""
        self._stopping.set()

    def join(self) -> None:
        """Wait for the end."""
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                self._list_and_watch()
                failures, wait = 0, self._waits.relist
            except ClusterError as error:
                if self._stopping.is_set():
                    return
                self._seen.failed(error)
                _log.warning("watch_failed", path=self._path, status=error.status, message=error.message)
                wait = self._wait_after(failures)
                failures += 1
            except Exception:  # noqa: BLE001 - logged with its traceback; what is seen next may be without fault
                _log.exception("watch_crashed", path=self._path)
                self._seen.failed(ClusterError(f"{self._path} could not be taken in: see the log.", status=0))
                wait = self._wait_after(failures)
                failures += 1
            self._stopping.wait(wait)

    def _wait_after(self, failures: int) -> float:
        return self._waits.retries[min(failures, len(self._waits.retries) - 1)]

    def _list_and_watch(self) -> None:
        objects: list[JsonObject] = []
        version = ""
        for page in self._api.pages(self._path, self._selector):
            objects += page.items
            version = page.metadata.resource_version
        if not version:
            # A proxy's answer, say: read as a list it would be one without objects.
            raise ClusterError(f"Kubernetes answers GET {self._path} with what is no list.", status=0)
        self._seen.replace(objects)
        for event in self._api.watch(self._path, self._selector, version, seconds=self._waits.watch):
            if self._stopping.is_set():
                return
            if event.type == "DELETED":
                self._seen.drop(event.object)
            elif event.type in {"ADDED", "MODIFIED"}:
                self._seen.put(event.object)
