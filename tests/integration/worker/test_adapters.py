"""The worker's adapters against real servers: an object store, a stand-in for ComfyUI, a host of images."""

from __future__ import annotations

import socket
import threading
import time
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from fakes.worker_steps import png
from genpool_adapters.objectstore.port import Put, Stored
from genpool_adapters.objectstore.s3 import S3Store
from genpool_core import timing
from genpool_core.api.security import HostRule
from genpool_core.errors import AttemptFailed, RefusedInput, StorageError
from genpool_core.workerconfig import S3Config
from genpool_worker.adapters.comfyui_http import ComfyUIHttp
from genpool_worker.adapters.fetch import GuardedFetcher
from genpool_worker.errors import ComfyUIGone, ComfyUIRefused, ComfyUISilent
from genpool_worker.ports import OutputRef, Where
from integration.bucket import Bucket
from integration.worker.rig import Rig
from support.ports import free_port
from support.waiting import wait_until

# The object store --------------------------------------------------------------------------------------------------


@pytest.fixture
def prefix() -> str:
    return f"{uuid.uuid4().hex}/"


@pytest.fixture
def store(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> S3Store:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", bucket.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", bucket.secret_key)
    return S3Store(
        S3Config(endpoint=bucket.endpoint, public_endpoint="http://files.example:9000", bucket=bucket.name)
    )


def held(store: S3Store, key: str) -> Stored:
    found = store.get(key)
    assert found is not None
    return found


def test_an_objects_age_is_by_the_stores_clock_and_begins_anew_with_each_write(
    store: S3Store, prefix: str, bucket: Bucket
) -> None:
    key = f"{prefix}a.json"
    assert store.create(key, b"1") is Put.CREATED
    assert held(store, key).age_seconds <= timing.STORE_CLOCK_SECONDS + 1
    wait_until(lambda: held(store, key).age_seconds, lambda age: age >= 3, "its age", seconds=30)
    store.put_soon(key, b"2")
    found = held(store, key)
    assert (found.data, found.age_seconds <= timing.STORE_CLOCK_SECONDS + 1) == (b"2", True)
    answer = store._client.get_object(Bucket=bucket.name, Key=key)
    assert answer["ResponseMetadata"]["HTTPHeaders"]["date"], "else our own clock would stand in"
    store.delete([key])


def test_links_are_for_the_public_endpoint(store: S3Store) -> None:
    link = store.sign("a/b.png")
    assert link.startswith("http://files.example:9000/")
    assert "X-Amz-Signature=" in link


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"bucket": "no-such-bucket-here"}, "does not exist"),
        ({"endpoint": "http://127.0.0.1:1"}, "does not answer"),
    ],
)
def test_a_store_that_cannot_work(store: S3Store, bucket: Bucket, changes: dict[str, str], part: str) -> None:
    assert store
    config = S3Config(endpoint=bucket.endpoint, bucket=bucket.name).model_copy(update=changes)
    with pytest.raises(StorageError, match=part):
        S3Store(config).keys("x")


def test_a_wrong_key(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret-text")
    with pytest.raises(StorageError, match="refused") as caught:
        S3Store(S3Config(endpoint=bucket.endpoint, bucket=bucket.name)).put("a", b"1")
    assert "very-secret-text" not in caught.value.message


# ComfyUI -----------------------------------------------------------------------------------------------------------


def test_comfyui(rig: Rig, tmp_path: Path) -> None:
    rig.comfyui("--standin-step-seconds", "0.05")
    comfyui = ComfyUIHttp(f"http://127.0.0.1:{rig.comfyui_port}")
    first = comfyui.upload("genpool/x", "a.png", png(16, 8), "image/png")
    other = comfyui.upload("genpool/x", "a.png", png(8, 8), "image/png")
    assert first == "genpool/x/a.png"
    assert other not in {first, "a.png"}
    loader = comfyui.node_class("CheckpointLoaderSimple")
    assert loader is not None
    assert loader.is_own
    assert "sd_xl_base_1.0.safetensors" in (loader.choices("ckpt_name") or ())
    assert comfyui.node_class("KSampler //Inspire") is None

    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": first}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "genpool/x/2"}},
    }
    prompt, client = str(uuid.uuid4()), str(uuid.uuid4())
    with comfyui.listen(client) as listener:
        assert comfyui.submit(prompt, client, graph, "mark") == {}  # type: ignore[arg-type]
        seen = []
        deadline = time.monotonic() + 20
        while not seen or seen[-1] != ("executing", None):
            assert time.monotonic() < deadline
            frame = listener.receive(1)
            if frame and frame.data.prompt_id == prompt:
                seen.append((frame.type, frame.data.node if frame.type == "executing" else ...))
    entry = comfyui.history(prompt)
    assert entry is not None
    assert comfyui.where(prompt) is Where.ABSENT
    ref = OutputRef("2", "images", "2_00001_.png", "genpool/x", "output")
    assert comfyui.download(ref, tmp_path / "out") == (tmp_path / "out").stat().st_size > 0
    with pytest.raises(ComfyUIRefused) as caught:
        comfyui.download(OutputRef("2", "images", "none.png", "", "output"), tmp_path / "none")
    assert caught.value.status == 404
    comfyui.forget(prompt)
    assert comfyui.history(prompt) is None
    comfyui.free()


def test_our_prompts_are_told_from_others(rig: Rig) -> None:
    rig.comfyui()
    comfyui = ComfyUIHttp(f"http://127.0.0.1:{rig.comfyui_port}")
    name = comfyui.upload("", "a.png", png(16, 8), "image/png")

    def graph(prefix: str) -> dict[str, object]:
        return {
            "1": {"class_type": "LoadImage", "inputs": {"image": name}},
            "3": {
                "class_type": "DDColor_Colorize",
                "inputs": {
                    "image": ["1", 0],
                    "model_input_size": 512,
                    "checkpoint": "ddcolor_modelscope.pth",
                },
            },
            "2": {"class_type": "SaveImage", "inputs": {"images": ["3", 0], "filename_prefix": prefix}},
        }

    with requests.Session() as session:
        session.trust_env = False
        url = f"http://127.0.0.1:{rig.comfyui_port}"
        session.post(f"{url}/standin/command", json={"command": "wedge"}, timeout=5)
        theirs = str(uuid.uuid4())
        session.post(f"{url}/prompt", json={"prompt": graph("a"), "prompt_id": theirs}, timeout=5)
    ours = str(uuid.uuid4())
    comfyui.submit(ours, "c", graph("b"), "mark")  # type: ignore[arg-type]
    assert comfyui.where(ours) is Where.PENDING
    assert comfyui.where(theirs) in {Where.RUNNING, Where.PENDING}
    assert comfyui.ours() == [ours]
    assert comfyui.waiting() == 2
    comfyui.stop(ours)
    assert comfyui.ours() == []


def test_a_refused_prompt_says_why(rig: Rig) -> None:
    rig.comfyui()
    comfyui = ComfyUIHttp(f"http://127.0.0.1:{rig.comfyui_port}")
    with pytest.raises(ComfyUIRefused) as caught:
        comfyui.submit(str(uuid.uuid4()), "c", {"1": {"class_type": "Nope", "inputs": {}}}, "mark")
    assert caught.value.status == 400
    assert isinstance(caught.value.body, dict)


def test_nothing_listens() -> None:
    comfyui = ComfyUIHttp(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(ComfyUIGone):
        comfyui.waiting()
    with pytest.raises(ComfyUIGone), comfyui.listen("c"):
        pass


def test_something_hangs() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        comfyui = ComfyUIHttp(f"http://127.0.0.1:{server.getsockname()[1]}")
        with pytest.raises(ComfyUISilent):
            comfyui.waiting()
        with pytest.raises(ComfyUISilent), comfyui.listen("c"):
            pass


# Images ------------------------------------------------------------------------------------------------------------


class _Images(BaseHTTPRequestHandler):
    """Paths say what is wrong with the answer."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path.startswith("/status/"):
            self._answer(int(path.rsplit("/", 1)[-1]), b"")
        elif path == "/small":
            self._answer(200, b"x" * 100)
        elif path == "/large":
            self._answer(200, b"x" * 5000)
        elif path == "/lies":
            self._endless()
        elif path == "/drip":
            self._drip()
        elif path == "/cut":
            self._answer(200, b"x" * 10, length=100)
        else:
            self._answer(302, b"", location={"/hop": "/small", "/bad-hop": "http://10.1.2.3/x"}[path])

    def _answer(
        self, status: int, body: bytes, *, length: int | None = None, location: str | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)

    def _endless(self) -> None:
        """No length is said, and the bytes do not end."""
        self.send_response(200)
        self.end_headers()
        try:
            while True:
                self.wfile.write(b"x" * 65536)
        except OSError:
            return

    def _drip(self) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            for _ in range(100):
                self.wfile.write(b"x")
                self.wfile.flush()
                time.sleep(0.1)
        except OSError:
            return

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its signature
        """Quiet."""


@pytest.fixture
def images() -> Iterator[tuple[str, GuardedFetcher]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Images)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_address[1]
    rule = HostRule(host="localhost", ports=[port], cidrs=["127.0.0.0/8"])
    yield f"http://localhost:{port}", GuardedFetcher([rule], total_seconds=2)
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("path", ["/small", "/hop"])
def test_an_image(images: tuple[str, GuardedFetcher], path: str) -> None:
    url, fetcher = images
    assert fetcher.fetch(f"{url}{path}?token=s3cr3t", 1000) == b"x" * 100


@pytest.mark.parametrize(
    ("path", "kind", "reason", "retryable"),
    [
        ("/large", RefusedInput, "RefusedInput", False),
        ("/lies", RefusedInput, "RefusedInput", False),
        ("/bad-hop", RefusedInput, "RefusedInput", False),
        ("/drip", AttemptFailed, "InputUnavailable", True),
        ("/cut", AttemptFailed, "InputUnavailable", True),
        ("/status/500", AttemptFailed, "InputUnavailable", True),
        ("/status/429", AttemptFailed, "InputUnavailable", True),
        ("/status/403", AttemptFailed, "InputUnavailable", False),
        ("/status/404", AttemptFailed, "InputUnavailable", False),
    ],
)
def test_no_image(
    images: tuple[str, GuardedFetcher], path: str, kind: type[Exception], reason: str, *, retryable: bool
) -> None:
    url, fetcher = images
    started = time.monotonic()
    with pytest.raises(kind) as caught:
        fetcher.fetch(f"{url}{path}?token=s3cr3t", 1000)
    assert isinstance(caught.value, RefusedInput | AttemptFailed)
    assert (caught.value.reason, caught.value.retryable) == (reason, retryable)
    assert "s3cr3t" not in caught.value.message
    assert time.monotonic() - started < 10
