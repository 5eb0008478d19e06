from __future__ import annotations

from pathlib import Path

import certifi
import pytest
import yaml

from genpool_adapters.brokerfile import credentials, load_brokers
from genpool_core.errors import SettingsError

GOOD = """
brokers:
  - name: default
    host: rabbitmq.example.com
    managementUrl: http://rabbitmq.example.com:15672
    credentialsPath: {path}
"""


def _write(folder: Path, text: str) -> Path:
    path = folder / "brokers.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_reads_brokers_and_credentials(tmp_path: Path) -> None:
    (tmp_path / "username").write_text("admin\n", encoding="utf-8")
    (tmp_path / "password").write_text("p w\r\n", encoding="utf-8")
    (broker,) = load_brokers(_write(tmp_path, GOOD.format(path=tmp_path))).brokers
    assert (broker.name, broker.port, broker.vhosts) == ("default", 5672, ["/"])
    assert credentials(broker) == ("admin", "p w")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("brokers: [", "no YAML"),
        ("brokers: []", "brokers"),
        ("", "the file"),
        ("brokers: [{name: a}]", "brokers.0"),
        (GOOD.format(path="/x") + "    colour: red\n", "colour"),
    ],
)
def test_a_wrong_file_is_told_by_field(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said) as caught:
        load_brokers(_write(tmp_path, text))
    assert caught.value.reason == "InvalidBrokersFile"


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load_brokers(tmp_path / "none.yaml")


def test_missing_and_empty_credentials_are_told(tmp_path: Path) -> None:
    (broker,) = load_brokers(_write(tmp_path, GOOD.format(path=tmp_path))).brokers
    with pytest.raises(SettingsError, match="username cannot be read"):
        credentials(broker)
    (tmp_path / "username").write_text("admin", encoding="utf-8")
    (tmp_path / "password").write_text("\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="password is empty") as caught:
        credentials(broker)
    assert caught.value.reason == "BrokerCredentialsMissing"


@pytest.mark.parametrize(
    "host", ["amqp://genpool:s3cr3t@mq:5672/", "http://mq", "genpool:s3cr3t@mq", "mq:5672", "mq/art", ""]
)
def test_a_host_that_is_none_is_refused_without_showing_it(tmp_path: Path, host: str) -> None:
    path = tmp_path / "brokers.yaml"
    broker = {"name": "default", "host": host, "managementUrl": "http://mq:15672", "credentialsPath": "/c"}
    path.write_text(yaml.safe_dump({"brokers": [broker]}))
    with pytest.raises(SettingsError, match=r"brokers\.0\.host: not a host name") as caught:
        load_brokers(path)
    assert "s3cr3t" not in str(caught.value)
    if host:
        assert host not in str(caught.value)


@pytest.mark.parametrize("host", ["mq", "rabbitmq.messaging.svc", "10.0.0.7", "fd00::7", "my_mq", "MQ-1"])
def test_hosts_that_are_taken(tmp_path: Path, host: str) -> None:
    path = tmp_path / "brokers.yaml"
    broker = {"name": "default", "host": host, "managementUrl": "http://mq:15672", "credentialsPath": "/c"}
    path.write_text(yaml.safe_dump({"brokers": [broker]}))
    assert load_brokers(path).brokers[0].host == host


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "holds no certificates"),
        (b"", "holds no certificates"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "holds no certificates"),
        (b"\xff\xfe", "holds no certificates"),
        (Path(certifi.where()).read_bytes(), "give only the certificates of the broker's own authority"),
    ],
    ids=["missing", "empty", "no certificate", "no text", "too many"],
)
def test_an_authority_that_cannot_be_used_is_told_at_the_start(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    path = tmp_path / "ca.crt"
    if content is not None:
        path.write_bytes(content)
    text = GOOD.format(path=tmp_path) + f"    caFile: {path}\n"
    with pytest.raises(SettingsError, match=said) as caught:
        load_brokers(_write(tmp_path, text))
    assert caught.value.reason == "BrokerCertificatesInvalid"
    assert str(path) in str(caught.value)
