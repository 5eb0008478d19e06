"""The file of the platform's brokers, and the credentials beside it."""

from __future__ import annotations

import ssl
from pathlib import Path

import yaml
from pydantic import ValidationError

from genpool_adapters.secret_files import read_secret
from genpool_core.brokers import BrokerConfig, BrokersFile
from genpool_core.errors import SettingsError
from genpool_core.validation import first_fault

REASON = "InvalidBrokersFile"
#: Workers get the certificates by an environment variable, which Linux limits to 128 KiB.
_MAX_CERTIFICATES = 64 * 1024


def load_brokers(path: str | Path) -> BrokersFile:
    """Read and check the file.

    Raises
    ------
    SettingsError
        It cannot be read, is no YAML, or a field is wrong; the message names file and field. Or a broker's ``caFile``
        holds no certificates.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"the brokers file {path} cannot be read: {error}.", reason=REASON) from error
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        problem = " ".join(str(error).split())
        raise SettingsError(f"the brokers file {path} is no YAML: {problem}.", reason=REASON) from error
    try:
        found = BrokersFile.model_validate(content)
    except ValidationError as error:
        fault = first_fault(error, whole="the file")
        raise SettingsError(
            f"the brokers file {path}: {fault}. Correct it in the chart's values (brokers).", reason=REASON
        ) from None
    return found.model_copy(update={"brokers": [_with_certificates(broker) for broker in found.brokers]})


def _with_certificates(broker: BrokerConfig) -> BrokerConfig:
    if broker.ca_file is None:
        return broker
    try:
        text = Path(broker.ca_file).read_text(encoding="ascii")
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (OSError, UnicodeDecodeError, ssl.SSLError, ValueError) as error:
        raise SettingsError(
            f"broker {broker.name}: {broker.ca_file} holds no certificates in PEM that can be read "
            f"({type(error).__name__}). Correct the object that ca names in the chart's values (brokers).",
            reason="BrokerCertificatesInvalid",
        ) from None
    if len(text) > _MAX_CERTIFICATES:
        raise SettingsError(
            f"broker {broker.name}: {broker.ca_file} has {len(text)} bytes, at most {_MAX_CERTIFICATES} fit into the "
            "environment of a pod: give only the certificates of the broker's own authority.",
            reason="BrokerCertificatesInvalid",
        )
    return broker.model_copy(update={"ca_certificates": text})


def credentials(broker: BrokerConfig) -> tuple[str, str]:
    """User and password of a broker, read anew each time so that a rotated Secret counts.

    Raises
    ------
    SettingsError
        One of the two files is missing, empty or cannot be read.
    """
    username, password = read_secret(
        Path(broker.credentials_path),
        "username",
        "password",
        whose=f"broker {broker.name}",
        reason="BrokerCredentialsMissing",
    )
    return username, password
