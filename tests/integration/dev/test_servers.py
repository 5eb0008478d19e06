"""The photo server and the receiver of callbacks, as processes on loopback."""

import base64
import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import psutil
import pytest
import requests
from PIL import Image
from standardwebhooks.webhooks import Webhook

from genpool_dev.cluster.errors import ClusterError
from genpool_dev.stack.callback_secrets import secret_file
from genpool_dev.stack.servers import process
from genpool_dev.stack.servers.drawing import size_of
from genpool_dev.stack.servers.process import ServerProcess
from genpool_dev.stack.servers.receiver import Delivery, read_record

Start = Callable[..., ServerProcess]
SECRET, OLD_SECRET, OTHERS_SECRET = (
    f"whsec_{base64.b64encode(letter * 32).decode()}" for letter in (b"k", b"o", b"x")
)
BODY = b'{"task_id": "t", "pool": {"namespace": "art", "name": "photos"}}'


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[ServerProcess] = []

    def _start(name: str, *extra: str) -> ServerProcess:
        module = f"genpool_dev.stack.servers.{name}"
        started.append(process.start(name, module, "127.0.0.1", tmp_path, extra))
        return started[-1]

    yield _start
    for server in started:
        process.stop(server)


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def signed(webhook_id: str, secret: str = SECRET) -> dict[str, str]:
    now = datetime.now(UTC)
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(webhook_id, now, BODY.decode()),
        "content-type": "application/json",
    }


def test_photos_are_served_as_their_name_says(start: Start, http: requests.Session) -> None:
    server = start("photos")
    for path, form in (("people/1.jpg", "JPEG"), ("buildings/6.png", "PNG")):
        answer = http.get(f"{server.url}/{path}", timeout=5)
        with Image.open(BytesIO(answer.content)) as image:
            number = int(path.split("/")[1].split(".")[0])
            assert (image.format, image.size) == (form, size_of(number))
    head = http.head(f"{server.url}/people/1.jpg", timeout=5)
    assert int(head.headers["Content-Length"]) > 1000
    assert not head.content
    assert http.get(f"{server.url}/people/../etc", timeout=5).status_code == 404


def test_a_stopped_server_is_gone_and_stopping_again_does_nothing(start: Start) -> None:
    server = start("photos")
    assert server.alive()
    process.stop(server)
    assert not server.alive()
    assert not process.answers(server.url)
    process.stop(server)


def test_a_server_outlives_the_session_of_its_starter(start: Start) -> None:
    server = start("photos")
    assert os.getsid(server.pid) == server.pid


def test_another_process_with_the_same_pid_is_left_alone(start: Start) -> None:
    server = start("photos")
    process.stop(server.model_copy(update={"started": server.started - 100}))
    assert server.alive()
    assert psutil.pid_exists(server.pid)


def test_an_address_that_is_not_ours_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="cannot listen on"):
        process.start("photos", "genpool_dev.stack.servers.photos", "192.0.2.1", tmp_path)


def receiver(start: Start, tmp_path: Path) -> tuple[ServerProcess, Callable[[], list[Delivery]]]:
    secrets, record = tmp_path / "secrets", tmp_path / "deliveries.jsonl"
    secrets.mkdir()
    secret_file(secrets, "art", "photos").write_text(f"{OLD_SECRET}\n{SECRET}")
    secret_file(secrets, "art", "another").write_text(OTHERS_SECRET)
    server = start("receiver", "--record", str(record), "--secrets", str(secrets))
    return server, lambda: read_record(record)


def test_a_signed_callback_is_taken_and_written_down(
    start: Start, http: requests.Session, tmp_path: Path
) -> None:
    server, deliveries = receiver(start, tmp_path)
    assert deliveries() == []
    answer = http.post(f"{server.url}/hook", data=BODY, headers=signed("one"), timeout=5)
    assert answer.status_code == 204
    (told,) = deliveries()
    assert (told.webhook_id, told.path, told.verified, told.status) == ("one", "/hook", True, 204)
    assert told.body == json.loads(BODY)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        signed("one", OTHERS_SECRET),
        {**signed("one"), "webhook-id": "two"},
    ],
)
def test_a_wrong_signature_is_refused_and_written_down(
    start: Start, http: requests.Session, tmp_path: Path, headers: dict[str, str]
) -> None:
    server, deliveries = receiver(start, tmp_path)
    assert http.post(f"{server.url}/hook", data=BODY, headers=headers, timeout=5).status_code == 401
    assert [(told.verified, told.status) for told in deliveries()] == [(False, 401)]


def test_it_is_away_for_as_long_as_it_was_told(start: Start, http: requests.Session, tmp_path: Path) -> None:
    server, deliveries = receiver(start, tmp_path)

    def away(seconds: float) -> None:
        told = http.put(f"{server.url}/control", json={"unavailable_seconds": seconds}, timeout=5)
        assert told.status_code == 200

    def post() -> int:
        return http.post(f"{server.url}/hook", data=BODY, headers=signed("one"), timeout=5).status_code

    away(60)
    assert post() == 503
    away(0)
    assert post() == 204
    assert [told.status for told in deliveries()] == [503, 204]


def test_a_body_that_is_too_large_is_refused_unread(
    start: Start, http: requests.Session, tmp_path: Path
) -> None:
    server, deliveries = receiver(start, tmp_path)
    answer = http.post(f"{server.url}/hook", data=b"", headers={"Content-Length": str(2 << 20)}, timeout=5)
    assert answer.status_code == 413
    assert deliveries() == []


def test_a_server_holds_no_file_that_its_starter_was_given(start: Start, tmp_path: Path) -> None:
    """As by ``flock FILE make demo``, which hands its lock on: the demo's servers would hold it for ever."""
    with (tmp_path / "lock").open("w") as lock:
        os.set_inheritable(lock.fileno(), True)
        server = start("photos")
        opened = {Path(item.path) for item in psutil.Process(server.pid).open_files()}
    assert tmp_path / "photos.log" in opened
    assert tmp_path / "lock" not in opened
