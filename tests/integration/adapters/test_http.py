from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from genpool_adapters.http import get_following, guarded_session
from genpool_core.api.security import HostRule
from genpool_core.errors import RefusedInput


class _Site(ThreadingHTTPServer):
    daemon_threads = True
    seen: list[str]
    deadlines = 0
    """Deadlines that ran while a request was answered."""


class _Handler(BaseHTTPRequestHandler):
    server: _Site

    def do_GET(self) -> None:
        self.server.seen.append(f"{self.headers['Host']}{self.path}")
        self.server.deadlines += len(_deadlines())
        path, _, target = self.path.partition("?")
        if path in {"/drip", "/drip-body"}:
            self._drip(b"HTTP/1.1 200 OK\r\nX: " if path == "/drip" else b"HTTP/1.1 200 OK\r\n\r\n")
            return
        self.send_response(302 if path == "/to" else 200)
        if path == "/to":
            self.send_header("Location", target)
        self.send_header("Set-Cookie", "a=b")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def _drip(self, begin: bytes) -> None:
        """Headers or a body that never end, a byte at a time: no read ever times out."""
        try:
            self.wfile.write(begin)
            for _ in range(600):
                self.wfile.write(b"x")
                self.wfile.flush()
                time.sleep(0.1)
        except OSError:
            self.server.seen.append("cut")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its signature
        pass


@pytest.fixture
def site() -> Iterator[_Site]:
    server = _Site(("127.0.0.1", 0), _Handler)
    server.seen = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def _rules(site: _Site, *hosts: str) -> list[HostRule]:
    return [HostRule(host=host, ports=[site.server_address[1]], cidrs=["127.0.0.0/8"]) for host in hosts]


def _deadlines() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "http-deadline"]


def _to_loopback(host: str, _port: int) -> list[str]:
    return ["127.0.0.1"] if host != "public.example" else ["93.184.216.34"]


def test_connects_to_the_checked_address_under_the_urls_name(site: _Site) -> None:
    calls: list[str] = []

    def resolve(host: str, _port: int) -> list[str]:
        calls.append(host)
        return ["127.0.0.1"] if len(calls) == 1 else ["127.0.0.2"]

    port = site.server_address[1]
    with guarded_session(_rules(site, "receiver.example"), resolve=resolve) as session:
        answer = session.get(f"http://receiver.example:{port}/x", timeout=5)
    assert answer.text == "ok"
    assert calls == ["receiver.example"], "resolved once"
    assert site.seen == [f"receiver.example:{port}/x"]


def test_loopback_without_an_entry_is_refused_and_never_asked(site: _Site) -> None:
    port = site.server_address[1]
    rules = [HostRule(host="receiver.example", ports=[port])]
    with guarded_session(rules, resolve=_to_loopback) as session, pytest.raises(RefusedInput):
        session.get(f"http://receiver.example:{port}/x", timeout=5)
    assert site.seen == []


def test_cookies_and_redirects_are_not_taken_along(site: _Site) -> None:
    port = site.server_address[1]
    with guarded_session(_rules(site, "a.example"), resolve=_to_loopback) as session:
        answer = session.get(f"http://a.example:{port}/to?/elsewhere", timeout=5)
        assert answer.status_code == 302
        assert not session.cookies
    assert len(site.seen) == 1


def test_each_hop_of_a_redirect_is_checked(site: _Site) -> None:
    port = site.server_address[1]
    with guarded_session(_rules(site, "a.example", "b.example"), resolve=_to_loopback) as session:
        good = get_following(session, f"http://a.example:{port}/to?http://b.example:{port}/x", timeout=(5, 5))
        assert good.text == "ok"
        relative = get_following(session, f"http://a.example:{port}/to?/to?/x", timeout=(5, 5))
        assert relative.text == "ok"
        for target in ("http://127.0.0.1:22/", f"http://c.example:{port}/", "file:///etc/passwd"):
            with pytest.raises(RefusedInput):
                get_following(session, f"http://a.example:{port}/to?{target}", timeout=(5, 5))
        with pytest.raises(RefusedInput, match="more than 3 redirects"):
            get_following(session, f"http://a.example:{port}/to?/to?/to?/to?/to?/to?/x", timeout=(5, 5))


@pytest.mark.parametrize("path", ["/drip", "/drip-body"])
def test_a_receiver_that_drips_is_cut_off_at_the_deadline(site: _Site, path: str) -> None:
    port = site.server_address[1]
    began = time.monotonic()
    with (
        guarded_session(_rules(site, "a.example"), resolve=_to_loopback, deadline=1.0) as session,
        pytest.raises(requests.RequestException),
    ):
        session.get(f"http://a.example:{port}{path}", timeout=5)
    assert time.monotonic() - began < 4
    assert site.deadlines == 1
    assert not _deadlines()


def test_an_exchange_within_the_deadline_leaves_no_timer(site: _Site) -> None:
    port = site.server_address[1]
    with guarded_session(_rules(site, "a.example"), resolve=_to_loopback, deadline=60) as session:
        assert session.get(f"http://a.example:{port}/x", timeout=5).text == "ok"
    assert site.deadlines == 1
    for thread in _deadlines():
        thread.join(2)
    assert not _deadlines()


def test_the_tls_name_is_the_urls_and_certificates_are_checked() -> None:
    names: list[str] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sni_callback = lambda _sock, name, _context: names.append(name or "")  # type: ignore[assignment]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def serve() -> None:
            sock, _ = listener.accept()
            with sock:
                try:
                    context.wrap_socket(sock, server_side=True)
                except OSError:  # it has no certificate, so the handshake cannot succeed
                    return

        thread = threading.Thread(target=serve)
        thread.start()
        rules = [HostRule(host="tls.example", ports=[port], cidrs=["127.0.0.0/8"])]
        with (
            guarded_session(rules, resolve=_to_loopback, deadline=10) as session,
            pytest.raises(requests.exceptions.SSLError),
        ):
            session.get(f"https://tls.example:{port}/", timeout=5)
        thread.join(5)
    assert names == ["tls.example"]


def test_a_server_that_says_nothing_is_a_timeout_at_the_deadline_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        rules = [HostRule(host="a.example", ports=[port], cidrs=["127.0.0.0/8"])]
        with (
            guarded_session(rules, resolve=_to_loopback, deadline=0.5) as session,
            pytest.raises(requests.exceptions.Timeout),
        ):
            session.get(f"http://a.example:{port}/", timeout=5)


def test_many_addresses_that_do_not_answer_share_the_deadline() -> None:
    """Whoever owns a name may give it any number of addresses, and each connection to one waits for its time-out."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        port = listener.getsockname()[1]
        for _ in range(8):  # they fill the queue of the listener, which then answers nobody
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        rules = [HostRule(host="a.example", ports=[port], cidrs=["127.0.0.0/8"])]
        session = stack.enter_context(
            guarded_session(rules, resolve=lambda _host, _port: ["127.0.0.1"] * 200, deadline=1.0)
        )
        began = time.monotonic()
        with pytest.raises(requests.exceptions.ConnectTimeout):
            session.get(f"http://a.example:{port}/", timeout=(0.2, 5))
        assert time.monotonic() - began < 10
