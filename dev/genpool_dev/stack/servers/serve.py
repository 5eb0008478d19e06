"""What both servers share: bind, tell the parent where, serve until SIGTERM."""

from __future__ import annotations

import argparse
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from genpool_adapters.signals import end_signal


class Handler(BaseHTTPRequestHandler):
    """A request handler that answers bytes or JSON and writes one line a request to standard output."""

    protocol_version = "HTTP/1.1"
    timeout = 30

    def answer(self, status: int, body: bytes, content_type: str = "application/json") -> None:
        """Send a whole answer; for HEAD only its head."""
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def answer_json(self, status: int, value: object) -> None:
        """Send ``value`` as JSON."""
        self.answer(status, json.dumps(value).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that the library gives
        """One line on standard output, which is the server's log file."""
        print(f"{self.log_date_time_string()} {self.client_address[0]} {format % args}", flush=True)


def arguments(description: str) -> argparse.ArgumentParser:
    """The options that both servers have."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--bind", required=True, help="address to listen on: the one by which pods reach this machine"
    )
    parser.add_argument("--port", type=int, default=0, help="port; 0 lets the system choose")
    parser.add_argument(
        "--ready-file", type=Path, required=True, help="file that is written once requests are taken"
    )
    return parser


def serve(bind: str, port: int, ready_file: Path, handler: type[Handler]) -> None:
    """Serve until SIGTERM or SIGINT. ``ready_file`` gets ``{"url", "port", "pid"}`` when requests are taken."""
    try:
        server = ThreadingHTTPServer((bind, port), handler)
    except OSError as error:
        raise SystemExit(f"cannot listen on {bind}, port {port}: {error.strerror}") from None
    server.daemon_threads = True
    told = end_signal()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
    thread.start()
    chosen = server.server_address[1]
    _write_whole(ready_file, {"url": f"http://{bind}:{chosen}", "port": chosen, "pid": os.getpid()})
    told.wait()
    server.shutdown()
    thread.join()
    server.server_close()


def _write_whole(path: Path, value: object) -> None:
    """Write a file that readers see complete or not at all."""
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(value))
    partial.replace(path)
