"""A fault of ours or of the input is never told as an outage, and never tried again."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import pytest
import requests

from genpool_adapters import http
from genpool_adapters.management.api import ManagementApi
from genpool_adapters.objectstore.s3 import S3Store
from genpool_core.brokers import BrokerConfig
from genpool_core.errors import AttemptFailed, BrokerError, RefusedInput, SettingsError, StorageError
from genpool_core.workerconfig import S3Config
from genpool_worker.adapters.comfyui_http import ComfyUIHttp
from genpool_worker.adapters.fetch import GuardedFetcher

#: Nothing listens there, so a request that is made fails as an outage.
NOBODY = "http://127.0.0.1:1"


@pytest.mark.parametrize(
    "url", ["http:/x", "http://h:99999/", "h/x", "http://.h/", "http://*.h/", "http://℡x/", "http://ß☃/"]
)
def test_a_url_that_cannot_be_asked_for(url: str) -> None:
    with pytest.raises(RefusedInput):
        GuardedFetcher(()).fetch(url, 10)


@pytest.mark.parametrize(
    "target", ["http://[::1", "http://h:99999/", "http://.h/", "http:///x", "\\\\h\\x[", "gopher://h/"]
)
def test_a_redirect_to_no_url(target: str) -> None:
    class Once(http.GuardedSession):
        """Answers without a network."""

        def send(self, request: requests.PreparedRequest, **_kwargs: object) -> requests.Response:
            response = requests.Response()
            response.status_code, response.url = 302, request.url or ""
            response.headers["Location"], response.raw = target, io.BytesIO()
            return response

    session = Once(http.Guard((), lambda _host, _port: [], None))
    with session, pytest.raises(RefusedInput):
        http.get_following(session, "http://h.example/", timeout=(1, 1))


@pytest.mark.parametrize(
    ("error", "outage"),
    [
        (requests.ConnectionError(), True),
        (requests.exceptions.SSLError(), True),
        (requests.ReadTimeout(), True),
        (requests.exceptions.ChunkedEncodingError(), True),
        (requests.exceptions.InvalidURL(), False),
        (requests.exceptions.InvalidHeader(), False),
        (requests.exceptions.InvalidJSONError(), False),
        (requests.exceptions.TooManyRedirects(), False),
        (requests.RequestException(), False),
    ],
)
def test_what_an_outage_is(error: requests.RequestException, *, outage: bool) -> None:
    assert http.is_outage(error) is outage


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_prompt_that_is_no_json(value: float) -> None:
    """It was ComfyUI's silence: ten minutes, three times."""
    graph = {"3": {"class_type": "A", "inputs": {"cfg": value}}}
    with pytest.raises(AttemptFailed, match="cannot be written as JSON") as caught:
        ComfyUIHttp(NOBODY).submit("id", "client", graph, "mark")  # type: ignore[arg-type] - JSON
    assert (caught.value.reason, caught.value.retryable) == ("InvalidPrompt", False)


def store(monkeypatch: pytest.MonkeyPatch, key: str, secret: str, **config: str) -> S3Store:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    return S3Store(S3Config(**{"endpoint": NOBODY, "bucket": "b", "prefix": "p/", **config}))  # type: ignore[arg-type] - texts


@pytest.mark.parametrize(
    ("key", "config", "sentence", "refusal"),
    [
        ("abc\n", {}, "AWS_ACCESS_KEY_ID holds a line break", True),
        ("a\rb", {}, "AWS_ACCESS_KEY_ID holds a line break", True),
        ("abc", {"bucket": "Bad Bucket!"}, "correct endpoint, region and bucket", True),
        ("abc", {"endpoint": "http://h:99999"}, "correct endpoint, region and bucket", True),
        ("abc", {}, "does not answer (EndpointConnectionError): check the endpoint and the network", False),
    ],
)
def test_what_the_store_is_blamed_for(
    monkeypatch: pytest.MonkeyPatch, key: str, config: dict[str, str], sentence: str, *, refusal: bool
) -> None:
    with pytest.raises(StorageError) as caught:
        store(monkeypatch, key, "x", **config).get("x")
    assert sentence in caught.value.message
    assert caught.value.refusal is refusal


@pytest.mark.parametrize(("secret", "config"), [("", {}), ("x", {"endpoint": "minio:9000"})])
def test_a_store_that_cannot_be_set_up(
    monkeypatch: pytest.MonkeyPatch, secret: str, config: dict[str, str]
) -> None:
    with pytest.raises(SettingsError, match=r"S3 cannot be used as it is set up"):
        store(monkeypatch, "abc", secret, **config)


def broker(folder: Path, url: str, password: str) -> BrokerConfig:
    (folder / "username").write_text("genpöol", encoding="utf-8")
    (folder / "password").write_text(password, encoding="utf-8")
    return BrokerConfig(name="b", host="h", management_url=url, credentials_path=str(folder))


@pytest.mark.parametrize("password", ["geheim", "größe", "пароль", "密码😀"])
def test_a_broker_password_of_any_letters(tmp_path: Path, password: str) -> None:
    """RabbitMQ reads UTF-8; in Latin-1 it was another one, told as a missing right, or a crash."""
    seen: list[str] = []

    class Recorder(requests.adapters.BaseAdapter):
        def send(
            self, request: requests.PreparedRequest, *_args: object, **_kwargs: object
        ) -> requests.Response:
            seen.append(request.headers["Authorization"])
            response = requests.Response()
            response.status_code, response.raw = 200, io.BytesIO(b"{}")
            return response

        def close(self) -> None:
            """Nothing to close."""

    api = ManagementApi(broker(tmp_path, "http://h.example", password))
    api._session.mount("http://", Recorder())
    api.get("overview")
    scheme, _, encoded = seen[0].partition(" ")
    assert (scheme, base64.b64decode(encoded).decode()) == ("Basic", f"genpöol:{password}")


def test_a_management_url_that_cannot_be(tmp_path: Path) -> None:
    api = ManagementApi(broker(tmp_path, "http://.h", "x"))
    with pytest.raises(BrokerError, match=r"cannot be asked \(InvalidURL\): correct managementUrl"):
        api.get("overview")
