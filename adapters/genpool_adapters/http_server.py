"""The HTTP server of every program, for probes and metrics, beside its real work."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import structlog

from genpool_adapters.settings import variable
from genpool_core import timing
from genpool_core.errors import SettingsError

_log = structlog.get_logger(__name__)
#: None when all is well, else a sentence about what is not.
Check = Callable[[], str | None]
TEXT = "text/plain; charset=utf-8"
METRICS = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True)
class Answer:
    """What a route gives."""

    status: int
    body: bytes
    content_type: str = TEXT


Route = Callable[[], Answer]


def probe(check: Check, remark: Check = lambda: None) -> Route:
    """A route for a probe: 200 ``ok``, or 503 with the sentence. ``remark``: said beside ``ok``, for people."""

    def route() -> Answer:
        trouble = check()
        if trouble is not None:
            return Answer(503, f"{trouble}\n".encode())
        said = remark()
        return Answer(200, b"ok\n" if said is None else f"ok\n{said}\n".encode())

    return route


def metrics(render: Callable[[], bytes]) -> Route:
    """A route for Prometheus' text format."""
    return lambda: Answer(200, render(), METRICS)


def program_routes(
    *, unhealthy: Check, unready: Check, render: Callable[[], bytes], remark: Check = lambda: None
) -> dict[str, Route]:
    """What every program serves: ``/healthz``, ``/readyz`` and ``/metrics``.

    ``unhealthy`` tells why the process should be restarted, ``unready`` why it does not do its work now, ``remark``
    what a person should know of one that does.
    """
    return {"/healthz": probe(unhealthy), "/readyz": probe(unready, remark), "/metrics": metrics(render)}


class HttpServer:
    """Serves GET and HEAD of fixed paths in threads of its own, on all addresses of ``port`` (0: any free one).

    ``port`` is then the real one. Its constructor takes the port; it raises SettingsError where that is not possible.
    """

    def __init__(self, port: int, routes: Mapping[str, Route], *, host: str = "") -> None:
        try:
            self._server = _Server((host, port), _handler(dict(routes)))
        except OSError as error:
            raise SettingsError(
                f"port {port} for probes and metrics cannot be used ({error.strerror}): set "
                f"{variable('http_port')} to a free one."
            ) from error
        self._thread = threading.Thread(target=self._server.serve_forever, name="http-server", daemon=True)

    @property
    def port(self) -> int:
        """Port that it listens on."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Serve until :meth:`stop`; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and free the port."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join(timing.WEB_STOP_SECONDS)
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - its signature
        """A prober that did not wait for its answer is no fault; anything else is, and is logged with its traceback."""
        if not isinstance(sys.exception(), (ConnectionError, TimeoutError)):
            _log.exception("http_request_failed", client=str(client_address))


def _handler(routes: dict[str, Route]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = timing.WEB_READ_SECONDS
        server_version = "GenPool"
        sys_version = ""

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def _answer(self, *, with_body: bool) -> None:
            route = routes.get(self.path.partition("?")[0])
            answer = Answer(404, b"not found\n") if route is None else route()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if with_body:
                self.wfile.write(answer.body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its signature
            """Probes come every few seconds: they are not logged."""

    return Handler
