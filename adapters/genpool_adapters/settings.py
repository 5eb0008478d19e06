"""Settings of the programs: what all have in common, and the one way to read them."""

from __future__ import annotations

import os
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from genpool_adapters.logs import LogFormat, LogLevel
from genpool_core.errors import SettingsError
from genpool_core.validation import first_fault

PREFIX = "GENPOOL_"


def split_commas(raw: object) -> object:
    """The parts of a text with commas; what is no text stays as it is."""
    return tuple(part.strip() for part in raw.split(",") if part.strip()) if isinstance(raw, str) else raw


CommaList = Annotated[tuple[str, ...], BeforeValidator(split_commas)]
"""Texts that are separated by commas."""


class ProgramSettings(BaseSettings):
    """Base of a program's settings. Each field is the environment variable ``GENPOOL_<FIELD>``.

    A variable is taken as text and never decoded as JSON: a field that is a list is a :data:`CommaList`.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, enable_decoding=False, frozen=True, use_attribute_docstrings=True
    )

    http_host: str = ""
    """Address at which /healthz, /readyz and /metrics are served; all of the machine's when empty."""
    http_port: Annotated[int, Field(ge=0, le=65_535)] = 8080
    """Port of /healthz, /readyz and /metrics."""
    log_format: LogFormat = "json"
    """``json`` for machines, ``console`` for people."""
    log_level: LogLevel = "INFO"
    """Lowest level that is logged."""

    @classmethod
    def load(cls) -> Self:
        """Read the environment.

        Raises
        ------
        SettingsError
            A variable is missing or wrong. The sentence names it and never shows its value.
        """
        try:
            return cls()
        except ValidationError as error:
            fault = first_fault(error, whole="the environment variables", named=_described)
        raise SettingsError(f"{fault}. Set it and start again.")


def variable(field: str) -> str:
    """The environment variable of a field."""
    return f"{PREFIX}{field}".upper()


def log_format_of_environment() -> LogFormat:
    """Format of a log line while there are no settings, as when they are refused: ``json`` unless it is said well."""
    return "console" if os.environ.get(variable("log_format")) == "console" else "json"


def _described(path: str) -> str:
    """A field to its reader; an item of a list is its variable's."""
    return f"environment variable {variable(path.partition('.')[0])}"
