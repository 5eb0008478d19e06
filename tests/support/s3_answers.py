"""A store of a bucket on a server whose answers a test writes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from genpool_adapters.objectstore.s3 import S3Store
from genpool_core.workerconfig import S3Config
from support.secret_volume import write_secret


@contextmanager
def answered_by(handler: type[BaseHTTPRequestHandler], folder: Path) -> Iterator[S3Store]:
    """The store for as long as the block runs; its keys are in the folder."""
    write_secret(folder, AWS_ACCESS_KEY_ID="KEY", AWS_SECRET_ACCESS_KEY="secret")
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield S3Store(S3Config(bucket="b", endpoint=f"http://127.0.0.1:{server.server_port}"), folder)
        server.shutdown()
        thread.join()
