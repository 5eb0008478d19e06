"""The worker's settings, from the environment. What is about the pool comes from its ConfigMap, not from here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr

from genpool_adapters.settings import ProgramSettings


class WorkerSettings(ProgramSettings):
    """What the operator gives each pod. S3 credentials are boto3's own variables (``AWS_ACCESS_KEY_ID`` …)."""

    config_dir: Path = Path("/etc/genpool")
    """Folder with ``pool.json`` and the workflow files: the pool's ConfigMap."""
    pod_name: Annotated[str, Field(min_length=1)]
    """Name of the pod; unique among the pool's workers."""
    broker_host: Annotated[str, Field(min_length=1)]
    """Host of RabbitMQ."""
    broker_port: Annotated[int, Field(ge=1, le=65_535)] = 5672
    """AMQP port."""
    broker_tls: bool = False
    """Speak TLS."""
    broker_vhost: str = "/"
    """Vhost of the pool."""
    broker_username: Annotated[str, Field(min_length=1)]
    """User of the pool's workers."""
    broker_password: SecretStr
    """Its password."""
    comfyui_url: Annotated[str, Field(pattern=r"^http://[^/?#@]+$")] = "http://127.0.0.1:8188"
    """ComfyUI's address."""
    scratch_dir: Path = Path("/scratch")
    """Folder with ``input``, ``output`` and ``temp``, shared with ComfyUI."""
