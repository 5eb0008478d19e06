"""The file of the platform's brokers, and the credentials beside it."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import ValidationError

from genpool_adapters.secret_files import read_secret
from genpool_core.brokers import BrokerConfig, BrokersFile
from genpool_core.errors import SettingsError
from genpool_core.validation import first_fault

REASON = "InvalidBrokersFile"


def load_brokers(path: str | Path) -> BrokersFile:
    """Read and check the file.

    Raises
    ------
    SettingsError
        It cannot be read, is no YAML, or a field is wrong; the message names file and field.
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
        return BrokersFile.model_validate(content)
    except ValidationError as error:
        fault = first_fault(error, whole="the file")
        raise SettingsError(
            f"the brokers file {path}: {fault}. Correct it in the chart's values (brokers).", reason=REASON
        ) from None


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
