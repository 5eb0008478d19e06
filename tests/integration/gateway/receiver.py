"""A receiver of callbacks as a process of its own. ``python receiver.py LOG`` prints its port.

The path says how it answers: ``/503,503,200`` gives the n-th request of one webhook-id the n-th status (the last one
again and again), ``hang`` in it holds the answer for a minute. Every request is a line of JSON in LOG.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

HANG_SECONDS = 60


class _Handler(BaseHTTPRequestHandler):
    log: Path
    seen: ClassVar[Counter[str]] = Counter()
    lock = threading.Lock()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode("utf-8")
        name = self.headers["webhook-id"]
        answers = self.path.partition("?")[0].rpartition("/")[2].split(",")
        with self.lock:
            number = self.seen[name]
            self.seen[name] += 1
            line = {
                "path": self.path,
                "id": name,
                "body": body,
                "headers": dict(self.headers),
                "at": time.time(),
            }
            with self.log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        answer = answers[min(number, len(answers) - 1)]
        if answer == "hang":
            time.sleep(HANG_SECONDS)
            return
        self.send_response(int(answer))
        self.send_header("Location", "http://127.0.0.1:1/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its signature
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


if __name__ == "__main__":
    _Handler.log = Path(sys.argv[1])
    server = _Server(("127.0.0.1", 0), _Handler)
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()
