"""The gateway's settings, from the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from genpool_adapters.settings import CommaList, ProgramSettings
from genpool_adapters.shipped_workflows import default_workflows
from genpool_core import timing


class GatewaySettings(ProgramSettings):
    """Where the gateway's files are, and how it stops."""

    brokers_file: Path = Path("/etc/genpool/brokers.yaml")
    """The platform's brokers."""
    gateway_secret_dir: Path = Path("/etc/genpool-gateway")
    """The gateway's Secret, which the operator writes: a login for each broker, and the keys that sign callbacks."""
    pools_file: Path | None = None
    """File or folder with GenerationPools, and the ConfigMaps of their workflows. Kubernetes is asked when absent."""
    namespaces: CommaList = ()
    """Namespaces whose pools are served, separated by commas; all when empty."""
    builtin_workflows: Annotated[Path, Field(default_factory=default_workflows)]
    """Folder with the shipped workflows, for pools that are read from files."""
    drain_seconds: Annotated[float, Field(ge=0)] = timing.GATEWAY_DRAIN_SECONDS
    """How long attempts in flight may go on after SIGTERM."""
