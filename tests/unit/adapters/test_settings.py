"""What a person is told about an environment variable that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import Field, SecretStr, field_validator, model_validator

from genpool_adapters.settings import ProgramSettings, log_format_of_environment, variable
from genpool_core.errors import SettingsError

TOLD = "s3cr3t"


class Example(ProgramSettings):
    folder: Path = Path("/etc/example")
    password: SecretStr = Field(default=SecretStr("long enough"), min_length=8)
    seconds: float = Field(default=5, ge=1)
    hosts: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()

    @field_validator("hosts", "sizes", mode="before")
    @classmethod
    def _split(cls, raw: object) -> object:
        return tuple(raw.split(",")) if isinstance(raw, str) else raw

    @model_validator(mode="after")
    def _consistent(self) -> Example:
        if self.http_port == self.seconds:
            raise ValueError("port and seconds must differ")
        return self


class Needy(ProgramSettings):
    worker_image: str


def test_what_all_programs_have() -> None:
    settings = Example.load()
    assert (settings.http_port, settings.log_format, settings.log_level) == (8080, "json", "INFO")


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"HTTP_PORT": "0", "LOG_FORMAT": "console", "HOSTS": "a,[b", "FOLDER": "/x"}.items():
        monkeypatch.setenv(f"GENPOOL_{name}", value)
    settings = Example.load()
    assert (settings.http_port, settings.log_format) == (0, "console")
    assert (settings.hosts, settings.folder) == (("a", "[b"), Path("/x"))


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("HTTP_PORT", "65536", "Input should be less than or equal to 65535"),
        ("HTTP_PORT", TOLD, "Input should be a valid integer, unable to parse string as an integer"),
        ("LOG_FORMAT", TOLD, "Input should be 'json' or 'console'"),
        ("LOG_LEVEL", TOLD, "Input should be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
        ("SECONDS", "0", "Input should be greater than or equal to 1"),
        ("PASSWORD", TOLD, "Value should have at least 8 items after validation, not 6"),
        # An item of a list is its variable's.
        ("SIZES", f"1,{TOLD}", "Input should be a valid integer, unable to parse string as an integer"),
    ],
)
def test_a_wrong_variable_is_named_and_its_value_not_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, fault: str
) -> None:
    monkeypatch.setenv(f"GENPOOL_{name}", value)
    with pytest.raises(SettingsError) as caught:
        Example.load()
    assert caught.value.message == f"environment variable GENPOOL_{name}: {fault}. Set it and start again."
    assert caught.value.reason == "SettingsInvalid"
    assert caught.value.__cause__ is None, "pydantic's own error shows the value"
    assert caught.value.__context__ is None


def test_a_missing_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GENPOOL_WORKER_IMAGE", raising=False)
    with pytest.raises(SettingsError) as caught:
        Needy.load()
    assert caught.value.message == (
        "environment variable GENPOOL_WORKER_IMAGE: Field required. Set it and start again."
    )


def test_variables_that_do_not_go_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENPOOL_HTTP_PORT", "5")
    with pytest.raises(SettingsError) as caught:
        Example.load()
    assert caught.value.message == (
        "the environment variables: port and seconds must differ. Set it and start again."
    )


def test_the_name_of_a_variable() -> None:
    assert variable("http_port") == "GENPOOL_HTTP_PORT"


@pytest.mark.parametrize(
    ("value", "expected"), [(None, "json"), ("json", "json"), ("console", "console"), ("xml", "json")]
)
def test_the_format_of_a_refusal(monkeypatch: pytest.MonkeyPatch, value: str | None, expected: str) -> None:
    monkeypatch.delenv("GENPOOL_LOG_FORMAT", raising=False)
    if value is not None:
        monkeypatch.setenv("GENPOOL_LOG_FORMAT", value)
    assert log_format_of_environment() == expected
