from __future__ import annotations

from pathlib import Path

import pytest

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
