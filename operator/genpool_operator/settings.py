"""The operator's settings, from the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from genpool_adapters.settings import CommaList, ProgramSettings
from genpool_adapters.shipped_workflows import default_workflows
from genpool_core import timing
from genpool_operator.decide.volumes import USUAL_VOLUMES


class OperatorSettings(ProgramSettings):
    """What the platform team decides; what is about one pool stands in its GenerationPool."""

    brokers_file: Path = Path("/etc/genpool/brokers.yaml")
    """File with the platform's brokers."""
    release_namespace: Annotated[str, Field(min_length=1)]
    """Namespace of the operator's own Secrets."""
    operator_key: Annotated[str, Field(min_length=1)] = "genpool-operator-key"
    """Secret with the operator's keys; the operator makes it."""
    gateway_secret: str = ""
    """Secret that the operator writes for the gateway; empty: there is no gateway."""
    worker_image: Annotated[str, Field(min_length=1)]
    """Image of the workers, unless a pool names another."""
    worker_image_pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = None
    """Pull policy of the workers' image; Kubernetes' default when absent."""
    builtin_workflows: Annotated[Path, Field(default_factory=default_workflows)]
    """Folder with the shipped workflows."""
    namespaces: CommaList = ()
    """Namespaces to look after, separated by commas; all when empty."""
    allowed_volumes: CommaList = USUAL_VOLUMES
    """Sources of volumes that pools may mount, as in a Pod, separated by commas."""
    resync_seconds: Annotated[float, Field(ge=1, le=600)] = timing.RESYNC_SECONDS
    """Everything is listed and looked at anew after this."""
