"""An API server of our own: lists and watches as Kubernetes has them, which a test can refuse, cut and let expire."""

from __future__ import annotations

import json
import queue
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

Json = dict[str, Any]


@dataclass
class Collection:
    """All objects of one kind."""

    items: dict[str, Json] = field(default_factory=dict)
    watches: list[queue.Queue[bytes | None]] = field(default_factory=list)
    told: list[tuple[int, bytes]] = field(default_factory=list)
    """Events by version: a watch begins with those after its own."""
    refusal: tuple[int, bytes] | None = None
    lists: int = 0
    selectors: set[str] = field(default_factory=set)
    silent: bool = False
    """Whether watches tell nothing: what happens is found by the next list."""


class KubeServer:
    """Collections by path, such as ``/api/v1/configmaps``."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.collections: dict[str, Collection] = {}
        self.version = 100
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for path in list(self.collections):
            self.end_watches(path)
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def at(self, path: str) -> Collection:
        """The collection of a path, which is there from then on."""
        with self.lock:
            return self.collections.setdefault(path, Collection())

    def put(self, path: str, body: Json) -> None:
        """Make or replace an object."""
        self._tell(path, body, "MODIFIED")

    def delete(self, path: str, body: Json) -> None:
        """Take an object out."""
        self._tell(path, body, "DELETED")

    def _tell(self, path: str, body: Json, kind: str) -> None:
        found = self.at(path)
        with self.lock:
            self.version += 1
            meta = {**body["metadata"], "resourceVersion": str(self.version)}
            body = {**body, "metadata": meta}
            key = f"{meta['namespace']}/{meta['name']}"
            if kind == "DELETED":
                found.items.pop(key, None)
            else:
                found.items[key] = body
            if not found.silent:
                line = json.dumps({"type": kind, "object": body}).encode() + b"\n"
                found.told.append((self.version, line))
                self._send(found, line)

    def expire(self, path: str) -> None:
        """Tell all watches that their version is too old."""
        with self.lock:
            status = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}
            line = json.dumps({"type": "ERROR", "object": status}).encode() + b"\n"
            self._send(self.collections[path], line)

    def raw(self, path: str, line: bytes) -> None:
        """Send what is no event to all watches."""
        with self.lock:
            self._send(self.collections[path], line)

    def end_watches(self, path: str) -> None:
        """Close the connections of all watches, in the middle."""
        with self.lock:
            watches, self.collections[path].watches = self.collections[path].watches, []
            for watch in watches:
                watch.put(None)

    def _send(self, found: Collection, line: bytes) -> None:
        for watch in found.watches:
            watch.put(line)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, site: KubeServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.site = site


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def site(self) -> KubeServer:
        server: _Server = self.server  # type: ignore[assignment]
        return server.site

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        with self.site.lock:
            found = self.site.collections.get(parts.path)
        if found is None:
            self._answer(404, b"404 page not found\n")
            return
        with self.site.lock:
            found.selectors.update(query.get("labelSelector", []))
            refusal = found.refusal
        if refusal is not None:
            self._answer(*refusal)
        elif "watch" in query:
            self._watch(found, int(query["resourceVersion"][0]))
        else:
            self._list(found)

    def _list(self, found: Collection) -> None:
        with self.site.lock:
            found.lists += 1
            body = {
                "kind": "List",
                "metadata": {"resourceVersion": str(self.site.version)},
                "items": list(found.items.values()),
            }
        self._answer(200, json.dumps(body).encode())

    def _watch(self, found: Collection, version: int) -> None:
        events: queue.Queue[bytes | None] = queue.Queue()
        with self.site.lock:
            for at, line in found.told:
                if at > version:
                    events.put(line)
            found.watches.append(events)
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.close_connection = True
        while (line := events.get()) is not None:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its signature
        pass
