"""Requests to an API server of our own: login, TLS, proxy, pages, refusals, and what is never sent twice."""

from __future__ import annotations

import base64
import json
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from kubernetes.client import Configuration

from genpool_adapters.kube.api import APPLY, KubeApi
from genpool_adapters.kube.login import load_configuration
from genpool_core.errors import ClusterError
from genpool_operator.adapters.kube import KubeCluster


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Answer:
    """``hang_up``: the connection is closed instead of an answer; ``close``: after it, without saying so."""

    body: bytes = b"{}"
    status: int = 200
    hang_up: bool = False
    close: bool = False


@dataclass
class ApiServer:
    """Records requests and answers them in order; ``{}`` when no answer is left."""

    url: str = ""
    seen: list[Request] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    closed: threading.Event = field(default_factory=threading.Event)

    def tokens(self) -> list[str | None]:
        return [request.headers.get("Authorization") for request in self.seen]


def handler(site: ApiServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            site.seen.append(Request(self.command, self.path, dict(self.headers), body))
            answer = site.answers.pop(0) if site.answers else Answer()
            self.close_connection = answer.close or answer.hang_up
            if answer.hang_up:
                return
            self.send_response(answer.status)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def do_GET(self) -> None:
            self._answer()

        def do_PATCH(self) -> None:
            self._answer()

        def do_DELETE(self) -> None:
            self._answer()

        def finish(self) -> None:
            super().finish()
            self.connection.close()
            site.closed.set()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its signature
            pass

    return Handler


@pytest.fixture
def serve() -> Iterator[Callable[..., ApiServer]]:
    """Start API servers, with TLS when there is a certificate."""
    running: list[tuple[ThreadingHTTPServer, threading.Thread]] = []

    def start(certificate: Path | None = None) -> ApiServer:
        site = ApiServer()
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler(site))
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        site.url = f"http{'s' if certificate else ''}://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        running.append((server, thread))
        return site

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def site(serve: Callable[..., ApiServer]) -> ApiServer:
    return serve()


@pytest.fixture
def api(site: ApiServer) -> Iterator[KubeApi]:
    api = KubeApi(Configuration(host=site.url), "genpool-operator")
    yield api
    api.close()


@pytest.fixture
def log_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., KubeApi]]:
    """Log in with a kubeconfig file of this cluster and user, as the operator does."""
    opened: list[KubeApi] = []

    def log_in(cluster: dict[str, Any], user: dict[str, Any]) -> KubeApi:
        path = tmp_path / "kubeconfig"
        entries = {
            "clusters": [{"name": "c", "cluster": cluster}],
            "users": [{"name": "u", "user": user}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }
        path.write_text(json.dumps(entries))
        monkeypatch.setenv("KUBECONFIG", str(path))
        opened.append(KubeApi(load_configuration(), "genpool-operator"))
        return opened[-1]

    yield log_in
    for api in opened:
        api.close()


# Login -------------------------------------------------------------------------------------------------------------


def test_a_rotated_token_is_in_the_next_request(site: ApiServer) -> None:
    """The way of a pod's token: the loader's hook reads it again before it expires."""
    token = "first"

    def read_again(configuration: Configuration) -> None:
        configuration.api_key["BearerToken"] = f"Bearer {token}"

    configuration = Configuration(host=site.url)
    configuration.refresh_api_key_hook = read_again
    api = KubeApi(configuration, "genpool-operator")
    api.get("/version")
    token = "second"
    api.get("/version")
    api.close()
    assert site.tokens() == ["Bearer first", "Bearer second"]


def test_a_plugin_is_asked_again_when_its_token_has_expired(
    site: ApiServer, log_in: Callable[..., KubeApi], tmp_path: Path
) -> None:
    credential = tmp_path / "credential.json"

    def give(token: str, expires: str) -> None:
        version = "client.authentication.k8s.io/v1"
        status = {"token": token, "expirationTimestamp": expires}
        credential.write_text(json.dumps({"apiVersion": version, "kind": "ExecCredential", "status": status}))

    give("first", "2020-01-01T00:00:00Z")
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": "cat", "args": [str(credential)]}
    api = log_in({"server": site.url}, {"exec": plugin})
    give("second", "2999-01-01T00:00:00Z")
    api.get("/version")
    give("third", "2999-01-01T00:00:00Z")
    api.get("/version")
    assert site.tokens() == ["Bearer second", "Bearer second"]


def test_a_token_that_cannot_be_read_again_is_an_error_of_the_cluster(
    site: ApiServer, tmp_path: Path
) -> None:
    def read_again(_configuration: Configuration) -> None:
        (tmp_path / "gone").read_text()

    configuration = Configuration(host=site.url)
    configuration.refresh_api_key_hook = read_again
    with pytest.raises(ClusterError, match="could not be renewed") as caught:
        KubeApi(configuration, "genpool-operator").get("/version")
    assert caught.value.status == 0
    assert site.seen == []


def test_without_a_login_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    with pytest.raises(ClusterError, match="point KUBECONFIG to a file"):
        load_configuration()


# TLS and proxy -----------------------------------------------------------------------------------------------------


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for ``api.genpool.test`` that is its own authority, with its key."""
    key, made, both = (tmp_path / name for name in ("key.pem", "certificate.pem", "both.pem"))
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-noenc", "-days", "2"]
    command += ["-keyout", str(key), "-out", str(made), "-subj", "/CN=api"]
    command += ["-addext", "subjectAltName=DNS:api.genpool.test"]
    subprocess.run(command, check=True, capture_output=True)
    both.write_text(made.read_text() + key.read_text())
    return both


@pytest.mark.parametrize(
    ("cluster", "works"),
    [
        ({"tls-server-name": "api.genpool.test"}, True),
        ({"tls-server-name": "other.genpool.test"}, False),
        ({}, False),
    ],
)
def test_the_certificate_is_checked_for_the_name_in_the_kubeconfig(
    serve: Callable[..., ApiServer],
    log_in: Callable[..., KubeApi],
    certificate: Path,
    cluster: dict[str, Any],
    *,
    works: bool,
) -> None:
    site = serve(certificate)
    authority = base64.b64encode((certificate.parent / "certificate.pem").read_bytes()).decode()
    given = {"server": site.url, "certificate-authority-data": authority, **cluster}
    api = log_in(given, {"token": "secret"})
    if works:
        assert api.get("/version") == {}
        assert site.tokens() == ["Bearer secret"]
    else:
        with pytest.raises(ClusterError, match="does not answer"):
            api.get("/version")
        assert site.seen == [], "the token went nowhere"


def test_through_the_proxy_of_the_kubeconfig(
    serve: Callable[..., ApiServer], log_in: Callable[..., KubeApi]
) -> None:
    proxy = serve()
    cluster = {"server": "http://kubernetes.invalid", "proxy-url": proxy.url}
    log_in(cluster, {"token": "secret"}).get("/version")
    assert [request.path for request in proxy.seen] == ["http://kubernetes.invalid/version"]


def test_past_the_proxy_where_it_is_not_meant(site: ApiServer) -> None:
    configuration = Configuration(host=site.url)
    configuration.proxy = "http://127.0.0.1:1"
    configuration.no_proxy = "10.0.0.0/8,127.0.0.0/8"
    assert KubeApi(configuration, "genpool-operator").get("/version") == {}


def test_a_proxy_of_another_protocol_is_refused(site: ApiServer) -> None:
    configuration = Configuration(host=site.url)
    configuration.proxy = "socks5://user:secret@proxy.example"
    configuration.no_proxy = "example.org"
    with pytest.raises(ClusterError, match="http or https") as caught:
        KubeApi(configuration, "genpool-operator")
    assert "secret" not in caught.value.message


# Requests ----------------------------------------------------------------------------------------------------------


def test_a_patch(site: ApiServer, api: KubeApi) -> None:
    site.answers.append(Answer(b'{"kind": "ConfigMap"}'))
    assert api.request("PATCH", "/api/v1/x?force=true", {"a": "日"}, APPLY) == {"kind": "ConfigMap"}
    (request,) = site.seen
    assert (request.method, request.path) == ("PATCH", "/api/v1/x?force=true")
    assert request.headers["Content-Type"] == "application/apply-patch+yaml"
    assert request.headers["User-Agent"].startswith("genpool-operator/")
    assert "Authorization" not in request.headers
    assert json.loads(request.body) == {"a": "日"}


def test_a_list_goes_on_to_its_last_page(site: ApiServer, api: KubeApi) -> None:
    for page in (
        {"items": [{"n": 1}, None, {"n": 2}], "metadata": {"continue": "a b"}},
        {"items": None, "metadata": {"continue": "c"}},
        {"items": [{"n": 3}], "metadata": {}},
    ):
        site.answers.append(Answer(json.dumps(page).encode()))
    assert list(api.list("/api/v1/pods", "x=y")) == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert [request.path.partition("continue=")[2] for request in site.seen] == ["", "a%20b", "c"]


@pytest.mark.parametrize(
    ("answer", "status", "says"),
    [
        (Answer(b'{"message": "no quota"}', 403), 403, "Kubernetes refuses the pool: no quota"),
        (Answer(b"<html>", 502), 502, "Kubernetes refuses the pool: Bad Gateway"),
        (Answer(b'{"kind": "Status", "message": "quantities must match (x)"}', 500), 500, "quantities"),
        (Answer(b"", 302), 0, "no JSON object"),
        (Answer(b"<html>"), 0, "no JSON object"),
        (Answer(b"[]"), 0, "no JSON object"),
        (Answer(hang_up=True), 0, "does not answer about the pool"),
    ],
)
def test_what_is_no_good_answer_is_an_error_and_is_not_asked_again(
    site: ApiServer, api: KubeApi, answer: Answer, status: int, says: str
) -> None:
    site.answers.append(answer)
    with pytest.raises(ClusterError, match=says) as caught:
        api.request("PATCH", "/x", {}, APPLY, "the pool")
    assert caught.value.status == status
    assert caught.value.refusal is (b'"Status"' in answer.body)
    assert len(site.seen) == 1


def test_an_object_that_is_not_there(site: ApiServer, api: KubeApi) -> None:
    site.answers += [Answer(b'{"message": "not found"}', 404), Answer(b'{"message": "no"}', 403)]
    assert api.get("/x") is None
    with pytest.raises(ClusterError):
        api.get("/x")


def test_a_pod_is_deleted_and_may_be_gone_already(site: ApiServer, api: KubeApi) -> None:
    site.answers += [
        Answer(b'{"kind": "Pod"}'),
        Answer(b'{"message": "not found"}', 404),
        Answer(b'{"message": "no right"}', 403),
    ]
    cluster = KubeCluster(api)
    cluster.delete_pod("team", "a")
    cluster.delete_pod("team", "b")
    with pytest.raises(ClusterError, match="no right"):
        cluster.delete_pod("team", "c")
    assert [(request.method, request.path) for request in site.seen] == [
        ("DELETE", f"/api/v1/namespaces/team/pods/{name}") for name in ("a", "b", "c")
    ]


def test_a_connection_that_the_server_closed_meanwhile_is_made_again(site: ApiServer, api: KubeApi) -> None:
    site.answers.append(Answer(close=True))
    api.get("/a")
    assert site.closed.wait(5)
    api.request("PATCH", "/b", {}, APPLY)
    assert [request.path for request in site.seen] == ["/a", "/b"]
