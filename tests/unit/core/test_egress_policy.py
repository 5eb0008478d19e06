"""What tasks can make a pool reach: the ways around a list of hosts that people know, one a row."""

from __future__ import annotations

import ipaddress

import pytest

from genpool_core.api.security import HostRule
from genpool_core.egress_policy import UNREADABLE, address_allowed, check_url, redact
from genpool_core.errors import RefusedInput

PUBLIC: tuple[HostRule, ...] = ()
LISTED = (
    HostRule(host="photos.example.com"),
    HostRule(host="*.cdn.example.com", ports=[443, 8443]),
    HostRule(host="intranet.example.com", ports=[8080], cidrs=["10.1.0.0/16", "fd00:1::/64"]),
    HostRule(host="192.0.2.10", ports=[8091], cidrs=["192.0.2.10/32"]),
    HostRule(host="nas.example.com", cidrs=["172.16.3.7/16"]),
)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.com/a.jpg", ("example.com", 443)),
        ("http://example.com", ("example.com", 80)),
        ("HTTP://EXAMPLE.com:80/a", ("example.com", 80)),
        ("https://example.com./a", ("example.com", 443)),
        ("http://[2606:4700::1]/a", ("2606:4700::1", 80)),
        ("https://例え.example/画像.jpg", ("例え.example", 443)),
    ],
)
def test_a_public_url(url: str, expected: tuple[str, int]) -> None:
    assert check_url(url, PUBLIC) == expected


@pytest.mark.parametrize(
    "url",
    [
        "",
        "photo.jpg",
        "/etc/passwd",
        "//example.com/a",
        "file:///etc/passwd",
        "ftp://example.com/a",
        "gopher://example.com/_x",
        "data:image/png;base64,AAAA",
        "javascript:alert(1)",
        "http://",
        "http:///a",
        "http://./a",
        "http://.../a",
        "http://:80/a",
        "http://user@example.com/a",
        "http://user:secret@example.com/a",
        "http://@example.com/a",
        "http://example.com@evil.example/a",
        "http://example.com\\@evil.example/a",
        "http://example.com:0/a",
        "http://example.com:22/a",
        "http://example.com:8080/a",
        "http://example.com:99999/a",
        "http://example.com:80:80/a",
        "http://example.com:http/a",
        "http://[::1/a",
        "http://[not an address]/a",
    ],
)
def test_a_url_that_is_refused(url: str) -> None:
    with pytest.raises(RefusedInput) as caught:
        check_url(url, PUBLIC)
    assert caught.value.message.endswith(".")
    assert "secret" not in caught.value.message
    assert not caught.value.retryable


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://photos.example.com/1.jpg", ("photos.example.com", 443)),
        ("https://PHOTOS.example.com./1.jpg", ("photos.example.com", 443)),
        ("https://a.cdn.example.com/1.jpg", ("a.cdn.example.com", 443)),
        ("https://a.b.cdn.example.com:8443/1.jpg", ("a.b.cdn.example.com", 8443)),
        ("http://intranet.example.com:8080/", ("intranet.example.com", 8080)),
        ("http://192.0.2.10:8091/people/1.jpg", ("192.0.2.10", 8091)),
    ],
)
def test_a_listed_host(url: str, expected: tuple[str, int]) -> None:
    assert check_url(url, LISTED) == expected


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/",
        "https://cdn.example.com/",
        "https://evilcdn.example.com/",
        "https://photos.example.com.evil.example/",
        "https://evil.example/?photos.example.com",
        "https://evil.example/#photos.example.com",
        "https://photos。example。com/",
        "https://рhotos.example.com/",
        "http://a.cdn.example.com/",
        "http://intranet.example.com/",
        "http://192.0.2.10/",
        "http://3221225994:8091/",
    ],
)
def test_a_host_or_port_that_is_not_listed(url: str) -> None:
    with pytest.raises(RefusedInput):
        check_url(url, LISTED)


@pytest.mark.parametrize(
    "address",
    ["93.184.215.14", "8.8.8.8", "2606:4700::1", "2a00:1450:4001::8", "64:ff9b::808:808", "::ffff:8.8.8.8"],
)
def test_a_public_address(address: str) -> None:
    assert address_allowed("example.com", ipaddress.ip_address(address), PUBLIC)


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("127.0.0.1", id="loopback"),
        pytest.param("127.8.9.10", id="loopback, another of it"),
        pytest.param("0.0.0.0", id="this host"),  # noqa: S104 - an address to be refused
        pytest.param("10.0.0.1", id="private A"),
        pytest.param("172.16.0.1", id="private B"),
        pytest.param("172.31.255.255", id="end of private B"),
        pytest.param("192.168.1.1", id="private C"),
        pytest.param("100.64.0.1", id="carrier NAT"),
        pytest.param("169.254.169.254", id="metadata of clouds"),
        pytest.param("169.254.170.2", id="metadata of containers"),
        pytest.param("192.0.0.9", id="port control of the NAT device"),
        pytest.param("192.0.0.192", id="metadata of another cloud"),
        pytest.param("192.0.2.1", id="documentation"),
        pytest.param("198.18.0.1", id="benchmarks"),
        pytest.param("224.0.0.1", id="multicast"),
        pytest.param("240.0.0.1", id="reserved"),
        pytest.param("255.255.255.255", id="broadcast"),
        pytest.param("::", id="IPv6 this host"),
        pytest.param("::1", id="IPv6 loopback"),
        pytest.param("fe80::1", id="link-local"),
        pytest.param("fe80::1%eth0", id="link-local with a zone"),
        pytest.param("fc00::1", id="unique local"),
        pytest.param("fd00:ec2::254", id="IPv6 metadata of a cloud"),
        pytest.param("fec0::1", id="site-local"),
        pytest.param("ff02::1", id="IPv6 multicast"),
        pytest.param("2001:db8::1", id="IPv6 documentation"),
        pytest.param("3fff::1", id="IPv6 documentation, newer"),
        pytest.param("100::1", id="discard"),
        pytest.param("5f00::1", id="segment routing"),
        pytest.param("::ffff:127.0.0.1", id="mapped loopback"),
        pytest.param("::ffff:a9fe:a9fe", id="mapped metadata"),
        pytest.param("::127.0.0.1", id="compatible loopback"),
        pytest.param("::ffff:0:127.0.0.1", id="translated loopback"),
        pytest.param("64:ff9b::7f00:1", id="NAT64 loopback"),
        pytest.param("64:ff9b::a9fe:a9fe", id="NAT64 metadata"),
        pytest.param("64:ff9b:1::7f00:1", id="local NAT64"),
        pytest.param("2002:7f00:1::", id="6to4 loopback"),
        pytest.param("2002:a00:1::1", id="6to4 private"),
        pytest.param("2001:0:a00:1::1", id="Teredo"),
    ],
)
def test_an_address_that_is_not_public(address: str) -> None:
    parsed = ipaddress.ip_address(address)
    assert not address_allowed("example.com", parsed, PUBLIC)
    assert not address_allowed("photos.example.com", parsed, LISTED)


@pytest.mark.parametrize(
    "spelling",
    [
        "2130706433",
        "0x7f000001",
        "017700000001",
        "127.1",
        "0x7f.1",
        "0251.0376.0251.0376",
        "2852039166",
    ],
)
def test_an_address_that_is_spelled_unusually_is_refused_at_the_door(spelling: str) -> None:
    for allow in (PUBLIC, LISTED):
        with pytest.raises(RefusedInput):
            check_url(f"http://{spelling}/a.jpg", allow)


@pytest.mark.parametrize(
    ("spelling", "address"),
    [
        ("127.0.0.1.nip.example", "127.0.0.1"),
        ("localhost", "127.0.0.1"),
        ("localhost.", "127.0.0.1"),
        ("metadata.google.internal", "169.254.169.254"),
        ("kubernetes.default.svc", "10.96.0.1"),
    ],
)
def test_a_spelling_passes_as_a_name_and_its_address_is_refused(spelling: str, address: str) -> None:
    """What a name means is known when it is resolved; every answer is asked about."""
    host, _ = check_url(f"http://{spelling}/a.jpg", PUBLIC)
    assert not address_allowed(host, ipaddress.ip_address(address), PUBLIC)
    with pytest.raises(RefusedInput):
        check_url(f"http://{spelling}/a.jpg", LISTED)


@pytest.mark.parametrize(
    ("host", "address", "allowed"),
    [
        ("intranet.example.com", "10.1.2.3", True),
        ("intranet.example.com", "::ffff:10.1.2.3", True),
        ("intranet.example.com", "fd00:1::5", True),
        ("INTRANET.example.com.", "10.1.2.3", True),
        ("intranet.example.com", "10.2.0.1", False),
        ("intranet.example.com", "127.0.0.1", False),
        ("intranet.example.com", "8.8.8.8", False),
        ("photos.example.com", "10.1.2.3", False),
        ("photos.example.com", "8.8.8.8", True),
        ("nas.example.com", "172.16.200.1", True),
        ("nas.example.com", "172.17.0.1", False),
        ("192.0.2.10", "192.0.2.10", True),
        ("192.0.2.10", "192.0.2.11", False),
    ],
)
def test_a_private_network_needs_an_entry(host: str, address: str, *, allowed: bool) -> None:
    assert address_allowed(host, ipaddress.ip_address(address), LISTED) is allowed


def test_the_nearest_entry_counts() -> None:
    rules = (
        HostRule(host="*.example.com", ports=[1]),
        HostRule(host="*.a.example.com", ports=[2]),
        HostRule(host="x.a.example.com", ports=[3]),
    )
    assert check_url("http://x.a.example.com:3/", rules)[1] == 3
    assert check_url("http://y.a.example.com:2/", rules)[1] == 2
    assert check_url("http://y.example.com:1/", rules)[1] == 1
    with pytest.raises(RefusedInput, match=r"port 1 of host y\.a\.example\.com is not allowed by the pool"):
        check_url("http://y.a.example.com:1/", rules)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.example/p/1.jpg?sig=secret#secret", "https://a.example/p/1.jpg"),
        ("https://user:secret@a.example:8443/p", "https://a.example:8443/p"),
        ("http://[::1]:80/p", "http://[::1]:80/p"),
        ("http://A.example:0", "http://a.example:0"),
        ("user:secret@a.example/p", UNREADABLE),
        ("secret", UNREADABLE),
        ("data:image/png;base64,secret", UNREADABLE),
        ("http://[secret", UNREADABLE),
        ("http://a.example:secret/", UNREADABLE),
    ],
)
def test_redact(url: str, shown: str) -> None:
    assert redact(url) == shown
