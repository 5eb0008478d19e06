"""A broker whose certificate was signed by an authority of its own, for AMQP and for the management API."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from genpool_adapters.amqp import AmqpConnection
from genpool_adapters.management.api import ManagementApi
from genpool_core.backoff import Backoff
from genpool_core.brokers import BrokerConfig
from genpool_core.errors import BrokerError
from integration.broker import Vhost, until
from support.tcpproxy import TcpProxy

FAST = Backoff(first=0.05, cap=0.2)
Wrap = Callable[[str, int], TcpProxy]


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """A certificate for ``localhost`` that is its own authority; its key is beside it."""
    made = tmp_path / "ca.crt"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-noenc", "-days", "2"]
    command += ["-keyout", str(tmp_path / "key.pem"), "-out", str(made), "-subj", "/CN=mq"]
    command += ["-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(command, check=True, capture_output=True)
    return made


@pytest.fixture
def wrap(authority: Path) -> Iterator[Wrap]:
    """Puts TLS before an address of the broker."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(authority, authority.parent / "key.pem")
    made: list[TcpProxy] = []

    def start(host: str, port: int) -> TcpProxy:
        made.append(TcpProxy(host, port, tls))
        return made[-1]

    yield start
    for proxy in made:
        proxy.close()


@pytest.mark.parametrize("trusted", [True, False])
def test_amqp(rabbitmq: Vhost, wrap: Wrap, authority: Path, *, trusted: bool) -> None:
    proxy = wrap(rabbitmq.server.host, rabbitmq.server.port)
    certificates = authority.read_text() if trusted else ""
    connection = AmqpConnection(
        rabbitmq.settings(host="localhost", port=proxy.port, tls=True, ca_certificates=certificates),
        backoff=FAST,
    )
    connection.start()
    try:
        if trusted:
            assert connection.wait_connected(10), connection.last_sentence
        else:
            until(lambda: "the broker's ca" in (connection.last_sentence or ""), "the certificate is named")
            assert not connection.wait_connected(0)
    finally:
        connection.stop()


@pytest.mark.parametrize("trusted", [True, False])
def test_management_api(
    rabbitmq: Vhost, wrap: Wrap, authority: Path, tmp_path: Path, *, trusted: bool
) -> None:
    pages = urlsplit(rabbitmq.server.management_url)
    proxy = wrap(pages.hostname or "", pages.port or 0)
    (tmp_path / "username").write_text(rabbitmq.server.username)
    (tmp_path / "password").write_text(rabbitmq.server.password)
    broker = BrokerConfig(
        name="own",
        host="localhost",
        management_url=f"https://localhost:{proxy.port}",
        credentials_path=str(tmp_path),
        ca_file=str(authority) if trusted else None,
    )
    api = ManagementApi(broker)
    try:
        if trusted:
            assert api.get("whoami")
        else:
            with pytest.raises(
                BrokerError, match=r"cannot be trusted .*CERTIFICATE_VERIFY_FAILED.* broker's ca"
            ):
                api.get("whoami")
    finally:
        api.close()
