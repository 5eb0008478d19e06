"""The gateway's settings, from the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from genpool_adapters.settings import ProgramSettings
from genpool_core import timing


class GatewaySettings(ProgramSettings):
    """Where the gateway's files are, and how it stops."""

    brokers_file: Path = Path("/etc/genpool/brokers.yaml")
    """The platform's brokers."""
    gateway_secret_dir: Path = Path("/etc/genpool-gateway")
    """The gateway's Secret, which the operator writes: a login for each broker, and the keys that sign callbacks."""
    drain_seconds: Annotated[float, Field(ge=0)] = timing.GATEWAY_DRAIN_SECONDS
    """How long attempts in flight may go on after SIGTERM."""
