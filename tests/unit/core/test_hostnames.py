"""Hosts of URLs: what no resolver takes is refused before anything is tried."""

from __future__ import annotations

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from genpool_core.egress_policy import MAX_URL, check_url
from genpool_core.errors import InvalidTask, RefusedInput
from genpool_core.hostnames import host_fault, is_loopback
from genpool_core.messages.task import parse_task
from genpool_core.tasks.check import check_callback
from genpool_core.workerconfig import WorkerConfig


@pytest.mark.parametrize(
    "url",
    [
        *("http:/x", "http:x", "//h/x", "h/x", "", "http://", "http:///x", "ftp://h/x", "file:///etc/passwd"),
        *("http://h:99999/", "http://h:-1/", "http://h:8x/", "http://h:0/", "http://h:80:80/"),
        *("http://.h.example/", "http://a..b/", "http://h..", "http://.../", "http://*.h/"),
        *(
            "http://ex ample.com/",
            "http://h\\b",
            "http://a,b/",
            'http://a"b/',
            "http://a%62.com/",
            "http://h!/",
        ),
        *("http://[::1", "http://[zz]/", "http://[1.2.3.4]/", "http://[v1.a]/", "http://[::1%25eth0]/"),
        *("http://[fe80::1%eth0]/", "http://999.1.1.1/", "http://1.2.3.4.5/", "http://a.b.09/"),
        *(f"http://{'a' * 64}.com/", f"http://{'a.' * 130}com/", f"http://{'ü' * 63}.com/"),
        *("http://☃.net/", "http://ª.com/", "http://a\u200bb.com/", "http://a。com/", "http://ａ.com/"),
        *(
            "http://h/\n",
            "http://h\t.evil.example/",
            "http://h/\x00",
            "http://h/\ud800",
            "http://u:p@h/",
            "http://@h/",
        ),
        f"http://h/{'x' * MAX_URL}",
    ],
)
def test_a_malformed_url_is_refused_at_once(url: str) -> None:
    with pytest.raises(RefusedInput) as caught:
        check_url(url, [])
    assert caught.value.message.endswith((".", "!"))
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://h/", "h"),
        ("HTTPS://H.Example./x", "h.example"),
        ("http://a_b-c.example/", "a_b-c.example"),
        ("http://bücher.example/", "bücher.example"),
        ("http://例え.テスト/", "例え.テスト"),
        ("http://xn--bcher-kva.example/", "xn--bcher-kva.example"),
        ("http://h:/a b?q=ü#f", "h"),
        ("http://1.2.3.4/", "1.2.3.4"),
        ("http://[2606:4700::1111]:80/", "2606:4700::1111"),
        ("http://3com.example/", "3com.example"),
        ("http://photos.team.svc.cluster.local/", "photos.team.svc.cluster.local"),
    ],
)
def test_a_url_that_people_send(url: str, host: str) -> None:
    assert check_url(url, [])[0] == host


@given(host=st.text(max_size=30) | st.from_regex(r"[a-z0-9._\[\]:%@*-]{1,20}", fullmatch=True))
def test_what_is_accepted_can_be_asked_for(host: str) -> None:
    """Requests and urllib3 read the same host in it, or the guarded session says that they cannot."""
    url = f"http://{host}/x"
    try:
        found, _ = check_url(url, [])
    except RefusedInput:
        return
    try:
        prepared = requests.Request("GET", url).prepare()
    except requests.exceptions.InvalidURL:
        assert not host.isascii(), "only IDNA has rules that are not told here"
        return
    again, _ = check_url(prepared.url or "", [])
    assert again == found or not found.isascii()


@given(host=st.text(max_size=80))
def test_every_host_is_judged(host: str) -> None:
    fault = host_fault(host.lower())
    assert fault is None or fault.strip()


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("LOCALHOST", True),
        ("127.0.0.1", True),
        ("127.4.5.6", True),
        ("::1", True),
        ("::ffff:127.0.0.1", False),
        ("localhost.example", False),
        ("10.0.0.1", False),
        ("", False),
    ],
)
def test_what_is_this_machine(host: str, loopback: bool) -> None:  # noqa: FBT001 - a table
    assert is_loopback(host) is loopback


def test_a_callback_too() -> None:
    task = parse_task({"prompt": "a", "callback_url": "http://h:99999/"})
    config = WorkerConfig.model_construct(callback_hosts=[])
    with pytest.raises(InvalidTask, match="callback_url: the URL cannot be read"):
        check_callback(task.callback_url, config)
