"""An S3 server for tests that need no cluster: private, on the loopback address, gone when it is stopped."""

from __future__ import annotations

import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from genpool_dev.cluster.artifacts import golang
from genpool_dev.cluster.errors import ClusterError, tail
from genpool_dev.progress import Steps

_HOST = "127.0.0.1"
_START_SECONDS = 30
_KEY = "genpool"


@dataclass(frozen=True)
class S3Server:
    """A server that runs."""

    port: int
    secret_key: str
    host: str = _HOST
    access_key: str = _KEY

    @property
    def url(self) -> str:
        """Address, key and secret."""
        return f"http://{self.access_key}:{self.secret_key}@{self.host}:{self.port}"


@contextmanager
def running(steps: Steps) -> Iterator[S3Server]:
    """Run a server as long as the block lasts; raises ClusterError."""
    program = golang.build("versitygw", steps)
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="genpool-s3-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        (folder / "data").mkdir()
        with closing(socket.create_server((_HOST, 0))) as taken:
            server = S3Server(int(taken.getsockname()[1]), secrets.token_hex(16))
        environment = {"ROOT_ACCESS_KEY": server.access_key, "ROOT_SECRET_KEY": server.secret_key}
        with (folder / "log").open("wb") as log:
            words = [str(program), "--port", f"{_HOST}:{server.port}", "posix", str(folder / "data")]
            process = subprocess.Popen(words, env=environment, stdout=log, stderr=subprocess.STDOUT)
        stack.callback(process.wait)
        stack.callback(process.kill)
        _wait_started(server, process, folder / "log")
        yield server


def _wait_started(server: S3Server, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with closing(socket.create_connection((server.host, server.port), timeout=1)):
                return
        except OSError:
            time.sleep(0.05)
    raise ClusterError(f"The S3 server did not start:\n{tail(log)}")
