"""Settings of the gateway, by environment."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from genpool_core import timing
from genpool_core.errors import InvalidManifest


class GatewaySettings(BaseSettings):
    """Each as ``GENPOOL_<NAME>``."""

    model_config = SettingsConfigDict(
        env_prefix="GENPOOL_", frozen=True, extra="ignore", use_attribute_docstrings=True
    )

    brokers_file: Path = Path("/etc/genpool/brokers.yaml")
    """The platform's brokers."""
    signing_secret_file: Path = Path("/etc/genpool-signing/secret")
    """Secrets that sign callbacks, one a line, ``whsec_…``."""
    http_port: int = Field(default=8080, ge=0, le=65_535)
    """Port of /healthz, /readyz and /metrics."""
    log_format: Literal["json", "console"] = "json"
    """``json`` for machines, ``console`` for people."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Least level that is logged."""
    drain_seconds: float = Field(default=timing.GATEWAY_DRAIN_SECONDS, ge=0)
    """How long attempts in flight may go on after SIGTERM."""


def load() -> GatewaySettings:
    """Read the settings; an InvalidManifest says which one is wrong."""
    try:
        return GatewaySettings()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = f"GENPOOL_{str(first['loc'][0]).upper()}"
        raise InvalidManifest(f"the environment variable {name} is wrong: {first['msg']}.") from error
